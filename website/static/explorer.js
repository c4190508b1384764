// Explorers without a kernel: every state of a picture was drawn beforehand and merged into one SVG whose differing
// attributes and texts are slots. A slot is [attribute, axes, index, values]; moving a slider writes those that change.
for (const figure of document.querySelectorAll("figure.explorer")) {
  const { shape, texts, slots } = JSON.parse(figure.querySelector("script").textContent);
  const inputs = [...figure.querySelectorAll("input")];
  const words = [...figure.querySelectorAll(".value")];
  const picture = figure.querySelector("svg");
  const title = figure.querySelector("figcaption").textContent;
  const rows = [...figure.querySelectorAll(".readouts tr")];
  const targets = slots.map(() => []);
  for (const element of figure.querySelectorAll("[data-slots]"))
    for (const number of element.dataset.slots.split(" ")) targets[number].push(element);

  const write = (element, attribute, value) => {
    if (attribute === "") element.textContent = value;
    else if (value === null) element.removeAttribute(attribute);
    else element.setAttribute(attribute, value);
  };

  const shown = [];
  const show = () => {
    const position = inputs.map((input) => +input.value);
    inputs.forEach((input, control) => {
      const text = texts[control][position[control]];
      words[control].textContent = text;
      input.setAttribute("aria-valuetext", text);
    });
    slots.forEach(([attribute, axes, index, values], number) => {
      const place = axes.reduce((sum, axis) => sum * shape[axis] + position[axis], 0);
      if (shown[number] === index[place]) return;
      shown[number] = index[place];
      for (const element of targets[number]) write(element, attribute, values[index[place]]);
    });
    const told = rows.filter((row) => !row.hidden).map((row) => [...row.cells].map((cell) => cell.textContent).join(": "));
    picture.setAttribute("aria-label", told.length ? `${title}. ${told.join("; ")}.` : `${title}.`);
  };

  for (const input of inputs) input.addEventListener("input", show);
  show(); // a browser may have kept the sliders where they stood
}
