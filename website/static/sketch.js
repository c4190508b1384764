// A prediction that is drawn: by mouse, by finger, or by numbers; then the truth is laid over it, and the worst point named.
for (const figure of document.querySelectorAll("figure.sketch")) {
  const { progress } = hedgeLab;
  const { low, high, step, points, truth, unit, why, columns, top, bottom } = JSON.parse(figure.querySelector("script").textContent);
  const { sketch: lesson } = figure.dataset;
  const svg = figure.querySelector("svg");
  const [mine, real] = svg.querySelectorAll("path");
  const inputs = [...figure.querySelectorAll("input")];
  const [button, output] = figure.querySelectorAll("button, output");
  const alone = svg.getAttribute("aria-label");
  const drawn = points.map(() => null);

  const y = (value) => top + ((high - value) / (high - low)) * (bottom - top);
  const line = (values) =>
    values.map((value, place) => (value === null ? "" : `${place && values[place - 1] !== null ? "L" : "M"}${columns[place]},${y(value)}`)).join("");
  const written = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1 }).replace("-", "−");

  const set = (place, value) => {
    const rounded = Math.round(Math.min(high, Math.max(low, value)) / step) * step;
    drawn[place] = rounded;
    inputs[place].value = rounded;
    mine.setAttribute("d", line(drawn));
  };

  const show = () => {
    const off = drawn.map((value, place) => Math.abs(value - truth[place]));
    const worst = off.indexOf(Math.max(...off));
    real.setAttribute("d", line(truth));
    real.setAttribute("visibility", "visible");
    for (const element of [button, ...inputs]) element.disabled = true;
    svg.setAttribute("aria-label", `${alone}. ${points.map((point, place) => `${point}: ${written(truth[place])}`).join("; ")}.`);
    const farthest = `Farthest off at ${points[worst]}: you said ${written(drawn[worst])}, it is ${written(truth[worst])} ${unit}.`;
    output.textContent = `${off[worst] ? farthest : "Right at every point."} ${why}`;
  };

  let before; // the column that the pointer was in
  const draw = (event) => {
    if (button.disabled || !event.buttons) return;
    const { x, y: height } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const near = columns.map((column) => Math.abs(column - x));
    const place = near.indexOf(Math.min(...near));
    const value = high - ((height - top) / (bottom - top)) * (high - low);
    // a fast pointer skips columns: they lie on the straight line between
    const from = event.type === "pointerdown" ? place : before.place;
    const start = event.type === "pointerdown" ? value : before.value;
    for (let between = from; between !== place; between += Math.sign(place - from))
      if (between !== from) set(between, start + ((value - start) * (between - from)) / (place - from));
    set(place, value);
    before = { place, value };
  };
  svg.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    draw(event);
  });
  svg.addEventListener("pointermove", (event) => before && draw(event));
  inputs.forEach((input, place) => input.addEventListener("change", () => input.value !== "" && set(place, +input.value)));
  button.addEventListener("click", () => {
    const missing = points.filter((_, place) => drawn[place] === null);
    if (missing.length) return (output.textContent = `Draw the whole line first. Still missing: ${missing.join(", ")}.`);
    progress.draw(lesson, drawn);
    show();
  });

  const kept = progress.drawings()[lesson];
  if (kept?.length === points.length) {
    kept.forEach((value, place) => set(place, value));
    show();
  }
}
