# Two commands do everything, set-up included, in either order and again at will:
#   make demo     make test
PYTHON ?= python3
VENV ?= .venv
DEMO_ARGS ?=
TEST_ARGS ?=
BIN := $(VENV)/bin
STARTED := $(VENV)/.rftgym-setup-started
READY := $(VENV)/.rftgym-ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint format docs wheel constraints clean

help:
	@echo "make demo         set up if needed, then train Wordle on the CPU (arguments: DEMO_ARGS='--steps 20')"
	@echo "make test         set up if needed, then the quick tests (arguments: TEST_ARGS='-k wordle')"
	@echo "make test-all     the slow tests too"
	@echo "make lint         ruff, mypy --strict, import contracts"
	@echo "make format       let ruff rewrite the layout"
	@echo "make docs         build the documentation into site/"
	@echo "make wheel        build the wheel into dist/"
	@echo "make constraints  write constraints.txt anew from the newest releases"
	@echo "make clean        remove $(VENV) and everything built; runs/ stays"
	@echo "Another Python:   make PYTHON=python3.12 demo"

setup: $(READY)

# READY is written last. A set-up that was cut off has STARTED without READY and is begun again from nothing; a
# virtual environment that somebody made by hand has neither, and pip completes it without anything being removed.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "No '$(PYTHON)' on the PATH. Name a Python of 3.11 or newer: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	  "rftgym needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" % v[:2])'
	@if [ -e $(STARTED) ] && [ ! -e $(READY) ]; then echo "An earlier set-up was cut off: starting again"; rm -rf $(VENV); fi
	@if [ ! -e $(VENV) ]; then mkdir -p $(VENV) && touch $(STARTED); fi
	@rm -f $(READY)
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install -e '.[dev]' -c constraints.txt
	@$(BIN)/python -m compileall -q rftgym envs trainers plugins  # pip compiles only what it copies; start-up feels it
	@touch $(READY)

demo: $(READY)
	$(BIN)/rftgym train --env wordle $(DEMO_ARGS)

test: $(READY)
	$(BIN)/python -m pytest $(TEST_ARGS)

test-all: $(READY)
	$(BIN)/python -m pytest -m "" $(TEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(READY)
	$(BIN)/mkdocs build --strict

wheel: $(READY)
	$(BIN)/python -m build --wheel --no-isolation

# torch and triton are held: PyTorch's own CUDA build of torch 2.13.0 accepts no other triton than 3.7.1. Local suffixes
# (+cpu, +cu130) are cut off, so that the pins hold on any package index.
constraints:
	set -e; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(PYTHON) -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/python" -m pip install -q -e '.[dev]' torch==2.13.0 triton==3.7.1; \
	sed -n '/^#/p' constraints.txt > "$$tmp/new"; \
	"$$tmp/venv/bin/python" -m pip list --format=freeze --exclude rftgym --exclude pip \
	  | sed 's/+.*//' | LC_ALL=C sort -f >> "$$tmp/new"; \
	cp "$$tmp/new" constraints.txt

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find rftgym envs trainers plugins tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
