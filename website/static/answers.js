// Exercises and predictions that answer in the page: what was typed is judged, said, and kept in this browser.
{
  const { judge, tally, progress } = hedgeLab;

  for (const form of document.querySelectorAll("form.exercise")) {
    const exercise = JSON.parse(form.querySelector("script").textContent);
    const { exercise: name, total } = form.dataset;
    const lesson = name.slice(0, 2);
    const output = form.querySelector("output");
    const typed = () => new FormData(form).get("answer") ?? "";

    const say = ({ outcome, text }) => {
      const done = new Set(progress.done(`${lesson}-`).keys()).add(name).size;
      output.textContent = outcome === "right" ? `${text} ${tally(lesson, done, total)}` : text;
      form.dataset.outcome = outcome;
    };

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = typed();
      const attempt = progress.attempt(name, answer);
      const verdict = judge(exercise, answer, attempt);
      if (answer) progress.record(name, answer, verdict.outcome, verdict.mistake, attempt);
      say(verdict);
    });

    // What was answered last stands there again; not what a notebook kept and a page cannot read, such as an array.
    const last = progress.attempts().findLast((each) => each.exercise === name);
    const again = last && judge(exercise, last.answer, last.try);
    if (again?.outcome === last?.verdict && last) {
      form.elements.answer.value = last.answer; // of a field, or of the round button to press
      say(again);
    }
  }

  for (const form of document.querySelectorAll("form.vote")) {
    const { vote: lesson } = form.dataset;
    const output = form.querySelector("output");
    const choices = [...form.querySelectorAll("input")];
    const fold = form.closest(".jp-Cell").querySelector("details summary");
    const summary = document.getElementById("summary");

    const lock = () => {
      const option = progress.votes()[lesson];
      const choice = choices[option - 1];
      if (!choice) return;
      choice.checked = true;
      for (const each of form.querySelectorAll("input, button")) each.disabled = true;
      output.textContent = `You said ${option}. It is kept for the end of the lesson.`;
      const said = `Your prediction: you said${choice.closest("label").textContent.trimEnd().replace(/[,;?]$/, ".")}`;
      for (const place of [fold, summary])
        place?.after(Object.assign(document.createElement("p"), { className: "said", textContent: said }));
    };

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const option = new FormData(form).get("answer");
      if (!option) return (output.textContent = "Choose one first.");
      progress.vote(lesson, +option);
      lock();
    });
    lock();
  }
}
