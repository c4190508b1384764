// A lesson whose cells can be edited and run, also from disk: the buttons beside each cell, what a cell shows, explorers
// drawn by Python, the reader's own CSV files, and edits that are kept in the browser and downloaded as a notebook.
{
  const lesson = decodeURIComponent(location.pathname).split("/").pop().replace(/\.html$/, "");
  const STORE = `hedge-lab/edits/${lesson}`;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const button = (textContent, title, onclick) => make("button", { type: "button", textContent, title, onclick });

  // --- Cells -----------------------------------------------------------------------------------------------------------

  const cells = [...document.querySelectorAll(".jp-CodeCell")].map((element, place) => {
    const box = element.querySelector(".jp-Editor");
    const written = box.querySelector("pre").textContent.replace(/\n$/, "");
    return { element, place, box, written, source: written, name: `cell ${place + 1}`, market: element.matches(".celltag_market") };
  });

  const changed = (cell) => cell.source !== cell.written;
  const touched = (cell) => cells.slice(0, cell.place + 1).some(changed);

  const remember = () => {
    const edits = cells.filter(changed).map(({ place, written, source }) => ({ place, written, source }));
    try {
      if (edits.length) localStorage.setItem(STORE, JSON.stringify(edits));
      else localStorage.removeItem(STORE);
    } catch {
      bar.say("This browser keeps nothing for pages from disk: download the notebook to keep your edits.");
    }
    bar.refresh();
  };

  const recall = () => {
    let edits = [];
    try {
      edits = JSON.parse(localStorage.getItem(STORE)) ?? [];
    } catch {
      // nothing was kept, or the browser keeps nothing
    }
    for (const { place, written, source } of edits) if (cells[place]?.written === written) rewrite(cells[place], source);
  };

  // Put another source into a cell, into its editor if it is open.
  const rewrite = (cell, source) => {
    cell.source = source;
    if (cell.editor) cell.editor.source = source;
    else if (source === cell.written) cell.box.replaceChildren(cell.coloured);
    else cell.box.replaceChildren(make("div", { className: "highlight" }, make("pre", { textContent: source })));
    dress(cell);
  };

  const edit = async (cell) => {
    if (!window.openEditor) await (edit.loaded ??= window.Python.script("codemirror.js"));
    if (!cell.editor) {
      const parent = make("div", { className: "highlight live-editor" });
      cell.box.replaceChildren(parent);
      cell.editor = window.openEditor(
        parent,
        cell.source,
        `Python of ${cell.name}`,
        () => run(cell),
        (source) => {
          cell.source = source;
          dress(cell);
          clearTimeout(edit.waiting);
          edit.waiting = setTimeout(remember, 300);
        },
      );
    }
    cell.element.querySelectorAll("details").forEach((folded) => folded.contains(cell.box) && (folded.open = true));
    cell.editor.focus();
  };

  const reset = (cell) => {
    cell.editor?.close();
    cell.editor = undefined;
    rewrite(cell, cell.written);
    show(cell, null);
    cell.ran = undefined;
    remember();
  };

  // --- Running ---------------------------------------------------------------------------------------------------------

  const WAIT = "about 15 seconds, once a page";
  let queue = Promise.resolve();
  const inTurn = (task) => (queue = queue.then(task, task));

  const ask = (name, ...values) => window.Python.call("session", name, ...values);

  const execute = async (cell, quiet) => {
    const source = cell.source;
    cell.element.setAttribute("aria-busy", "true");
    bar.say(window.Python.running ? `Running ${cell.name} …` : `Starting Python: ${WAIT} …`);
    try {
      const outputs = await ask("run", source, cell.name, quiet);
      const failed = outputs.some((output) => output.error);
      cell.ran = failed ? undefined : source;
      if (!quiet || failed) show(cell, outputs);
      return !failed;
    } finally {
      cell.element.removeAttribute("aria-busy");
      dress(cell);
    }
  };

  // Run cells one after the other; those only needed for their names show nothing new unless they were changed.
  const runAll = (list, last) =>
    inTurn(async () => {
      const began = performance.now();
      try {
        for (const cell of list) {
          if (await execute(cell, last && cell !== last && !changed(cell))) continue;
          return bar.say(`${cell.name} stopped with an error.`, cell);
        }
        bar.say(`Done in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
      } catch (error) {
        bar.say(error.message === "stopped" ? "Stopped. Your edits are kept; the next Run starts Python again." : error.message);
      } finally {
        bar.refresh();
      }
    });

  const run = (cell) => {
    const before = cells.slice(0, cell.place).filter((other) => other.ran !== other.source);
    return runAll([...before, cell], cell);
  };

  const stop = () => {
    window.Python.stop();
    for (const cell of cells) cell.ran = undefined;
  };

  // --- What a cell shows -----------------------------------------------------------------------------------------------

  // Words in a column of a table stand left, as on the rest of the page.
  const settle = (table) => {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    for (let column = 0; column < (rows[0]?.cells.length ?? 0); column++) {
      const texts = rows.map((row) => row.cells[column]?.textContent ?? "");
      if (!texts.some((text) => text.replace(/[^a-z]/gi, "").length > text.replace(/\D/g, "").length && !/^(NaN|None|inf|True|False)$/.test(text))) continue;
      for (const row of table.rows) row.cells[column]?.classList.add("words");
    }
  };

  const rendered = ({ html }) => {
    const element = make("div", { className: "jp-RenderedHTML", innerHTML: html });
    element.querySelectorAll("style").forEach((style) => style.remove());
    for (const table of element.querySelectorAll("table")) {
      settle(table);
      const scroll = make("div", { className: "scroll", tabIndex: 0 });
      table.replaceWith(scroll);
      scroll.append(table);
    }
    return element;
  };

  const mistake = ({ error, kind, trace }) => {
    const folded = make("details", {}, make("summary", { textContent: "Where it happened" }), make("pre", { textContent: trace }));
    const advice = kind === "NameError" ? " Is it spelled as in the cell that makes it?" : "";
    return make("div", { className: "live-error", role: "alert" }, make("p", { textContent: `✗ ${error}${advice}` }), folded);
  };

  const picture = (drawn) => `data:image/png;base64,${drawn.picture}`;

  const rows = (readouts) =>
    Object.entries(readouts).map(([name, text]) =>
      make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { textContent: text })),
    );

  let figures = 0;
  const explorer = (drawn) => {
    const title = make("figcaption", { textContent: drawn.title, id: `live-explorer-${++figures}` });
    const image = make("img", { src: picture(drawn), alt: drawn.alt });
    const table = make("tbody", {}, ...rows(drawn.readouts));
    const controls = drawn.controls.map(({ label, texts, start }, place) => {
      const id = `${title.id}-${place}`;
      const input = make("input", { type: "range", id, min: 0, max: texts.length - 1, value: start, autocomplete: "off" });
      const value = make("span", { className: "value", ariaHidden: "true" });
      const tell = () => {
        value.textContent = texts[input.value];
        input.setAttribute("aria-valuetext", texts[input.value]);
      };
      tell();
      input.addEventListener("input", () => (tell(), draw()));
      return { input, tell, start, element: make("div", { className: "control" }, make("label", { htmlFor: id, textContent: label }), input, value) };
    });

    // While a state is drawn, of all moves only the last is remembered.
    let drawing, next;
    const draw = async () => {
      next = controls.map(({ input }) => +input.value);
      if (drawing) return;
      drawing = true;
      figure.setAttribute("aria-busy", "true");
      while (next) {
        const position = next;
        next = undefined;
        try {
          const state = await ask("state", drawn.explorer, ...position);
          Object.assign(image, { src: picture(state), alt: state.alt });
          table.replaceChildren(...rows(state.readouts));
        } catch (error) {
          bar.say(error.message === "stopped" ? "Python was stopped: run the cell again to move this explorer." : error.message);
        }
      }
      figure.removeAttribute("aria-busy");
      drawing = false;
    };

    const back = () => {
      for (const { input, start, tell } of controls) {
        input.value = start;
        tell();
      }
      draw();
    };
    const start = button("Reset", `Reset: ${drawn.title}`, back);
    start.className = "reset";
    const sliders = make("div", { className: "sliders" }, ...controls.map(({ element }) => element));
    sliders.setAttribute("role", "group");
    sliders.setAttribute("aria-labelledby", title.id);
    const readouts = make("div", { className: "readouts" }, make("table", {}, table));
    readouts.setAttribute("aria-live", "polite");
    const panel = make("div", { className: "panel" }, sliders, readouts);
    const figure = make("figure", { className: "explorer live" }, title, make("div", { className: "drawing" }, image), panel, start);
    return figure;
  };

  const node = (output) => {
    if (output.error) return mistake(output);
    if (output.explorer) return explorer(output);
    if (output.html) return rendered(output);
    return make("pre", { textContent: output.text });
  };

  // An explorer that nothing above has changed keeps its twin, which knows all its states. `null` brings back the page's own.
  const show = (cell, outputs) => {
    const twin = outputs?.some((output) => output.explorer) && !touched(cell);
    cell.output?.remove();
    cell.output = undefined;
    const exercise = cell.element.matches(".celltag_exercise"); // its form stays, to be answered either way
    for (const own of cell.element.querySelectorAll(".jp-Cell-outputWrapper, .python > .jp-OutputArea-child"))
      own.hidden = Boolean(outputs && !twin && !exercise);
    if (!outputs || twin) return;
    cell.output = make("div", { className: "jp-OutputArea live-output" }, ...outputs.map(node));
    cell.output.setAttribute("aria-live", "polite");
    cell.element.append(cell.output);
  };

  // --- The reader's own prices -----------------------------------------------------------------------------------------

  const literal = (names) => (names.length === 1 ? JSON.stringify(names[0]) : `[${names.map((name) => JSON.stringify(name)).join(", ")}]`);
  const KINDS = { funding: /fund/i, mark: /mark/i, perp: /perp|swap|future|um[-_]/i };

  const useOwn = async (files) => {
    const cell = cells.find((each) => each.market);
    if (!cell) return bar.say("This lesson has no market to replace: drop your files in lesson 02, 03, 04, 05, 06, 08 or 09.");
    const found = {};
    for (const file of files) {
      const kind = Object.keys(KINDS).find((name) => KINDS[name].test(file.name)) ?? "spot";
      (found[kind] ??= []).push(file.name);
    }
    if (!found.spot) [found.spot, found.perp] = [found.perp ?? found.mark, undefined];
    const symbol = files.map((file) => file.name.match(/[A-Z0-9]{2,10}USDT?/)?.[0]).find(Boolean) ?? "BTCUSDT";
    const given = ["spot", "perp", "mark", "funding"].filter((kind) => found[kind]).map((kind) => `    ${kind}=${literal(found[kind])},\n`);
    const last = cell.written.trim().split("\n").pop();
    rewrite(cell, `market_frame = market.read_csv(\n${given.join("")}    symbol=${JSON.stringify(symbol)},\n)\n${last}`);
    remember();
    cell.element.scrollIntoView({ block: "center" });
    bar.say(`Reading ${files.map((file) => file.name).join(", ")} on this computer …`);
    await inTurn(async () => {
      for (const file of files) await ask("keep", file.name, new Uint8Array(await file.arrayBuffer()));
    });
    await run(cell);
  };

  const chooser = make("input", { type: "file", multiple: true, accept: ".csv,.zip,.txt", hidden: true });
  chooser.addEventListener("change", () => chooser.files.length && useOwn([...chooser.files]));
  addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    useOwn([...event.dataTransfer.files]);
  });

  // --- Notebook of the edits -------------------------------------------------------------------------------------------

  const download = async () => {
    await window.Python.script(`${lesson}.js`);
    const notebook = structuredClone(window.PYTHON.notebook);
    window.PYTHON.shown.forEach((at, place) => (notebook.cells[at].source = cells[place].source));
    const address = URL.createObjectURL(new Blob([JSON.stringify(notebook, null, 1)], { type: "application/x-ipynb+json" }));
    make("a", { href: address, download: `${lesson}.ipynb` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  // --- Buttons ---------------------------------------------------------------------------------------------------------

  const bar = (() => {
    const text = make("span", { className: "live-said" });
    text.setAttribute("role", "status");
    const stops = button("Stop", "Stop Python. Edits are kept.", stop);
    const keeps = button("Download notebook", "This lesson with your edits, for JupyterLab", download);
    const forgets = button("Reset all", "Give up every edit of this lesson", () => confirm("Give up every edit of this lesson?") && cells.filter(changed).forEach(reset));
    const element = make("div", { className: "live-bar", hidden: true }, text, stops, keeps, forgets);
    document.body.append(element, chooser);
    return {
      say(words, cell) {
        text.replaceChildren(words);
        if (cell) text.append(" ", make("a", { href: "#", textContent: "Show", onclick: (event) => (event.preventDefault(), cell.element.scrollIntoView({ block: "center" })) }));
        element.hidden = false;
        this.refresh();
      },
      refresh() {
        stops.hidden = !document.querySelector("[aria-busy=true]");
        keeps.hidden = forgets.hidden = !cells.some(changed);
        if (!keeps.hidden) element.hidden = false;
      },
    };
  })();
  window.Python.told = (stage) => bar.say(`${stage} (${WAIT})`);

  const dress = (cell) => {
    cell.element.classList.toggle("live-changed", changed(cell));
    cell.tools.reset.hidden = !changed(cell) && !cell.output;
  };

  for (const cell of cells) {
    cell.coloured = cell.box.firstElementChild;
    cell.tools = {
      run: button("Run", "Run this cell (Shift+Enter), and what it needs from above", () => run(cell)),
      edit: button("Edit", "Edit this cell", () => edit(cell)),
      above: button("Run all above", "Run every cell above again", () => runAll(cells.slice(0, cell.place))),
      reset: button("Reset", "Back to how the lesson has it", () => reset(cell)),
    };
    const tools = make("div", { className: "live-tools" }, ...Object.values(cell.tools));
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", `Python, ${cell.name}`);
    cell.tools.above.hidden = cell.place === 0;
    if (cell.market) tools.append(button("Use my CSV", "Prices of your own, read on this computer; or drop the files on the page", () => chooser.click()));
    cell.box.before(tools);
    dress(cell);
  }
  for (const note of document.querySelectorAll(".needs-kernel"))
    if (note.textContent.includes("form")) note.append(" Or fill it in ", make("a", { href: "planner.html", textContent: "on this site" }), ".");
  recall();
}
