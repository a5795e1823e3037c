# The lanes.  Each target sets up what it needs; `make help` lists them.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup test check bench demo clean test-faults test-matrix

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | column -t -s:

setup: .venv/ready  ## make .venv with every package, editable, and the tools

.venv/ready: pyproject.toml $(wildcard core/pyproject.toml bundle/pyproject.toml plugins/*/pyproject.toml plugins/*/*/pyproject.toml tests/kit/pyproject.toml) tools/setup
	PYTHON=$(PYTHON) tools/setup .venv
	touch $@

test: setup  ## tests without root and services, under 4 minutes
	$(BIN)/python -m pytest -q
	@echo "left out: marked faults, services, slow; see make test-faults"

test-faults: setup  ## tests that kill processes at random
	$(BIN)/python -m pytest -q -m faults || [ $$? -eq 5 ]

check: setup  ## format, lint, types, imports
	tools/check $(BIN)

bench: setup  ## budgets, as ratios measured in one run
	$(BIN)/python tests/bench/budgets.py

demo: .venv-demo/ready  ## the bundle alone, and the main example on real data
	.venv-demo/bin/python examples/source_census.py

.venv-demo/ready: $(wildcard core/pyproject.toml bundle/pyproject.toml plugins/*/*/pyproject.toml)
	PYTHON=$(PYTHON) tools/demo-environment .venv-demo
	touch $@

clean:  ## remove what the targets made
	rm -rf .venv .venv-demo runinfo .pytest_cache .mypy_cache .ruff_cache
