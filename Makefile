# fedlab's commands. Each sets up what it needs (tools/setup.sh) and is fast when that is there.
#
#   make test PYTHON=python3.13         choose the Python
#   make test ARGS="-k vocabulary"      hand arguments to the program that the target runs

SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo lab notebooks measure test test-fast test-binder test-colab check bench requirements clean

PYTHON ?=
ARGS ?=
BIN := .venv/bin
# Shared out between processes as tests/sharing_out.py says.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  PYTHON=python3.13 chooses the Python, ARGS="..." hands arguments on'

setup:  ## install what uv.lock says into .venv (the other targets do this by themselves)
	@PYTHON='$(PYTHON)' MAKE_TARGET='$(firstword $(MAKECMDGOALS))' tools/setup.sh

demo: setup  ## load Dickens, fine-tune it across the characters of Shakespeare, show what changed
	@$(BIN)/python -m fedlab.cli demo $(ARGS)

lab: setup  ## open the notebooks in JupyterLab
	@$(BIN)/python -m jupyterlab $(ARGS) $(wildcard notebooks)

notebooks: setup  ## make the notebooks from notebooks/sources (ARGS="00 03", ARGS=--prose)
	@$(BIN)/python tools/build_notebooks.py $(ARGS)

measure: setup  ## measure the notebooks' minutes and memory, with nothing else running, and state them (ARGS="00 03")
	@$(BIN)/python tools/measure_notebooks.py $(ARGS)

test: setup  ## run the tests, in two processes (ARGS="tests/test_vocabulary.py -x")
	@tools/colab_environment.sh
	@$(BIN)/python tools/get_browser.py > /dev/null
	@$(PYTEST) $(ARGS)

test-fast: setup  ## the quick tests: no notebooks, no browser, no second environment; three minutes
	@$(PYTEST) -m 'not (notebook or browser or environment or slow)' $(ARGS)

test-binder: setup  ## replay what Binder does and visit it: five minutes, network, 3 GB (ARGS="00 05")
	@$(BIN)/python tools/binder_build.py $(ARGS)

test-colab:  ## run the setup cell and the notebooks among Colab's packages, on Python 3.13 (ARGS="00 03")
	@PYTHON= MAKE_TARGET=test tools/setup.sh
	@tools/colab_environment.sh .venv-colab-3.13 $(or $(PYTHON),3.13)
	@$(BIN)/python tools/run_in_colab.py .venv-colab-3.13 $(ARGS)

check: setup  ## lint, format, import rules, notebook metadata
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q tests/test_import_rules.py
	$(BIN)/python tools/check_notebooks.py

bench: setup  ## measure what is claimed about speed, into docs/benchmarks.md (ARGS="--peers", ARGS="rounds")
	@$(BIN)/python benchmarks/bench.py $(ARGS)

requirements: export PYTHON := $(PYTHON)
requirements: export MAKE_TARGET := requirements
requirements:  ## export requirements.txt and colab/requirements.txt from uv.lock
	@tools/export_requirements.sh > requirements.txt.part
	@mv requirements.txt.part requirements.txt
	@tools/export_requirements.sh --colab > requirements.txt.part
	@mv requirements.txt.part colab/requirements.txt
	@echo "requirements.txt: $$(grep -c == requirements.txt) packages, as uv.lock has them"

clean:  ## remove .venv, .tools and caches
	rm -rf .venv .venv-colab* .venv-peers .tools benchmarks/latest .pytest_cache .ruff_cache .import_linter_cache
	find fedlab tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +
