"""Live pages: Python itself, as files that a page opened from disk can load, without a server or a network.

`files.toml` names every file of Pyodide that is shipped, with its size, digest and licence; `pack` finds them,
checks them and writes them as scripts; `lock` makes `files.toml` from Pyodide's own lock.
"""
