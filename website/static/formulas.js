// How MathJax reads the pages: as Jupyter does, and without ever loading anything more.
window.MathJax = {
  tex: { inlineMath: [["$", "$"], ["\\(", "\\)"]] },
  options: { enableMenu: false, ignoreHtmlClass: "explorer|jp-RenderedHTML|course" },
};
