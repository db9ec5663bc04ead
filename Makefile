# `make` lists what can be done here. It needs Python 3.11 or later and nothing else: every other tool comes
# from requirements.lock, by hash, into .venv. `make test PYTHON=python3.13` makes that .venv with another Python.

PYTHON ?= python3
VENV ?= .venv
SERVE ?= 1

BIN := $(VENV)/bin
READY := $(VENV)/.installed
SOURCES := src tests tools examples $(wildcard bench) docs/generate.py docs/pages

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# One package of the lock comes as source; old pips would build it in a way that is going away.
export PIP_USE_PEP517 := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check bench docs lock clean

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## load the flights of 2013 and a made-up site, draw what they say, then serve them (SERVE=0 ends before)
	@$(BIN)/aforo demo $(if $(filter 0 no false,$(SERVE)),--no-serve)

test: $(READY) ## run all but the long tests, and want 90 % of lines and branches below http/ visited
	@$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=
	@$(BIN)/python tools/coverage_gate.py

test-long: $(READY) ## run the tests that take minutes
	@$(BIN)/python -m pytest -n auto --dist worksteal -m long

check: $(READY) ## format, lint, types, floors, and whether the lock and the reference are current
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_house.py tests/test_lock.py
	@$(BIN)/python tools/lock.py --check
	@$(BIN)/python docs/generate.py --check

bench: $(READY) ## measure against bare DuckDB on the same data and this machine
	@$(BIN)/python bench/run.py

docs: $(READY) ## write docs/reference again from the code
	@$(BIN)/python docs/generate.py

lock: $(READY) ## write requirements.lock again from pyproject.toml (UPGRADE=1: with the newest versions)
	@$(BIN)/python tools/lock.py $(if $(UPGRADE),--upgrade)

clean: ## remove .venv and all that builds and tests left; aforo-data stays
	@rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find src tests tools docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Aforo needs Python 3.11 or later; '$(PYTHON)' is not one: try make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make a virtual environment: install its venv package" >&2; \
	  echo "(Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing requirements.lock into $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
