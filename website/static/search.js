// Search over titles and text. The index is a script, loaded at the first use, so that it works from disk.
{
  const input = document.getElementById("search");
  const panel = document.getElementById("found");
  const [count, list] = panel.children;
  let index;

  const load = () =>
    (index ??= new Promise((resolve) => {
      const script = Object.assign(document.createElement("script"), { src: "assets/search-index.js" });
      script.addEventListener("load", () => resolve(window.SEARCH_INDEX));
      document.head.append(script);
    }));

  const score = (entry, words) => {
    const [title, text] = [`${entry.lesson} ${entry.section}`.toLowerCase(), entry.text.toLowerCase()];
    if (!words.every((word) => title.includes(word) || text.includes(word))) return 0;
    return words.reduce((sum, word) => sum + (title.includes(word) ? 10 : 0) + text.split(word).length - 1, 0);
  };

  const excerpt = (text, word) => {
    const at = Math.max(text.toLowerCase().indexOf(word), 0);
    const start = at > 50 ? text.indexOf(" ", at - 50) + 1 : 0; // whole words
    const end = text.length > at + 90 ? Math.max(text.lastIndexOf(" ", at + 90), at + word.length) : text.length;
    const mark = Object.assign(document.createElement("mark"), { textContent: text.slice(at, at + word.length) });
    const found = text.toLowerCase().includes(word);
    return [start ? "…" : "", text.slice(start, at), found ? mark : "", text.slice(found ? at + word.length : at, end), end < text.length ? "…" : ""];
  };

  const item = (entry, words) => {
    const link = document.createElement("a");
    const [title, passage] = [document.createElement("strong"), document.createElement("span")];
    link.href = entry.url;
    title.textContent = entry.section ? `${entry.lesson}: ${entry.section}` : entry.lesson;
    passage.append(...excerpt(entry.text, words.find((word) => entry.text.toLowerCase().includes(word)) ?? words[0]));
    link.append(title, passage);
    const row = document.createElement("li");
    row.append(link);
    return row;
  };

  const close = () => (panel.hidden = true);

  input.addEventListener("input", async () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return close();
    const found = (await load())
      .map((entry) => [score(entry, words), entry])
      .filter(([points]) => points)
      .sort(([one], [other]) => other - one);
    count.textContent = found.length === 1 ? "1 passage" : `${found.length || "No"} passages`;
    list.replaceChildren(...found.slice(0, 8).map(([, entry]) => item(entry, words)));
    panel.hidden = false;
  });
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  input.form.addEventListener("keydown", (event) => event.key === "Escape" && close());
  input.form.addEventListener("focusout", (event) => event.currentTarget.contains(event.relatedTarget) || close());
  input.form.addEventListener("focusin", () => input.value.trim() && (panel.hidden = false));
}
