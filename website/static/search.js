// Search over the glossary, titles and text, by MiniSearch. Library and index are scripts, loaded at the first use, so
// that they work from disk. Words are compared by their stems, beginnings, and with a slip of the finger.
{
  const input = document.getElementById("search");
  const panel = document.getElementById("found");
  const [count, list] = panel.children;
  const IDLE = new Set("a an and are as at be by can do does for how i if in is it me my of on or should the to versus vs what when where which who why with you your".split(" "));
  const SAME = { rebalance: "rebalanc", rebalancing: "rebalanc", size: "ratio", much: "ratio", beta: "beta", "β": "beta", call: "liquid", die: "liquid", dies: "liquid", killed: "liquid", insurance: "put" };
  const ENDINGS = /(?:ations?|ated|ates|ating|ing|ed|es|s|e)$/;

  const stem = (word) => {
    const plain = word.toLowerCase();
    if (IDLE.has(plain)) return null;
    return SAME[plain] ?? (plain.length > 4 ? plain.replace(ENDINGS, "") : plain);
  };

  const script = (name) =>
    new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement("script"), { src: `assets/${name}.js` });
      element.addEventListener("load", resolve);
      element.addEventListener("error", reject);
      document.head.append(element);
    });

  let ready;
  const load = () =>
    (ready ??= Promise.all([script("minisearch"), script("search-index")]).then(() => {
      const search = new MiniSearch({
        fields: ["section", "lesson", "text"],
        storeFields: ["url", "lesson", "section", "text", "kind"],
        processTerm: stem,
        searchOptions: {
          prefix: (term) => term.length > 2,
          fuzzy: (term) => (term.length > 4 ? 0.25 : 0),
          boost: { section: 6, lesson: 2 },
          boostDocument: (id, term, stored) => (stored.kind === "term" ? 4 : 1),
        },
      });
      search.addAll(window.SEARCH_INDEX.map((entry, id) => ({ id, ...entry })));
      return search;
    }));

  const look = (search, text) => {
    const all = search.search(text, { combineWith: "AND" });
    return all.length ? all : search.search(text);
  };

  const excerpt = (text, words) => {
    const places = words.map((word) => text.toLowerCase().search(new RegExp(`(?<![\\p{L}])${word.replace(/[^\p{L}\p{N}]/gu, ".")}`, "u")));
    const at = Math.max(Math.min(...places.filter((place) => place >= 0)), 0);
    if (!Number.isFinite(at)) return [text.slice(0, 140), text.length > 140 ? "…" : ""];
    const word = text.slice(at).match(/^[\p{L}\p{N}]+/u)?.[0] ?? "";
    const start = at > 50 ? text.indexOf(" ", at - 50) + 1 : 0; // whole words
    const end = text.length > at + 90 ? Math.max(text.lastIndexOf(" ", at + 90), at + word.length) : text.length;
    const mark = Object.assign(document.createElement("mark"), { textContent: word });
    return [start ? "…" : "", text.slice(start, at), mark, text.slice(at + word.length, end), end < text.length ? "…" : ""];
  };

  const item = (entry) => {
    const link = document.createElement("a");
    const [title, passage] = [document.createElement("strong"), document.createElement("span")];
    link.href = entry.url;
    title.textContent = entry.kind === "term" ? entry.section : entry.section ? `${entry.section} (${entry.lesson})` : entry.lesson;
    passage.append(...(entry.kind === "term" ? [entry.text] : excerpt(entry.text, entry.terms)));
    link.append(title, passage);
    const row = document.createElement("li");
    row.append(link);
    return row;
  };

  const close = () => (panel.hidden = true);

  input.addEventListener("input", async () => {
    const asked = input.value.trim();
    if (!asked) return close();
    const found = look(await load(), asked);
    if (asked !== input.value.trim()) return; // typed on while the index came
    count.textContent = found.length === 1 ? "1 passage" : `${found.length || "No"} passages`;
    list.replaceChildren(...found.slice(0, 8).map(item));
    panel.hidden = false;
  });
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  input.form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    if (!step || panel.hidden || !links.length) return;
    event.preventDefault();
    const place = links.indexOf(document.activeElement) + step;
    (links[place] ?? (place < 0 ? input : links.at(-1))).focus();
  });
  list.addEventListener("click", close);
  input.form.addEventListener("focusout", (event) => event.currentTarget.contains(event.relatedTarget) || close());
  input.form.addEventListener("focusin", () => input.value.trim() && list.children.length && (panel.hidden = false));
}
