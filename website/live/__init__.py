"""Live pages: Python itself as files that a page opened from disk can load, without a server or network.

`files.toml` names every file of Pyodide that is shipped, with its size, digest and licence; `lock` makes it
from Pyodide's own lock, `pack` checks the files and writes them as scripts, `join` adds them to a built site.
In a page `python.js` starts `worker.js`, where `session` runs cells and `planning` answers the planner.
"""
