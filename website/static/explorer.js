// Explorers without a kernel: every state of a picture was drawn beforehand and merged into one SVG whose differing
// attributes and texts are slots. A slot is [attribute, axes, index, values]; moving a slider writes those that change.
// On a page the address names the state of the explorer that was moved last, as in #explorer-2=3,0,5, and leads back to it.
// Below, a slider can be told, listed, heard and played: in words and tones of told.js, which is loaded before this.
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

  const valueAt = (number, position) => {
    const [, axes, index, values] = slots[number];
    return values[index[axes.reduce((sum, axis) => sum * shape[axis] + position[axis], 0)]];
  };

  // The readouts of any state, [name, text] each, without showing it.
  const readoutsAt = (position) => {
    const numbers = (element) => element.dataset.slots?.split(" ") ?? [];
    const slot = (element, attribute) => numbers(element).find((number) => slots[number][0] === attribute);
    const text = (cell) => (slot(cell, "") ? valueAt(slot(cell, ""), position) : cell.textContent);
    const shown = rows.filter((row) => (slot(row, "hidden") ? valueAt(slot(row, "hidden"), position) === null : !row.hidden));
    return shown.map((row) => [...row.cells].map(text));
  };

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
    slots.forEach(([attribute], number) => {
      const value = valueAt(number, position);
      if (shown[number] === value) return;
      shown[number] = value;
      for (const element of targets[number]) write(element, attribute, value);
    });
    const listed = rows.filter((row) => !row.hidden).map((row) => [...row.cells].map((cell) => cell.textContent).join(": "));
    picture.setAttribute("aria-label", listed.length ? `${title}. ${listed.join("; ")}.` : `${title}.`);
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
  reset.addEventListener("click", telling({ figure, title, inputs, texts, readoutsAt, show }));
  show(); // a browser may have kept the sliders where they stood
  if (!figure.closest(".reveal")) {
    for (const input of inputs) input.addEventListener("change", remember);
    reset.addEventListener("click", remember);
    addEventListener("hashchange", recall);
    recall();
  }
}

