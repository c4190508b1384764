// What a page does for a reader: Python folded or shown as was chosen last, the meaning of a term where it stands,
// and the list of lessons under the header of a small screen.
{
  const chosen = {
    read: () => { try { return localStorage.getItem("hedge-lab-python") === "shown"; } catch { return false; } },
    keep: (shown) => { try { localStorage.setItem("hedge-lab-python", shown ? "shown" : "folded"); } catch { /* forbidden: this page only */ } },
  };
  const folds = [...document.querySelectorAll("details.python")];
  const button = document.querySelector(".show-python");
  const show = (shown) => {
    for (const fold of folds) fold.open = shown;
    button.setAttribute("aria-pressed", shown);
  };
  if (folds.length && button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      show(shown);
      chosen.keep(shown);
    });
    if (chosen.read()) show(true);
  }
}

{
  const note = Object.assign(document.createElement("span"), { id: "meaning", className: "meaning", hidden: true });
  note.setAttribute("role", "tooltip");
  let term;

  const close = () => {
    note.hidden = true;
    term?.removeAttribute("aria-describedby");
    term = undefined;
  };
  const open = (link) => {
    if (link === term) return;
    close();
    term = link;
    note.textContent = link.dataset.meaning;
    document.body.append(note);
    link.setAttribute("aria-describedby", note.id);
    note.hidden = false;
    const [box, own] = [link.getBoundingClientRect(), note.getBoundingClientRect()];
    const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - own.width - 8));
    const above = box.top - own.height - 6;
    note.style.left = `${left + scrollX}px`;
    note.style.top = `${(above > 60 ? above : box.bottom + 6) + scrollY}px`;
  };
  const meant = (event) => event.target.closest?.("a.term");

  document.addEventListener("pointerover", (event) => event.pointerType === "mouse" && (meant(event) ? open(meant(event)) : close()));
  document.addEventListener("focusin", (event) => (meant(event) ? open(meant(event)) : close()));
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  // The first tap of a finger explains, the second goes to the glossary.
  let touched;
  document.addEventListener("pointerdown", (event) => (touched = event.pointerType === "touch" && meant(event) !== term));
  document.addEventListener("click", (event) => {
    const link = meant(event);
    if (!link) return close();
    if (touched) {
      event.preventDefault();
      term = undefined;
      open(link);
    }
  });
}

{
  const link = document.querySelector(".to-course");
  const course = document.querySelector(".frame .course");
  if (course) {
    const small = matchMedia("(max-width: 68rem)");
    const turn = (open) => {
      course.classList.toggle("over", open);
      link.setAttribute("aria-expanded", open);
    };
    link.setAttribute("role", "button");
    turn(false);
    link.addEventListener("click", (event) => {
      if (!small.matches) return;
      event.preventDefault();
      turn(!course.classList.contains("over"));
      if (course.classList.contains("over")) course.querySelector("[aria-current]").focus();
    });
    link.addEventListener("keydown", (event) => event.key === " " && (event.preventDefault(), link.click()));
    course.addEventListener("click", (event) => event.target.closest("a") && turn(false));
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !course.classList.contains("over")) return;
      turn(false);
      link.focus();
    });
    small.addEventListener("change", () => turn(false));
  }
}
