// What hedgelib/arithmetic.py reads and hedgelib/exercise.py says, in a page: the same numbers, the same sentences, the
// same stages. Nothing that is typed is ever run. The tests compare the two answer by answer.
window.hedgeLab ??= {};
{
  const LONGEST = 200;
  const EXAMPLE = "type a number or arithmetic, such as -(0.0005 * 60_000 + 25)";
  const NOT_FINITE = "The answer is a finite number, and this is not: was something divided by 0?";
  const COMMA = "Write decimals with a point, 0.5 and not 0,5; a comma parts thousands, as in 10,000, or the numbers of a list.";
  const UNITS = { usdt: "USDT", usd: "USDT", $: "USDT", btc: "BTC", eth: "ETH", x: "x", day: "days", days: "days" };
  const COUNTED = new Set(Object.values(UNITS));
  const BASIS_POINT = 1e-4;
  const SIGNS = { "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "√": "sqrt", "**": "^" };
  const TOKEN =
    /(?<number>(?:(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])|[1-9][0-9]{0,2}(?: [0-9]{3})+(?![0-9])|[0-9][0-9_]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?<word>[A-Za-z]+|\$)|(?<sign>[^ ])/gu;
  const BINARY = { "+": 1, "-": 1, "*": 2, "/": 2, "^": 4 }; // how closely each binds; a sign before a number binds as 3
  const SIGNED = 3;
  const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);
  const strip = (text) => text.replace(/^ +| +$/g, "");
  const spaced = (text) => text.replace(/[ \t\n\r\u00a0\u2009\u202f]+/g, " ");

  class Unreadable extends Error {}

  const finite = (value) => {
    if (!Number.isFinite(value)) throw new Unreadable(NOT_FINITE);
    return value;
  };
  const computed = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "^": (a, b) => a ** b };

  const numbers = (typed, unit, several) => {
    if ([...typed].length > LONGEST) throw new Unreadable(`That is too long for an answer: at most ${LONGEST} characters.`);
    let text = strip(spaced(typed.replace(/\*\*|[−–×·÷√]/g, (sign) => SIGNS[sign])));
    if (!text) throw new Unreadable(`Nothing is there yet: ${EXAMPLE}.`);
    if (unit && text.toLowerCase().endsWith(` ${unit.toLowerCase()}`)) text = text.slice(0, -unit.length);
    if (several && text.startsWith("[") && text.endsWith("]")) text = text.slice(1, -1);

    const tokens = [...text.matchAll(TOKEN)].map(({ groups, index, 0: token }) => ({
      kind: Object.keys(groups).find((kind) => groups[kind] !== undefined),
      token,
      index,
    }));
    tokens.push({ kind: "end", token: "", index: text.length });
    let place = 0;
    const takes = (kind, token) => tokens[place].kind === kind && tokens[place].token === token && (place += 1) > 0;
    const refuse = () => {
      const rest = text.slice(tokens[place].index);
      throw new Unreadable(rest ? `“${rest}” cannot be read: ${EXAMPLE}.` : `Something is missing at the end: ${EXAMPLE}.`);
    };

    const measured = () => {
      const { kind, token } = tokens[place];
      const name = token.toLowerCase();
      if (kind !== "word" || (name !== "bp" && own(UNITS, name) === undefined)) return 1;
      place += 1;
      if (name === "bp" && !COUNTED.has(unit)) return BASIS_POINT;
      if (own(UNITS, name) !== unit)
        throw new Unreadable(
          `This asks for ${COUNTED.has(unit) ? unit : "a number without a unit"}, and your answer is in ${own(UNITS, name) ?? name}.`,
        );
      return 1;
    };
    const operand = () => {
      const { kind, token } = tokens[place];
      if (takes("sign", "-")) return -sum(SIGNED);
      if (takes("sign", "+")) return sum(SIGNED);
      let value;
      if (kind === "word" && token.toLowerCase() === "sqrt") {
        place += 1;
        value = Math.sqrt(operand());
      } else if (kind === "number") {
        place += 1;
        value = Number(token.replace(/[_, ]/g, ""));
      } else if (takes("sign", "(")) {
        value = sum(0);
        if (!takes("sign", ")")) {
          if (tokens[place].kind === "end") throw new Unreadable("A bracket is not closed.");
          refuse();
        }
      } else refuse();
      if (takes("sign", "%")) value /= 100;
      return finite(value);
    };
    const binds = () => (tokens[place].kind === "sign" ? own(BINARY, tokens[place].token) ?? 0 : 0);
    const sum = (least) => {
      let value = operand();
      while (binds() > least) {
        const sign = tokens[place].token;
        place += 1;
        value = finite(computed[sign](value, sum(BINARY[sign] - (sign === "^"))));
      }
      return value;
    };
    const item = () => {
      const before = measured();
      const value = sum(0);
      return value * before * measured();
    };

    const found = [item()];
    while (takes("sign", ",") || takes("sign", ";")) {
      if (!several && tokens[place - 1].token === ",") throw new Unreadable(COMMA);
      found.push(item());
    }
    if (tokens[place].kind !== "end") refuse();
    return found;
  };

  const CLOSE = 0.01;
  const FACTORS = [
    [0.01, "percent", "a percentage where a fraction"],
    [100, "fraction", "a fraction where a percentage"],
  ];
  const listed = (value) => (Array.isArray(value) ? value : [value]);
  const word = (text) => spaced(text.toLowerCase()).replace(/^[ .()'"]+|[ .()'"]+$/g, "");
  const isClose = (one, other, relative, absolute) =>
    one === other || Math.abs(one - other) <= Math.max(relative * Math.abs(one), relative * Math.abs(other), absolute);

  const fits = (exercise, given, wanted, tolerance = Infinity) => {
    if (typeof wanted === "string") return given === word(wanted);
    const relative = exercise.relative_tolerance || (exercise.tolerance === undefined ? 0.001 : 0);
    return isClose(given, wanted, relative, Math.min(exercise.tolerance || 1e-12, tolerance));
  };
  const fitsAll = (exercise, given, wanted) =>
    given.length === listed(wanted).length && listed(wanted).every((one, place) => fits(exercise, given[place], one));
  const isMistake = (exercise, given, made) =>
    given.length === made.length &&
    made.every((one, place) => fits(exercise, given[place], one, typeof one === "string" ? 0 : 0.01 * Math.abs(one)));

  const letters = (exercise) => {
    const offered = [exercise.answer, ...exercise.wrong.map(({ value }) => value)];
    return offered.every((each) => typeof each === "string" && each.length === 1) ? offered.sort() : [];
  };

  const read = (exercise, typed) => {
    const several = Array.isArray(exercise.answer);
    if (typeof exercise.answer === "string") {
      const offered = letters(exercise);
      if (offered.length && !offered.includes(word(typed))) throw new Unreadable(`This asks for one of the letters ${offered.join(", ")}.`);
      return [word(typed)];
    }
    const given = numbers(typed, exercise.unit, several);
    if (given.length !== listed(exercise.answer).length) {
      const asked = several ? `${exercise.answer.length} numbers in a list` : "one number";
      throw new Unreadable(`This asks for ${asked}, and there are ${given.length}.`);
    }
    given.forEach(finite);
    return given;
  };

  // A tie, such as 2.00625 to four decimals, goes to the even digit in Python and up in toFixed.
  const rounded = (size, decimals) => {
    const exact = size.toFixed(100);
    const cut = exact.indexOf(".") + 1 + decimals;
    return /^50*$/.test(exact.slice(cut)) && +exact[cut - 1] % 2 === 0 ? exact.slice(0, cut) : size.toFixed(decimals);
  };
  const bare = (text) => text.replace(/(\.[0-9]*?)0+$/, "$1").replace(/\.$/, "");
  const grouped = (text) => text.replace(/^[0-9]+/, (whole) => whole.replace(/\B(?=(?:[0-9]{3})+$)/g, ","));
  const written = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    let text;
    if (size >= 1e21) text = grouped(BigInt(size).toString());
    else if (size >= 1) text = grouped(bare(rounded(size, size >= 1000 ? 2 : 4)));
    else {
      const [digits, power] = size.toExponential(5).split("e");
      if (power < -4) text = `${bare(digits)}e-${power.slice(1).padStart(2, "0")}`;
      else text = bare(rounded(size, 5 - power));
    }
    return value < 0 ? `−${text}` : text;
  };

  const diagnosis = (exercise, given) => {
    const known = exercise.wrong.findIndex(({ value }) => isMistake(exercise, given, listed(value)));
    if (known >= 0) return [String(known + 1), exercise.wrong[known].why];
    if (typeof exercise.answer === "string") return [null, "That is not the word."];
    const wanted = listed(exercise.answer);
    const ordered = (list) => [...list].sort((one, other) => one - other);
    if (fitsAll(exercise, ordered(given), ordered(wanted))) return ["order", "These are the right numbers, in another order than the question's."];
    const place = given.findIndex((value, index) => !fits(exercise, value, wanted[index]));
    const [value, right] = [given[place], wanted[place]];
    let number = written(value);
    let shown = COUNTED.has(exercise.unit) ? `${number} ${exercise.unit}` : number;
    if (wanted.length > 1) [number, shown] = [`Number ${place + 1}, ${number},`, `Number ${place + 1}, ${shown},`];
    if (fits(exercise, -value, right)) return ["sign", `${shown} has the right size and the wrong sign.`];
    for (const [factor, mistake, why] of FACTORS)
      if (fits(exercise, value * factor, right))
        return [mistake, `${number} is ${1 / factor} times what is asked: did you give ${why} is asked for?`];
    if (isClose(value, right, CLOSE, 0)) return ["close", `${shown} is close: was something rounded on the way, or a small part left out?`];
    return [null, `${shown} is too ${value > right ? "high" : "low"}.`];
  };

  const help = (exercise, attempt) => {
    const steps = [exercise.pointer, exercise.hint].filter(Boolean);
    if (attempt === 1) return "";
    const told = ` Hint: ${steps[Math.min(attempt - 2, steps.length - 1)]}`;
    return attempt < 2 + steps.length ? told : `${told} The whole way is folded below.`;
  };

  // The verdict on what was typed, as the try that it is.
  hedgeLab.judge = (exercise, typed, attempt) => {
    let given;
    try {
      given = read(exercise, typed);
    } catch (problem) {
      if (!(problem instanceof Unreadable)) throw problem;
      return { outcome: "unread", mistake: null, text: `✗ ${problem.message}` };
    }
    if (fitsAll(exercise, given, exercise.answer)) return { outcome: "right", mistake: null, text: `✓ Right. ${exercise.right}` };
    const [mistake, why] = diagnosis(exercise, given);
    return { outcome: "wrong", mistake, text: `✗ Not yet. ${why}${help(exercise, attempt)}` };
  };
  hedgeLab.tally = (lesson, done, total) => `Done in lesson ${lesson}: ${done} of ${total}.`;
}
