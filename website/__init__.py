"""Turns the notebooks into a static website, slides and handouts: ``python -m website`` (``make site``).

The way of a lesson: `build` runs its notebook in a kernel where `page` shows every explorer as its SVG twin,
made by `merge`; `lessons` turns the executed notebook into a page and slides; `proof` checks what was built;
`handout` prints it. Nothing in `hedgelib` knows of this package.
"""
