// Starts Python in a page that was opened from disk: every file is a script that puts its bytes under its name in
// window.PYTHON. `startPython(later, tell)` gives the running Pyodide; `later` loads scipy too, `tell` hears how far it is.
(() => {
  const folder = new URL(".", document.currentScript.src);

  const script = (name) =>
    new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement("script"), { src: new URL(name, folder), onload: resolve });
      element.onerror = () => reject(new Error(`${name} is missing beside this page: copy the whole folder, python/ included.`));
      document.head.append(element);
    });

  // Unpacked once, so that the text can be forgotten: it takes more room than what it holds.
  const bytes = (name) => {
    const text = atob(window.PYTHON[name]);
    delete window.PYTHON[name];
    const array = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place++) array[place] = text.charCodeAt(place);
    return array;
  };

  const TYPES = { wasm: "application/wasm", json: "application/json" };

  const start = async (tell) => {
    await script("list.js");
    const files = window.PYTHON_FILES;
    tell("Reading Python …");
    await Promise.all([...files.core.map((name) => script(`${name}.js`)), script("pyodide.js"), script("pyodide.asm.js")]);
    // Pyodide fetches its files; a page from disk may not, and they are here already.
    const fetched = window.fetch;
    window.fetch = async (wanted, options) => {
      const name = decodeURIComponent(String(wanted.url ?? wanted).split("/").pop());
      if (!(name in window.PYTHON)) return fetched(wanted, options);
      return new Response(bytes(name), { headers: { "Content-Type": TYPES[name.split(".").pop()] ?? "application/octet-stream" } });
    };
    tell("Starting Python …");
    const pyodide = await window.loadPyodide({ indexURL: folder.href, env: { HOME: "/home/pyodide", MPLCONFIGDIR: "/tmp" } });
    tell("Unpacking numpy, pandas and matplotlib …");
    await load(pyodide, files.packages);
    await script(`${files.library}.js`);
    pyodide.unpackArchive(bytes(files.library), "wheel");
    return pyodide;
  };

  const load = async (pyodide, packages) => {
    await Promise.all(Object.values(packages).map((name) => script(`${name}.js`)));
    await pyodide.loadPackage(Object.keys(packages), { messageCallback: () => {} });
  };

  let started, added;
  window.startPython = async (later = false, tell = () => {}) => {
    started ??= start(tell);
    const pyodide = await started;
    if (later) await (added ??= (tell("Unpacking scipy …"), load(pyodide, window.PYTHON_FILES.later)));
    return pyodide;
  };
})();
