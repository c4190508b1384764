// What a reader has answered and predicted, kept in this browser alone: docs/progress.md tells the format. A browser that
// forbids it, has no room or holds nonsense under our key gives a page that forgets, and nothing else.
window.hedgeLab ??= {};
{
  const KEY = "hedge-lab-progress";
  const FORMAT = "hedge-lab-progress-1";
  const LONGEST = 200;
  const isText = (value) => typeof value === "string" && value.length <= LONGEST;
  const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const isAttempt = (each) =>
    isTable(each) &&
    [each.exercise, each.answer, each.time, each.mistake ?? ""].every(isText) &&
    ["right", "wrong", "unread"].includes(each.verdict) &&
    Number.isInteger(each.try) &&
    each.try > 0;

  const isLine = (heights) => Array.isArray(heights) && heights.length < 50 && heights.every(Number.isFinite);

  // What a text holds that is as it must be; nothing if it is not ours.
  const read = (text) => {
    let found;
    try {
      found = JSON.parse(text);
    } catch {
      return null;
    }
    if (!isTable(found) || found.format !== FORMAT) return null;
    const votes = Object.entries(isTable(found.votes) ? found.votes : {});
    const drawings = Object.entries(isTable(found.drawings) ? found.drawings : {});
    return {
      ...found,
      attempts: (Array.isArray(found.attempts) ? found.attempts : []).filter(isAttempt),
      votes: Object.fromEntries(votes.filter(([lesson, option]) => /^\d\d$/.test(lesson) && Number.isInteger(option) && option > 0)),
      drawings: Object.fromEntries(drawings.filter(([lesson, heights]) => /^\d\d$/.test(lesson) && isLine(heights))),
    };
  };

  let unsaved = null; // what the browser would not keep
  const kept = () => {
    const nothing = { format: FORMAT, attempts: [], votes: {}, drawings: {} };
    if (unsaved) return unsaved;
    try {
      return read(localStorage.getItem(KEY)) ?? nothing;
    } catch {
      return (unsaved = nothing); // forbidden
    }
  };
  const keep = (progress) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(progress));
      unsaved = null;
    } catch {
      unsaved = progress;
    }
    document.dispatchEvent(new Event("progress"));
  };

  const of = (name) => kept().attempts.filter(({ exercise }) => exercise === name);
  const same = (one, other) => ["exercise", "answer", "time"].every((key) => one[key] === other[key]);

  hedgeLab.progress = {
    attempts: () => kept().attempts,
    votes: () => kept().votes,
    drawings: () => kept().drawings,
    place: () => kept().place,
    isKept: () => unsaved === null,

    // The try that an answer is: the same answer again is the same try, and what was unread is none.
    attempt(name, answer) {
      const mine = of(name);
      const last = mine.at(-1);
      return last?.answer === answer ? last.try : 1 + mine.filter(({ verdict }) => verdict === "wrong").length;
    },
    // The names answered right, of those that begin like this, with the try at which each first was.
    done(start = "") {
      const right = kept().attempts.filter(({ exercise, verdict }) => verdict === "right" && exercise.startsWith(start));
      return new Map(right.reverse().map((each) => [each.exercise, each]));
    },
    record(exercise, answer, verdict, mistake, number) {
      const last = of(exercise).at(-1);
      const text = [...answer].slice(0, LONGEST).join("").slice(0, LONGEST);
      if (last?.answer === text && last.verdict === verdict) return;
      const time = new Date().toISOString().replace(/\.\d+Z/, "Z");
      const progress = kept();
      keep({ ...progress, attempts: [...progress.attempts, { exercise, answer: text, verdict, mistake, try: number, time }] });
    },
    vote(lesson, option) {
      const progress = kept();
      if (!(lesson in progress.votes)) keep({ ...progress, votes: { ...progress.votes, [lesson]: option } });
    },
    draw(lesson, heights) {
      const progress = kept();
      if (!(lesson in progress.drawings)) keep({ ...progress, drawings: { ...progress.drawings, [lesson]: heights } });
    },
    stop(place) {
      const progress = kept();
      if (progress.place !== place) keep({ ...progress, place });
    },
    exported: () => JSON.stringify(kept(), null, 1),
    // Adds what a text holds to what is here; tells how many attempts were new, or that it is not ours.
    imported(text) {
      const other = read(text);
      if (!other) return null;
      const progress = kept();
      const fresh = other.attempts.filter((each) => !progress.attempts.some((one) => same(one, each)));
      const attempts = [...progress.attempts, ...fresh].sort((one, two) => (one.time < two.time ? -1 : one.time > two.time ? 1 : 0));
      const [votes, drawings] = ["votes", "drawings"].map((key) => ({ ...other[key], ...progress[key] }));
      keep({ ...other, ...progress, attempts, votes, drawings });
      return fresh.length;
    },
    erase() {
      unsaved = null;
      try {
        localStorage.removeItem(KEY);
      } catch {
        // forbidden, so that nothing is kept
      }
      document.dispatchEvent(new Event("progress"));
    },
  };
}

