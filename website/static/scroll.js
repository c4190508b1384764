// The list of sections beside a lesson tells which one is being read.
{
  const course = document.querySelector(".course");
  const links = [...(course?.querySelectorAll("ol ul a") ?? [])];
  const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
  let here;

  const tell = () => {
    const [middle, end] = [innerHeight / 3, scrollY + innerHeight >= document.documentElement.scrollHeight - 2];
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < middle).length;
    const now = links[end ? links.length - 1 : passed - 1];
    if (now === here) return;
    here?.removeAttribute("aria-current");
    now?.setAttribute("aria-current", "location");
    here = now;
    if (here) course.scrollTop = here.offsetTop - course.clientHeight / 2;
  };

  if (links.length) {
    addEventListener("scroll", tell, { passive: true });
    addEventListener("resize", tell);
    tell();
  }
}

// What is wider than a small screen scrolls sideways; while it does, the keyboard must reach it.
{
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      if (scrolls) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  document.querySelectorAll(".scroll, .drawing, .jp-RenderedHTML, .formula").forEach((element) => watch.observe(element));
}
