// What is wider than a small screen scrolls sideways; while it does, the keyboard must reach it.
{
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      if (scrolls) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  (window.MathJax?.startup?.promise ?? Promise.resolve()).then(() =>
    document.querySelectorAll(".scroll, .drawing, .jp-RenderedHTML, mjx-container").forEach((element) => watch.observe(element)),
  );
}
