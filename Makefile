# The lanes.  Each target sets up what it needs; `make help` lists them.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q
PROJECTS := pyproject.toml $(shell tools/packages | sed 's|$$|/pyproject.toml|')
SOURCES := $(shell find core bundle plugins -path '*/src/*' -name '*.py' -o -path '*/src/*' -name '*.toml')
export PYTHON

.PHONY: help setup demo demo-science test check bench docs test-faults test-services test-matrix test-slow rows clean
.DELETE_ON_ERROR:

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | sort | sed -E 's/^([a-z-]+):/make \1\t/' | expand -t 24

setup: .venv/ready  ## make .venv with every package, editable, and the tools

demo: .venv-demo/ready  ## an environment of the bundle alone, and the census of source files in it
	.venv-demo/bin/python examples/source_census.py

demo-science: .venv-science/ready  ## molecules: energies by pyscf against experiment
	.venv-science/bin/python examples/molecules.py

test: setup  ## tests without root and services, on one Python, under 4 minutes
	$(PYTEST)
	@echo "left out: tests marked faults (make test-faults), services (test-services), slow (test-slow); other Pythons (test-matrix)"

check: setup  ## format, lint, types, imports, dependencies, rows
	tools/check $(BIN)

bench: setup  ## budgets, as ratios measured in one run
	$(BIN)/python tests/bench/budgets.py

docs: .venv/docs-ready  ## build the manual in docs/_build/html
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "built docs/_build/html/index.html; left out: the code blocks, which make test runs"

test-faults: setup  ## tests that kill processes
	tools/lane $(BIN) faults
	@echo "left out: everything that kills nothing (make test)"

test-services: .venv/services-ready  ## tests that need what Debian installs; run it as root
	tools/lane $(BIN) services
	@echo "left out: batch schedulers and daemons, which no package of this workspace uses yet"

test-matrix: setup  ## every Python found, lowest bounds, each wheel alone
	tools/matrix

test-slow: setup  ## tests that take minutes
	tools/lane $(BIN) slow --timeout=600
	@echo "left out: Kubernetes and scale, which no package of this workspace touches yet"

rows: setup  ## write docs/reference/rows.md
	$(BIN)/python tools/rows

clean:  ## remove what the targets made
	rm -rf .venv .venv-demo .venv-science .venv-matrix .venv-uv docs/_build runinfo
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

.venv/ready: $(PROJECTS) tools/setup tools/packages
	tools/setup .venv
	@touch $@

.venv/docs-ready: .venv/ready
	tools/uv pip install --quiet --python $(BIN)/python --group pyproject.toml:docs
	@touch $@

.venv/services-ready: .venv/ready
	tools/services
	tools/uv pip install --quiet --python $(BIN)/python --group pyproject.toml:services
	@touch $@

.venv-demo/ready: $(PROJECTS) $(SOURCES) tools/demo-environment tools/wheels
	tools/demo-environment .venv-demo
	@touch $@

.venv-science/ready: $(PROJECTS) $(SOURCES) tools/demo-environment tools/wheels
	tools/demo-environment .venv-science --group pyproject.toml:science
	@touch $@
