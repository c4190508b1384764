// A slider, told: the sentence and the tones of hedgelib/told.py, word for word, from the texts of a page's states. The
// rules are explained there; a test compares the two for every slider of the course.
const told = (() => {
  const NUMBER = /[0-9]{4}-[0-9]{2}-[0-9]{2}|[+−]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?/g;
  const PLURAL = /^[A-Za-z]*[A-Za-hj-rt-z]s(?![A-Za-z,])/;
  const [SHORT, LONG, MOST_LEGS, MOST_PIECES] = [24, 40, 3, 4];
  const [LOWEST, HIGHEST] = [220, 880];

  const number = (found) => +(found.includes("-") ? found.replaceAll("-", "") : found.replaceAll(",", "").replace("−", "-"));
  const words = (text) => (text ?? "").split(NUMBER);
  const shape = (text) => (text === null ? null : words(text).join("\0"));
  const ending = (name) => (PLURAL.test(name) ? "" : "s");
  const is = (name) => (name.endsWith(" is") ? name : `${name}:`);
  const spoken = (name) => name.replace(/^[A-Z](?=[a-z]*(?![A-Za-z0-9&]))/, (letter) => letter.toLowerCase());
  const listed = (items, last) => [items.slice(0, -1).join(", "), items.at(-1)].filter(Boolean).join(` ${last} `);
  const differing = (rows) => (rows[0] ?? []).flatMap((_, place) => (new Set(rows.map((row) => row[place])).size > 1 ? [place] : []));
  const sorted = (values) =>
    [1, -1].some((way) => values.every((value, place) => !place || way * value >= way * values[place - 1]));

  const varying = (column) => {
    const marks = column.map((text) => (text ?? "").match(NUMBER) ?? []);
    const usual = words(column[Math.max(marks.findIndex((found) => found.length), 0)]);
    const alike = marks.map((found, place) => (found.length && shape(column[place]) === usual.join("\0") ? found : null));
    const places = differing(alike.filter(Boolean));
    const place = places[0] ?? 0;
    if (places.length > 1 || /\p{L}/u.test(usual.slice(0, place + 1).join(""))) return column.map(() => null);
    return alike.map((found) => found && [number(found[place]), found[place]]);
  };

  const merged = (texts) => {
    const numbers = texts.map((text) => text.match(NUMBER) ?? []);
    const places = differing(numbers);
    if (!places.length) return texts[0];
    if (places.length > 1) return null;
    let found = numbers.map((each) => each[places[0]]);
    const values = found.map(number);
    if (!sorted(values)) found = [Math.min(...values), Math.max(...values)].map((value) => found[values.indexOf(value)]);
    const marks = [...numbers[0]];
    marks[places[0]] = `${found[0]} to ${found.at(-1)}`;
    return words(texts[0]).reduce((whole, word, place) => whole + marks[place - 1] + word);
  };

  const columns = (readouts) => {
    const masked = (name) => name.replace(NUMBER, "#");
    const keyed = readouts.map((state) => {
      const masks = state.map(([name]) => masked(name));
      return new Map(
        state.map(([name, text], row) => [masks.filter((mask) => mask === masks[row]).length === 1 ? masks[row] : name, [name, text]]),
      );
    });
    return [...new Set(keyed.flatMap((state) => [...state.keys()]))].map((key) => {
      const names = keyed.flatMap((state) => (state.has(key) ? [state.get(key)[0]] : []));
      return [merged(names) ?? names[0], keyed.map((state) => state.get(key)?.[1] ?? null)];
    });
  };

  const changing = (column) => {
    if (column.includes(null) || Math.max(...column.map((text) => text.length)) <= LONG || new Set(column).size === 1) return column;
    const separator = column.some((text) => text.includes("; ")) ? "; " : " ";
    const rows = column.map((text) => text.split(separator));
    const shortest = Math.min(...rows.map((row) => row.length));
    const same = (place) => new Set(rows.map((row) => row.at(place))).size === 1;
    let [start, end] = [0, 0];
    while (start < shortest && same(start)) start++;
    while (end < shortest - start && same(-1 - end)) end++;
    let cores = rows.map((row) => row.slice(start, row.length - end));
    const bare = (core) => core.length === 1 && core[0].replace(NUMBER, "") === "" && core[0].match(NUMBER)?.length === 1;
    if (end && separator === " " && cores.every(bare)) cores = cores.map((core, row) => [...core, rows[row].at(-end)]);
    return cores.map((core) => core.join(separator).replace(/[,;]+$/, "") || "nothing more");
  };

  const isOrdered = (texts) => {
    const numbers = varying(texts);
    if (numbers.includes(null)) return false;
    const values = numbers.map(([value]) => value);
    return sorted(values) && new Set(values).size === values.length;
  };

  const range = (label, texts, ordered) => {
    if (texts.length === 1) return `${label} at ${texts[0]}, its only value`;
    if (ordered) return `${label} from ${merged([texts[0], texts.at(-1)])}`;
    return texts.length <= MOST_PIECES ? `${label}, ${listed(texts, "or")}` : `${label}, ${texts.length} choices`;
  };

  const legsOf = (values) => {
    const legs = [];
    values.slice(1).forEach((after, place) => {
      if (after === values[place]) return;
      const verb = after > values[place] ? "rise" : "fall";
      if (legs.at(-1)?.[2] === verb) legs.at(-1)[1] = place + 1;
      else legs.push([place, place + 1, verb]);
    });
    return legs;
  };

  const inPieces = (column, at) => {
    const pieces = [];
    column.forEach((text, place) => {
      if (place && shape(text) === shape(column[place - 1])) pieces.at(-1)[1] = place;
      else pieces.push([place, place]);
    });
    const phrase = ([start, end]) => {
      if (column[start] === null) return "not shown";
      return merged(column.slice(start, end + 1)) ?? `first ${column[start]}, in the end ${column[end]},`;
    };
    if (pieces.length === 1) return phrase(pieces[0]).replace(/,+$/, "");
    const all = pieces.map(([start, end]) => {
      let where = `from ${at[start]} ` + (end === column.length - 1 ? "on" : `to ${at[end]}`);
      if (start === end) where = `at ${at[start]}`;
      else if (start === 0) where = `up to ${at[end]}`;
      return `${phrase([start, end])} ${where}`;
    });
    if (all.length > MOST_PIECES) all.splice(2, all.length - 3, `${all.length - 3} more changes`);
    return all.join(", ");
  };

  const along = (name, column, texts) => {
    const at = texts.map((text) => text.replace(/ [A-Za-z]{3,}$/, ""));
    const core = changing(column);
    const numbers = varying(core);
    if (core !== column || numbers.includes(null)) return `${is(name)} ${inPieces(core, at)}`;
    const values = numbers.map(([value]) => value);
    const bare = numbers.map(([, mark]) => mark);
    const [low, high, s, legs] = [Math.min(...values), Math.max(...values), ending(name), legsOf(values)];
    if (legs.length > MOST_LEGS) {
      const [lowest, highest] = [values.indexOf(low), values.indexOf(high)];
      return (
        `${name} swing${s} from ${merged([column[0], column.at(-1)])}, ` +
        `lowest, ${column[lowest]}, at ${at[lowest]}, highest, ${column[highest]}, at ${at[highest]}`
      );
    }
    const parts = legs.map(([start, end, verb], leg) => {
      let begin = `${name} ${verb}${s} from ${bare[0]}`;
      if (leg) begin = `then ${verb}${s}`;
      else if (start) begin = `${name} stay${s} at ${bare[0]} up to ${at[start]}, then ${verb}${s}`;
      let goal = `to ${bare[end]} at ${at[end]}`;
      if (leg === legs.length - 1) goal = `to ${column[end]}` + (end < at.length - 1 ? ` by ${at[end]} and stay${s} there` : "");
      else if (values[end] === low || values[end] === high)
        goal = `to the ${values[end] === low ? "lowest" : "highest"}, ${bare[end]}, at ${at[end]}`;
      return `${begin} ${goal}`;
    });
    return parts.join(", ");
  };

  const among = (name, column, texts) => {
    const shown = changing(column).map((text) => text ?? "not shown");
    const longest = Math.max(...shown.map((text) => text.length));
    if (shown.length <= MOST_PIECES && longest <= LONG)
      return `${is(name)} ${shown.map((text, place) => `${text} at ${texts[place]}`).join(", ")}`;
    const numbers = varying(shown);
    if (!numbers.includes(null)) {
      const values = numbers.map(([value]) => value);
      const [low, high] = [values.indexOf(Math.min(...values)), values.indexOf(Math.max(...values))];
      return `${is(name)} lowest, ${shown[low]}, at ${texts[low]}, highest, ${shown[high]}, at ${texts[high]}`;
    }
    const kinds = shown.map(shape);
    const groups = [...new Set(kinds)].map((kind) => kinds.flatMap((each, place) => (each === kind ? [place] : [])));
    const phrases = groups.map((places) => merged(places.map((place) => shown[place])));
    if (groups.length >= MOST_PIECES || phrases.some((phrase) => phrase === null || phrase.length > LONG)) {
      const count = new Set(shown).size;
      return `${name} differ${ending(name)}` + (count === shown.length ? " each time" : `, ${count} texts in all`);
    }
    const where = (places) =>
      places.length <= MOST_PIECES ? listed(places.map((place) => texts[place]), "and") : `${places.length} of them`;
    return `${is(name)} ${groups.map((places, group) => `${phrases[group]} at ${where(places)}`).join(", ")}`;
  };

  // `readouts` holds for each value of the control a list of [name, text].
  const sentence = (label, texts, readouts) => {
    const ordered = isOrdered(texts);
    const [clauses, unchanged] = [[], []];
    for (const [full, column] of columns(readouts)) {
      const name = spoken(full);
      if (new Set(column).size > 1) clauses.push((ordered ? along : among)(name, column, texts));
      else unchanged.push(column[0].length <= SHORT ? `${name} ${column[0]}` : name);
    }
    if (unchanged.length) clauses.push(`${clauses.length ? "unchanged" : "nothing changes"}: ${unchanged.join(", ")}`);
    return `${range(label, texts, ordered)}: ${clauses.join("; ") || "nothing is read out"}.`;
  };

  const moved = (before, after) => {
    const old = new Map(before);
    const changed = after.filter(([name, text]) => old.get(name) !== text).map((pair) => pair.join(": "));
    return `${changed.join("; ") || "Nothing changes"}.`;
  };

  const tones = (texts) => {
    const column = changing(texts);
    const values = varying(column).map((found) => found && found[0]);
    const known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return values.map((value, place) => {
      const part = high > low ? (value - low) / (high - low) : 0.5;
      const pitch = value === null ? null : Math.round(LOWEST * (HIGHEST / LOWEST) ** part);
      return [pitch, place > 0 && shape(column[place]) !== shape(column[place - 1])];
    });
  };

  const legend = (label, name, column) => {
    const numbers = varying(changing(column)).flatMap((found, place) => (found ? [[found[0], column[place]]] : []));
    const values = numbers.map(([value]) => value);
    const text = (value) => numbers[values.indexOf(value)][1];
    const heard = numbers.length ? [`low is ${text(Math.min(...values))}`, `high is ${text(Math.max(...values))}`] : [];
    if (numbers.length < column.length) heard.push("a hum is no number");
    if (tones(column).some(([, knocks]) => knocks)) heard.push("a knock is a change of words");
    return `${name} over ${column.length} values of ${label}: ${heard.join(", ")}.`;
  };

  return { columns, legend, moved, sentence, tones };
})();
