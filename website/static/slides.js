// What does not fit on a slide goes on to the next one, below a reminder of its title; then reveal.js takes over. It
// leaves keys alone that are typed into a slider, or that press a button, but for those of a presenter's remote, which
// turn the slides wherever they are pressed. All is measured once formulas are set.
{
  const [WIDTH, HEIGHT, USED] = [1200, 750, 690]; // what is below is for the arrows and numbers
  const slides = document.querySelector(".slides");

  // A cell of prose may be parted between its paragraphs; any other is kept whole.
  const paragraphs = (cell) =>
    [...cell.querySelector(".jp-RenderedMarkdown").children].map((child) => {
      const paragraph = Object.assign(document.createElement("div"), { className: "jp-RenderedMarkdown" });
      paragraph.append(child);
      return paragraph;
    });

  const loosen = (section) => {
    section.querySelectorAll(":scope > .fragment").forEach((fragment, index) => {
      for (const cell of fragment.children) Object.assign(cell.dataset, { step: index });
      fragment.replaceWith(...fragment.children);
    });
    for (const cell of section.querySelectorAll(":scope > .jp-MarkdownCell")) {
      const parts = paragraphs(cell);
      for (const part of parts) Object.assign(part.dataset, cell.dataset);
      cell.replaceWith(...parts);
    }
  };

  // A heading, or a line in bold that serves as one, never stands last.
  const isTitle = (part) =>
    part.matches(".jp-RenderedMarkdown:has(> :is(h1, h2, h3))") ||
    part.textContent.trim() === part.querySelector("strong")?.textContent;

  const part = (section) => {
    const parts = [...section.children].filter((child) => !child.matches("aside"));
    const boxes = new Map(parts.map((child) => [child, child.getBoundingClientRect()]));
    const title = section.querySelector("h1, h2, h3")?.textContent;
    let [current, top, room, shown] = [section, boxes.get(parts[0])?.top, USED];
    parts.forEach((child, place) => {
      const follows = parts[place + 1];
      const end = isTitle(child) && follows ? Math.min(boxes.get(follows).bottom, boxes.get(child).top + USED) : boxes.get(child).bottom;
      if (end - top > room && current.querySelector(":scope > :not(.continued)")) {
        const next = document.createElement("section");
        current.after(next);
        [current, top, room] = [next, boxes.get(child).top, USED];
        if (title && !isTitle(child)) {
          next.append(Object.assign(document.createElement("p"), { className: "continued", textContent: title }));
          room -= 50;
        }
        shown = child.dataset.step;
      }
      if (current !== section) current.append(child);
      if (child.dataset.step && child.dataset.step !== shown) {
        child.classList.add("fragment");
        child.dataset.fragmentIndex = child.dataset.step;
      }
    });
  };

  // An explorer has its sliders below the picture or beside it, wherever that leaves the picture larger.
  const arrange = (section, explorer) => {
    const picture = explorer.querySelector("svg");
    const [below, beside] = [false, true].map((aside) => {
      explorer.classList.toggle("beside", aside);
      return picture.getBoundingClientRect().width * Math.min(1, USED / section.scrollHeight);
    });
    explorer.classList.toggle("beside", beside > below);
  };

  const fit = (section) => {
    const explorer = section.querySelector(".explorer");
    if (explorer) arrange(section, explorer);
    const height = section.scrollHeight;
    if (height > 1.4 * USED && !explorer) section.tabIndex = 0;
    else if (height > USED) section.style.cssText = `zoom: ${USED / height}; max-height: none`;
  };

  const REMOTE = { PageDown: () => Reveal.next(), PageUp: () => Reveal.prev() };
  slides.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") && Object.hasOwn(REMOTE, event.key)) {
      event.preventDefault();
      REMOTE[event.key]();
    }
    if ([" ", "Enter"].includes(event.key) && event.target.matches("button, summary")) event.stopPropagation();
  });

  document.fonts.ready.then(async () => {
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    slides.classList.add("measured");
    for (const section of slides.querySelectorAll("section > section")) loosen(section), part(section);
    slides.querySelectorAll("section > section").forEach(fit);
    slides.classList.remove("measured");
    Reveal.initialize({
      width: WIDTH,
      height: HEIGHT,
      margin: 0.06,
      center: false,
      hash: true,
      navigationMode: "linear",
      slideNumber: "c/t",
      transition: "none",
      plugins: [RevealNotes],
    });
  });
}
