"""Prints the site: a PDF handout of each lesson, explorers at their start, what is folded as an appendix."""

from . import browser

APPENDIX = """() => {
    const folded = [...document.querySelectorAll("article details")];
    if (!folded.length) return;
    const appendix = document.createElement("section");
    appendix.className = "appendix";
    const heading = document.createElement("h2");
    heading.textContent = "Hints and solutions";
    appendix.append(heading);
    folded.forEach((details, place) => {
        const title = details.querySelector("summary").textContent.trim();
        const entry = document.createElement("h3");
        entry.textContent = `${place + 1}. ${title}`;
        appendix.append(entry, ...[...details.childNodes].filter((child) => child.nodeName !== "SUMMARY"));
        const pointer = document.createElement("p");
        pointer.className = "needs-kernel";
        pointer.textContent = `${title}: number ${place + 1} in the appendix.`;
        details.replaceWith(pointer);
    });
    document.querySelector("article").append(appendix);
}"""
FOOTER = (
    '<div style="width:100%;padding:0 18mm;font:8px sans-serif;color:#555;display:flex">'
    '<span style="flex:1">{title}</span><span class="pageNumber"></span>&nbsp;/&nbsp;'
    '<span class="totalPages"></span></div>'
)


def print_all(site, handouts):
    """Print every lesson of a built site into the folder `handouts`.

    Raises
    ------
    FileNotFoundError
        If the site is not built or Chromium is not installed.
    """
    if not any(site.glob("[0-9]*.html")):
        raise FileNotFoundError(f"no site in {site}; build it first: make site")
    with browser.chromium() as chromium:
        print_pages(chromium, site, handouts)


def print_pages(chromium, site, handouts):
    """Print every lesson of a built site in a browser that is open."""
    handouts.mkdir(parents=True, exist_ok=True)
    page = browser.page(chromium, color_scheme="light")
    for source in sorted(site.glob("[0-9]*.html")):
        page.goto(source.resolve().as_uri())
        page.evaluate("() => document.fonts.ready.then(() => {})")
        page.evaluate(APPENDIX)
        page.pdf(
            path=handouts / f"{source.stem}.pdf",
            format="A4",
            margin={"top": "16mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER.format(title=page.title()),
            print_background=True,
            outline=True,
            tagged=True,
        )
        print(handouts / f"{source.stem}.pdf")
    page.context.close()
