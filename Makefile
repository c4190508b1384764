# Hedge Lab. `make lab` opens the notebooks, `make test` proves them; both set up what they need.

PYTHON ?= python3
PYTHON312 ?= python3.12
BIN := .venv/bin
OLDEST := .cache/oldest
READY := .venv/.ready
SIDE_BY_SIDE := --numprocesses=auto --no-loadscope-reorder

export JUPYTER_PREFER_ENV_PATH := 1

.PHONY: help lab fresh follow test test-oldest test-live lint style notebooks scripts site slides live pdf marks class release hub-test bench lock clean
.DEFAULT_GOAL := help

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: $(READY) ## set up, then open JupyterLab on the first notebook
	cd notebooks && ../$(BIN)/jupyter lab --ip=127.0.0.1 --LabApp.extension_manager=readonly \
		--LabApp.default_url=/lab/tree/00_start_here.ipynb

test: style ## set up, then run every check and test
	$(BIN)/python -m pytest --quiet $(SIDE_BY_SIDE) --dist=loadgroup

# What needs a browser, the site or the lock is tested with the locked versions alone. The old ones are found to use
# what newer neighbours deprecate: their warnings are no errors.
NOT_WITH_OLDEST := collection environment jupyterlab live notebooks setup site_barriers site_browser \
	stored twin website

test-oldest: $(OLDEST)/.ready ## test the library with the oldest versions it runs with, on Python 3.12
	$(OLDEST)/bin/python -m pytest --quiet $(SIDE_BY_SIDE) --dist=loadgroup --override-ini=filterwarnings=default \
		$(NOT_WITH_OLDEST:%=--ignore=tests/test_%.py) --ignore=hedgelib/environment.py

test-live: live ## test the live site in Chromium and Firefox (Debian: apt install chromium firefox-esr)
	$(BIN)/python -m pytest --quiet --capture=no tests/live/live_pages.py

style: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell

lint: style ## check style, and that the prose of the notebooks says what they compute
	$(BIN)/python -m tools.notebooks --check

notebooks: $(READY) ## run every notebook again and store it in its normal form
	$(BIN)/python -m tools.notebooks

fresh: $(READY) ## bring a lesson back as it came (LESSON=02); your own copy is kept
	$(BIN)/python -m tools.fresh "$(LESSON)"

follow: $(READY) ## let the sentences of a lesson follow your numbers (LESSON=02)
	$(BIN)/python -m tools.notebooks --bind-only notebooks/$(LESSON)_*.ipynb

scripts: $(READY) ## write every lesson as a plain Python file into _scripts/, for editors that take no notebooks
	$(BIN)/python -m tools.scripts

site: $(READY) ## build the static website, slides included, into _site/
	$(BIN)/python -m website $(if $(ADDRESS),--address $(ADDRESS))

slides: site ## the same build; the slides are in _site/slides/

live: site ## the same site, and every cell of it can be edited and run; downloads 77 MB once
	$(BIN)/python -m website.live $(if $(PYODIDE),--pyodide "$(PYODIDE)")

pdf: site ## print every lesson to a PDF handout in _pdf/ (needs Chromium)
	$(BIN)/python -m website --pdf

marks: $(READY) ## what a class handed in, in FOLDER=..., as marks.csv and marks.html beside it
	$(BIN)/python -m tools.marks "$(FOLDER)" $(if $(VARIANTS),--variants)

class: $(READY) ## write the editions of a class into _class/; NAMES=file: numbers of their own for each student
	$(BIN)/python -m tools.classpack $(if $(NAMES),--names "$(NAMES)")

release: site pdf class ## site, editions and handouts as files of one version, with their sums, in _release/
	$(BIN)/python -m tools.release

hub-test: .cache/hub/.ready ## ten simulated students on a hub of this machine (needs npm)
	.cache/hub/bin/python hub/simulated_class.py --proxy .cache/hub/node_modules/.bin/configurable-http-proxy

bench: $(READY) ## run the benchmarks
	status=0; for script in benchmarks/*.py; do $(BIN)/python $$script || status=1; done; exit $$status

lock: ## choose new exact versions (maintainers; needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-annotate --no-header --extra histories --extra lab --extra site --extra test \
		pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --resolution lowest-direct --generate-hashes \
		--no-annotate --no-header --extra histories pyproject.toml requirements-oldest.in -o requirements-oldest.lock

clean: ## remove everything that make has made
	rm -rf .venv .cache _site _pdf _scripts _class _release

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Hedge Lab needs Python 3.11 or newer; this is " + sys.version.split()[0] \
		+ ". Name a newer one: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@echo "Setting up .venv/ once: 250 MB to download, 1.2 GB on disk, one to three minutes without a word."
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

$(OLDEST)/.ready: requirements-oldest.lock pyproject.toml
	@command -v $(PYTHON312) >/dev/null || { echo "The oldest versions need Python 3.12, and there is no $(PYTHON312)." \
		"Install it, or name one: make PYTHON312=/path/to/python3.12 test-oldest"; exit 1; }
	$(PYTHON312) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: --require-hashes \
		-r requirements-oldest.lock
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.cache/hub/.ready: requirements.lock hub/requirements.txt
	$(PYTHON) -m venv --clear .cache/hub
	.cache/hub/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.cache/hub/bin/python -m pip install --quiet --disable-pip-version-check -r hub/requirements.txt
	npm install --silent --prefix .cache/hub configurable-http-proxy@5.3.0
	@touch $@
