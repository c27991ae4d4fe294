# Every target makes the virtual environment that it needs; a bare machine with python3 (3.11), venv and make will do.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.PHONY: help venv demo test check lint bench samples lock clean

help:            ## what can be made
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ \t/' | expand -t 10

venv: $(STAMP)   ## the virtual environment in .venv

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "pitcall needs Python 3.11; name one with make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) (about a minute, once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(STAMP)

demo: venv       ## the main job, live: cars publish, alerts appear, dealers answer, a dashboard shows it
	@$(BIN)/pitcall demo $(ARGS)

test: venv       ## the tests
	@$(BIN)/python -m pytest -q -n 3 --dist loadscope $(ARGS)

lint: venv
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test ## what CI runs: style, types, layers, data files, tests
	@$(BIN)/pitcall rules check
	@$(BIN)/pitcall rules test
	@$(BIN)/pitcall knowledge check

bench: venv      ## ratio benchmarks against named peers
	@$(BIN)/pitcall bench decode
	@$(BIN)/pitcall bench replay

samples: venv    ## make sample_can_logs anew from the simulator
	@$(BIN)/pitcall simulate --samples sample_can_logs

lock: venv       ## pin requirements.lock anew from pyproject.toml
	@$(BIN)/pip-compile --quiet --generate-hashes --all-extras --strip-extras --allow-unsafe --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --output-file requirements.lock pyproject.toml

clean:           ## remove what was made
	@rm -rf $(VENV) build dist data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
