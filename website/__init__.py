"""Turns the notebooks into a static website, slides and handouts: ``python -m website`` (``make site``).

The way of a lesson: `build` runs its notebook in a kernel where `twin` shows every explorer without a kernel,
all states as one SVG, made by `merge`; `pages` turns the executed notebook into a page and slides; `proof`
checks what was built; `handout` prints it. Nothing in `hedgelib` knows of this package.
"""