// The line of buttons below an explorer, and what they answer. One polite region says what a move or a button did.
function telling({ figure, title, inputs, texts, readoutsAt, show }) {
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const labels = inputs.map((input) => input.labels[0].textContent);
  const select = (name, options) => {
    const list = make("select", {}, ...options.map((text, index) => make("option", { value: index, textContent: text })));
    list.addEventListener("keydown", (event) => event.stopPropagation()); // arrows choose, and turn no slide
    return [make("label", { textContent: `${name} ` }, list), list];
  };
  const [chooser, chosen] = select("Slider", labels);
  const said = make("p", { className: "said" });
  said.setAttribute("role", "status");
  const answer = make("div", { className: "telling", hidden: true });
  const say = (words) => (said.textContent = words);

  const here = () => inputs.map((input) => +input.value);
  const swept = () => {
    const [control, position] = [+chosen.value, here()];
    const readouts = texts[control].map((_, index) => readoutsAt(position.map((other, place) => (place === control ? index : other))));
    const changing = told.columns(readouts).filter(([, column]) => new Set(column).size > 1);
    const sentence = told.sentence(labels[control], texts[control], readouts);
    return { control, changing, sentence };
  };

  // A button pressed again takes its answer away.
  let [shown, stop] = ["", null];
  const toggle = (name, ...parts) => {
    stop?.();
    shown = shown === name ? "" : name;
    answer.hidden = !shown;
    answer.replaceChildren(...(shown ? parts : []));
    return shown;
  };
  const close = () => toggle(shown);

  const tell = () => {
    const { sentence } = swept();
    if (toggle("Tell", make("p", { textContent: sentence }))) say(sentence);
  };

  const tabulate = () => {
    const { control, changing, sentence } = swept();
    const row = (first, cells, tag) => make("tr", {}, first, ...cells.map((text) => make(tag, { textContent: text ?? "" })));
    const head = (text, scope) => make("th", { textContent: text, scope });
    const names = row(head(labels[control], "col"), changing.map(([name]) => name), "th");
    names.querySelectorAll("th").forEach((cell) => (cell.scope = "col"));
    const body = texts[control].map((text, place) => row(head(text, "row"), changing.map(([, column]) => column[place]), "td"));
    const table = make("table", {}, make("thead", {}, names), make("tbody", {}, ...body));
    const copy = make("button", { type: "button", textContent: "Copy the table" });
    copy.addEventListener("click", () => {
      getSelection().selectAllChildren(table);
      say(document.execCommand("copy") ? "Copied." : "The table is marked: copy it with the keyboard.");
    });
    const scroll = make("div", { className: "rows", tabIndex: 0 }, table);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `${labels[control]}: ${title}`);
    if (toggle("Table", make("p", { textContent: sentence }), copy, scroll)) say(`A table of ${body.length} rows follows.`);
  };

  const listen = () => {
    const { control, changing, sentence } = swept();
    if (!changing.length) return tell();
    const [hearing, heard] = select("Hear", changing.map(([name]) => name));
    const legend = make("p", {});
    const again = make("button", { type: "button", textContent: "Again" });
    const now = make("span", { className: "now" });
    const sound = () => {
      stop?.();
      const [name, column] = changing[heard.value];
      say((legend.textContent = told.legend(labels[control], name, column)));
      stop = play(told.tones(column), (place) => {
        now.textContent = place === column.length ? "" : `${texts[control][place]}: ${column[place] ?? "not shown"}`;
      });
    };
    heard.addEventListener("change", sound);
    again.addEventListener("click", sound);
    if (toggle("Listen", hearing, again, now, legend)) sound();
  };

  let beat;
  const run = () => {
    if (beat) {
      clearInterval(beat);
      beat = null;
      player.textContent = "Play";
      return;
    }
    const input = inputs[chosen.value];
    if (input.value === input.max) input.value = 0;
    player.textContent = "Stop";
    show();
    beat = setInterval(() => {
      input.value = +input.value + 1;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      if (input.value === input.max) run();
    }, 400);
  };

  const button = (name, press) => {
    const made = make("button", { type: "button", textContent: name });
    made.addEventListener("click", press);
    return made;
  };
  const player = button("Play", run);
  const buttons = [button("Tell", tell), button("Table", tabulate), button("Listen", listen), player];
  const tools = make("div", { className: "tools" }, ...(inputs.length > 1 ? [chooser] : []), ...buttons);
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", `Tell a slider: ${title}`);
  chosen.addEventListener("change", close);
  figure.append(tools, answer, said);

  let [before, waiting] = [readoutsAt(here()), null];
  const tellMove = () => {
    clearTimeout(waiting); // who drags a slider hears where it stops
    waiting = setTimeout(() => {
      const after = readoutsAt(here());
      say(told.moved(before, after));
      before = after;
    }, 500);
  };
  inputs.forEach((input, control) =>
    input.addEventListener("input", () => {
      chosen.value = control;
      if (shown) close(); // it told of where the sliders stood
      tellMove();
    }),
  );
  return tellMove;
}

// Plays tones one after another and tells the place of each; a text that is no number hums, a change of words knocks.
function play(tones, at) {
  const [STEP, HUM] = [0.25, 110];
  const context = new AudioContext();
  const sound = (frequency, type, volume, start, length) => {
    const [tone, gain] = [new OscillatorNode(context, { frequency, type }), new GainNode(context, { gain: 0 })];
    tone.connect(gain).connect(context.destination);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(volume, start + 0.01);
    gain.gain.linearRampToValueAtTime(0, start + length);
    tone.start(start);
    tone.stop(start + length);
  };
  const begin = context.currentTime + 0.05;
  tones.forEach(([pitch, knocks], place) => {
    sound(pitch ?? HUM, "sine", pitch ? 0.4 : 0.2, begin + place * STEP, STEP);
    if (knocks) sound(70, "square", 0.5, begin + place * STEP, 0.06);
  });
  let place = 0;
  const steps = setInterval(() => {
    at(++place);
    if (place === tones.length) stop();
  }, 1000 * STEP);
  const stop = () => {
    clearInterval(steps);
    if (context.state !== "closed") context.close();
  };
  at(0);
  return stop;
}
