# Every command makes its own virtual environment in .venv; all that is needed beforehand is Python 3.11+ and git.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PEERS  := .venv-bench

.DEFAULT_GOAL := help
.PHONY: help demo test check check-web torture bench bench-quick lint types layers clean

help:            ## show the commands
	@sed -n 's/^\([a-z-]*\): .*##/  make \1 /p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## watch the whole story on the embedded scheduler
	@$(BIN)/reconciler demo

test: $(VENV)/.dev  ## run the tests
	@$(BIN)/pytest -q -n auto --dist worksteal

check: lint types layers test  ## everything CI runs: lint, types, layers, tests

check-web: $(VENV)/.dev  ## run the tests that take a browser (Chromium; CHROMIUM=/path names it), keep pictures in build/web
	@CHROMIUM="$(CHROMIUM)" $(BIN)/pytest -q -n 2 --dist loadfile tests/web

lint: $(VENV)/.dev  ## ruff, format and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/.dev  ## mypy --strict, tests included
	@$(BIN)/mypy

layers: $(VENV)/.dev  ## imports point down
	@$(BIN)/lint-imports

torture: $(VENV)/.dev  ## everything that it must survive, in full: hours' worth of faults in some 40 minutes
	@HISTORIES=20000 CHANGES_STRIDE=1 KILL_STRIDE=1 SYSCALL_STRIDE=1 ROUNDS=200 LONG_CALLS=10000 ODD_ANSWERS=500 \
	  EXAMPLES=5 CALLS_A_TABLE=100 $(BIN)/pytest -q -n auto --dist worksteal

# What is measured runs in .venv, as users have it; the peers, with what they pin, in an environment of their own.
BENCH  := BENCH_PYTHON=$(CURDIR)/$(PEERS)/bin/python $(BIN)/python -m tests.bench
BUILT  := build/bench

bench: $(VENV)/.dev $(PEERS)/.installed  ## measure whole commands beside floors and peers, some 15 minutes; writes docs/performance.md
	@mkdir -p $(BUILT)
	@$(BENCH).whole --keep $(BUILT)/kept --json $(BUILT)/results.json
	@$(BENCH).peers --keep $(BUILT)/kept --json $(BUILT)/results.json
	@$(BENCH).shards --calls 800 --batch 100 --json $(BUILT)/shards.json
	@$(BENCH).planning 200 5
	@$(BENCH).durability
	@$(PEERS)/bin/python -m tests.bench.results $(BUILT)/results.json $(BUILT)/shards.json

bench-quick: $(VENV)/.dev $(PEERS)/.installed  ## the same of 1,000 manifests in three rounds; writes nothing
	@$(BENCH).whole --quick --keep $(BUILT)/kept --json $(BUILT)/quick.json
	@$(BENCH).peers --quick --keep $(BUILT)/kept --json $(BUILT)/quick.json

clean:  ## remove the virtual environment and caches
	@rm -rf $(VENV) $(PEERS) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(PEERS)/.installed: $(BIN)/python pyproject.toml
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install -q --disable-pip-version-check -e '.[bench]'
	@touch $@

$(VENV)/.installed: $(BIN)/python pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed
