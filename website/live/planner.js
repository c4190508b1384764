// The planner: native fields, and Python that answers. The address keeps what was typed, the browser nothing.
{
  const form = document.getElementById("plan");
  const said = document.getElementById("said");
  const results = document.getElementById("results");
  const first = JSON.parse(document.getElementById("start").textContent);
  const names = Object.keys(first);
  const past = [];
  const kept = [];
  let base = "BTC"; // coin whose price was typed
  let good; // what the fields held when a plan last came of them
  let shown = { ...first };

  const typed = () => Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
  const put = (texts) => names.forEach((name) => (form.elements[name].value = texts[name]));
  const ask = (name, ...values) => window.Python.call("planning", name, ...values);
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // --- What the fields lead to -----------------------------------------------------------------------------------------

  const note = (name, text, wrong) => {
    const element = document.getElementById(`note-${name}`);
    if (element.textContent !== text) element.textContent = text;
    element.classList.toggle("wrong", wrong);
    form.elements[name].setAttribute("aria-invalid", wrong);
  };

  const write = (answer) => {
    const { problems, remarks = {} } = answer;
    for (const name of names) note(name, problems[name] ? `✗ ${problems[name]}` : (remarks[name] ?? ""), name in problems);
    const wrong = Object.keys(problems);
    results.classList.toggle("old", wrong.length > 0);
    if (wrong.length) {
      const labels = wrong.map((name) => document.querySelector(`label[for=${name}]`).textContent);
      said.textContent = `No plan from these numbers; below stands the last one. See: ${labels.join(", ")}.`;
      return;
    }
    for (const [name, text] of Object.entries(answer.texts)) if (document.activeElement !== form.elements[name]) form.elements[name].value = text;
    answer.pictures.forEach(({ picture, alt }, place) =>
      Object.assign(results.querySelectorAll("img")[place], { src: `data:image/png;base64,${picture}`, alt }),
    );
    const rows = Object.entries(answer.summary).map(([name, text]) =>
      make("tr", {}, Object.assign(make("th", { textContent: name }), { scope: "row" }), make("td", { textContent: text })),
    );
    document.getElementById("summary").replaceChildren(...rows);
    for (const [name, judged] of Object.entries(answer.measured)) {
      const take = (text) => {
        remember();
        form.elements[name].value = text;
        show();
      };
      const offers = Object.entries(judged).map(([judge, text]) =>
        make("button", { type: "button", textContent: `${judge}: ${text}`, onclick: () => take(text) }),
      );
      document.getElementById(`offers-${name}`).replaceChildren(...offers);
    }
    base = answer.base === base || !remarks.price?.startsWith("this was") ? answer.base : base;
    good = answer.texts;
    said.textContent = "This is your plan. Every change is computed on this computer.";
    unfold();
  };

  // While Python computes, of all changes only the last is remembered.
  let busy, next;
  const show = async () => {
    const decided = form.elements.decide.value;
    for (const name of ["ratio", "bearable"]) document.getElementById(`field-${name}`).hidden = name !== decided;
    const texts = typed();
    shown = texts;
    const changed = names.filter((name) => texts[name] !== first[name]);
    const address = new URLSearchParams(changed.map((name) => [name, texts[name]]));
    history.replaceState(null, "", changed.length ? `#${address}` : location.pathname + location.search);
    next = texts;
    if (busy) return;
    busy = true;
    results.setAttribute("aria-busy", "true");
    while (next) {
      const now = next;
      next = undefined;
      try {
        const answer = await ask("plan", JSON.stringify(now), base);
        if (!next) write(answer);
      } catch (error) {
        said.textContent = error.message;
      }
    }
    results.removeAttribute("aria-busy");
    busy = false;
  };

  const remember = () => {
    past.push(shown);
    document.getElementById("undo").disabled = false;
  };

  // --- The whole plan, its files, and others beside it -----------------------------------------------------------------

  const filled = (id, html) => {
    const place = document.querySelector(`#${id} > div`);
    place.innerHTML = html;
    for (const table of place.querySelectorAll("table")) {
      const scroll = make("div", { className: "scroll" });
      table.replaceWith(scroll);
      scroll.append(table);
    }
    return place;
  };

  const current = async () => {
    if (!good) await show();
    return JSON.stringify(good ?? first);
  };

  // The whole plan takes seconds: it is computed once for the same fields.
  const whole = async () => {
    const texts = await current();
    if (whole.texts !== texts) [whole.texts, whole.told] = [texts, ask("whole", texts)];
    return whole.told;
  };

  const unfold = async () => {
    if (document.getElementById("beside").open) {
      const { table, picture, alt } = await ask("beside", await current(), JSON.stringify(kept));
      filled("beside", table).append(make("img", { src: `data:image/png;base64,${picture}`, alt }));
    }
    const details = document.getElementById("whole");
    if (details.open) {
      if (!details.textContent.includes("Step 1")) filled("whole", "<p>Computing: some hundred markets are played …</p>");
      filled("whole", (await whole()).plan);
    }
  };

  const save = (name, content) => {
    const href = URL.createObjectURL(new Blob([content], { type: "text/plain;charset=utf-8" }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  };

  const files = async () => (await whole()).files;

  const print = async () => {
    const frame = make("iframe", { srcdoc: (await files())["my-hedge.html"], title: "The plan, to print" });
    frame.className = "printed";
    frame.onload = () => {
      frame.contentWindow.onafterprint = () => frame.remove();
      frame.contentWindow.print();
    };
    document.body.append(frame);
  };

  // A button tells while it works, and what went wrong if something did.
  const press = (element, work) =>
    element.addEventListener("click", async () => {
      element.setAttribute("aria-busy", "true");
      try {
        await work();
      } catch (error) {
        said.textContent = error.message;
      }
      element.removeAttribute("aria-busy");
    });

  const load = async (file) => {
    const { texts, problem } = await ask("opened", await file.text());
    if (problem) {
      said.textContent = problem;
      return;
    }
    remember();
    put(texts);
    await show();
  };
  const chooser = make("input", { type: "file", accept: ".json", hidden: true });
  chooser.setAttribute("aria-label", "A saved plan");
  chooser.addEventListener("change", () => chooser.files[0] && load(chooser.files[0]));
  document.body.append(chooser);

  press(document.getElementById("print"), print);
  for (const element of document.querySelectorAll("[data-file]"))
    press(element, async () => save(element.dataset.file, (await files())[element.dataset.file]));
  press(document.getElementById("keep"), async () => {
    kept.push(JSON.parse(await current()));
    const beside = document.getElementById("beside");
    if (beside.open) await unfold();
    else beside.open = true; // which unfolds it
  });
  document.getElementById("open").addEventListener("click", () => chooser.click());
  document.getElementById("undo").addEventListener("click", (event) => {
    put(past.pop());
    event.currentTarget.disabled = !past.length;
    show();
  });
  document.getElementById("again").addEventListener("click", () => {
    remember();
    put(first);
    base = "BTC";
    show();
  });
  for (const id of ["whole", "beside"]) document.getElementById(id).addEventListener("toggle", (event) => event.target.open && unfold());
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    remember();
    if (event.target.name === "price") base = form.elements.contract.value.replace(/USDT?$/, "");
    show();
  });
  // Python starts as soon as somebody comes to the fields, so that it is there when the first number is typed.
  form.addEventListener("focusin", () => window.Python.running || ask("first"), { once: true });
  window.Python.told = (stage) => (said.textContent = `${stage} Below stands the plan of lesson 09 until Python is ready, in about 15 seconds.`);

  const recall = () => {
    const address = new URLSearchParams(location.hash.slice(1));
    if (!names.some((name) => address.has(name))) return;
    put(Object.fromEntries(names.map((name) => [name, address.get(name) ?? first[name]])));
    show();
  };
  put(first);
  addEventListener("hashchange", recall);
  recall();
}
