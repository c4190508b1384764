// Explorers without a kernel: every state of a picture was drawn beforehand and merged into one SVG whose differing
// attributes and texts are slots. A slot is [attribute, axes, index, values]; moving a slider writes those that change.
// On a page the address names the state of the explorer that was moved last, as in #explorer-2=3,0,5, and leads back to it.
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

  const move = (position) => {
    inputs.forEach((input, control) => (input.value = position[control]));
    show();
  };

  let waiting;
  const remember = () => {
    clearTimeout(waiting);
    const state = inputs.map((input) => input.value).join();
    waiting = setTimeout(() => history.replaceState(null, "", `#${figure.id}=${state}`), 400); // browsers refuse more often
  };

  const recall = () => {
    const [id, state] = location.hash.slice(1).split("=");
    if (id !== figure.id || state?.split(",").length !== inputs.length) return;
    move(state.split(","));
    figure.scrollIntoView({ block: "nearest" });
  };

  const reset = Object.assign(document.createElement("button"), { type: "button", className: "reset", textContent: "Reset" });
  reset.setAttribute("aria-label", `Reset: ${title}`);
  reset.addEventListener("click", () => move(inputs.map((input) => input.defaultValue)));
  figure.append(reset);
  for (const input of inputs) input.addEventListener("input", show);
  show(); // a browser may have kept the sliders where they stood
  if (!figure.closest(".reveal")) {
    for (const input of inputs) input.addEventListener("change", remember);
    reset.addEventListener("click", remember);
    addEventListener("hashchange", recall);
    recall();
  }
}
