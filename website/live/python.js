// Python for a page that may have been opened from disk: no server, no network. Every file is a script that leaves its
// content in window.PYTHON; a worker made from them runs Python. `Python.call(module, name, ...values)` starts it at the
// first call and promises what a function returns; `Python.stop()` ends it, whatever it does; `Python.told` hears how far it is.
window.PYTHON = {};
window.Python = (() => {
  const folder = new URL(".", document.currentScript.src);
  let started, worker, told;
  let waiting = new Map();
  let count = 0;

  const script = (name) =>
    new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement("script"), { src: new URL(encodeURIComponent(name), folder) });
      element.onload = () => resolve(element.remove());
      element.onerror = () => reject(new Error(`${name} is missing beside this page: copy the whole folder, python/ included.`));
      document.head.append(element);
    });

  // The text is forgotten as it is taken: it is larger than what it holds.
  const take = async (name) => {
    await script(`${name}.js`);
    const text = window.PYTHON[name];
    delete window.PYTHON[name];
    return text;
  };

  const heard = ({ data }) => {
    if (data.stage) return told?.(data.stage);
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if ("failed" in data) reject(new Error(data.failed));
    else resolve(data.result);
  };

  const start = async () => {
    told?.("Reading Python …");
    await script("list.js");
    const { scripts, ...order } = window.PYTHON.files;
    const [, ...parts] = await Promise.all([script("worker.js"), ...scripts.map(take)]);
    const sources = parts.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    const address = URL.createObjectURL(new Blob([...sources.flatMap((source) => [source, "\n"]), window.PYTHON.worker], { type: "text/javascript" }));
    const made = (worker = new Worker(address));
    made.onmessage = heard;
    made.onerror = (event) => waiting.forEach(({ reject }) => reject(new Error(event.message)));
    const hand = (names) => Promise.all(names.map(async (name) => made.postMessage({ step: "file", name, text: await take(name) })));
    await hand(order.core);
    told?.("Starting Python …");
    made.postMessage({ step: "core", folder: folder.href });
    await hand([...Object.values(order.packages), order.library, ...order.modules]);
    made.postMessage({ step: "packages", order });
  };

  return {
    folder,
    script,
    set told(hear) {
      told = hear;
    },
    get running() {
      return Boolean(started);
    },
    async call(module, name, ...values) {
      await (started ??= start());
      return new Promise((resolve, reject) => {
        waiting.set(++count, { resolve, reject });
        worker.postMessage({ step: "call", id: count, module, name, values });
      });
    },
    stop() {
      worker?.terminate();
      const ended = waiting;
      [started, worker, waiting] = [undefined, undefined, new Map()];
      ended.forEach(({ reject }) => reject(new Error("stopped")));
    },
  };
})();