// Ticks beside lessons, the way back to where the reader stopped, and the page that tells all of it.
{
  const { progress } = hedgeLab;
  const make = (tag, properties = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  };

  const tick = () => {
    const done = progress.done();
    for (const element of document.querySelectorAll("[data-exercises]")) {
      const names = element.dataset.exercises.split(" ").filter(Boolean);
      const right = names.filter((name) => done.has(name)).length;
      element.querySelector(":scope .tick")?.remove();
      if (!right) continue;
      const all = right === names.length;
      element.append(make("span", { className: all ? "tick all" : "tick", textContent: all ? " ✓ all done" : ` ${right} of ${names.length} done` }));
    }
  };

  const resume = () => {
    const link = document.querySelector(".resume a");
    const place = progress.place();
    if (!link || typeof place !== "string" || !/^\w+\.html(#[\w-]*)?$/.test(place)) return;
    const lesson = document.querySelector(`.map h3 a[href="${place.split("#")[0]}"]`);
    if (!lesson) return;
    link.href = place;
    link.textContent = `Go on where you stopped: ${lesson.textContent}`;
    link.parentElement.hidden = false;
  };

  const tell = () => {
    const page = document.querySelector(".told");
    if (!page) return;
    const [done, votes] = [progress.done(), progress.votes()];
    const tried = new Map(progress.attempts().map((each) => [each.exercise, each]));
    let [right, all] = [0, 0];
    for (const row of page.querySelectorAll("tr[data-exercise]")) {
      const [first, last] = [done.get(row.dataset.exercise), tried.get(row.dataset.exercise)];
      const [state, answer, number, day] = [...row.cells].slice(1);
      state.textContent = first ? "✓ right" : last ? "not yet" : "open";
      answer.textContent = (first ?? last)?.answer ?? "";
      number.textContent = first?.try ?? "";
      day.textContent = (first ?? last)?.time.slice(0, 10) ?? "";
      all += 1;
      right += first ? 1 : 0;
    }
    for (const vote of page.querySelectorAll("[data-vote]")) {
      const option = votes[vote.dataset.vote];
      vote.textContent = option ? `You said ${option}.` : "You have not said yet.";
    }
    page.querySelector(".sum").textContent = `${right} of ${all} exercises are answered right.`;
    page.querySelector(".unkept").hidden = progress.isKept();
  };

  // Where a reader is: the last heading above the middle of the window.
  const stopped = () => {
    if (!document.body.matches(".lesson") || scrollY === 0) return;
    const above = [...document.querySelectorAll("article h2[id]")].filter((heading) => heading.getBoundingClientRect().top < innerHeight / 2);
    progress.stop(location.pathname.split("/").pop() + (above.length ? `#${above.at(-1).id}` : ""));
  };

  const buttons = () => {
    const page = document.querySelector(".told");
    if (!page) return;
    const said = page.querySelector("output");
    page.querySelector("[name=export]").addEventListener("click", () => {
      const address = URL.createObjectURL(new Blob([progress.exported()], { type: "application/json" }));
      make("a", { href: address, download: "hedge-lab-progress.json" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
      said.textContent = "Saved as hedge-lab-progress.json, where your browser puts downloads.";
    });
    page.querySelector("[name=import]").addEventListener("change", async ({ target }) => {
      const added = target.files.length ? progress.imported(await target.files[0].text()) : 0;
      said.textContent =
        added === null ? "This is not a progress file: it has to be one that was exported here or kept by a notebook." : `Added: ${added} answers.`;
      target.value = "";
    });
    const [erase, sure] = page.querySelectorAll("[name=erase], [name=sure]");
    erase.addEventListener("click", () => {
      sure.hidden = !sure.hidden;
      said.textContent = sure.hidden ? "" : "This cannot be undone. Export first, if you want to keep it.";
    });
    sure.addEventListener("click", () => {
      sure.hidden = true;
      progress.erase();
      said.textContent = "Erased.";
      erase.focus();
    });
  };

  const show = () => (tick(), tell());
  document.addEventListener("progress", show);
  addEventListener("storage", show); // another window of the course
  addEventListener("pagehide", stopped);
  show();
  resume();
  buttons();
}
