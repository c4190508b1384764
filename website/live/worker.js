// The worker in which Python runs: a cell that runs away blocks no page, and the page may end it at any time.
// It may not load anything from disk itself. The page hands it every file as text, then asks for functions by name.
const files = {}; // bytes by name
const TYPES = { wasm: "application/wasm", json: "application/json" };
let python, ready;

const bytes = (text) => Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Pyodide fetches its files, and here they are; nothing else is fetched.
self.fetch = async (wanted) => {
  const name = decodeURIComponent(String(wanted.url ?? wanted).split("/").pop());
  if (!(name in files)) throw new TypeError(`${name} is not part of this page, and nothing is loaded from elsewhere`);
  const body = files[name];
  delete files[name];
  return new Response(body, { headers: { "Content-Type": TYPES[name.split(".").pop()] ?? "application/octet-stream" } });
};

const prepare = async ({ packages, library, modules }) => {
  const pyodide = await python;
  postMessage({ stage: "Unpacking numpy, pandas, matplotlib and scipy …" });
  await pyodide.loadPackage(Object.keys(packages), { messageCallback: () => {} });
  pyodide.unpackArchive(files[library], "wheel");
  for (const name of modules) pyodide.FS.writeFile(`/lib/python3.12/site-packages/${name}`, files[name]);
  for (const name of [library, ...modules]) delete files[name];
  postMessage({ stage: "Importing …" });
  return pyodide;
};

const steps = {
  file: ({ name, text }) => void (files[name] = bytes(text)),
  core: ({ folder }) => void (python = self.loadPyodide({ indexURL: folder, env: { HOME: "/home/pyodide", MPLCONFIGDIR: "/tmp" } })),
  packages: ({ order }) => void (ready = prepare(order)),
  call: async ({ id, module, name, values }) => {
    try {
      const pyodide = await ready;
      postMessage({ id, result: JSON.parse(pyodide.pyimport(module)[name](...values)) });
    } catch (error) {
      postMessage({ id, failed: String(error.message ?? error) });
    }
  },
};
onmessage = ({ data }) => steps[data.step](data);
