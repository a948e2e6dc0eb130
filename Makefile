# Everything a person or a build machine does with this project; `make help` lists it.
#
# All of it happens in .venv, which is made from the lock files and made again when they change.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
EXECUTABLE := dist/ringback/ringback.exe
else
BIN := .venv/bin
EXECUTABLE := dist/ringback/ringback
endif

PYTHON := $(BIN)/python
# Hashes are checked, and nothing is installed that the lock does not name.
INSTALL := $(PYTHON) -m pip --disable-pip-version-check install -qq --no-deps
# Three workers for two cores, at least two: the tests wait on sockets more than they compute.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); workers=$$((cores * 3 / 2)); [ "$$workers" -ge 2 ] && echo "$$workers" || echo 2)
TESTS ?= tests
SECONDS ?= 60
CHECKED := app tests bench scripts pyinstaller.spec

.PHONY: help run test lint format bench fuzz package lock clean

help:  ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

run: .venv/ready  ## Open the window; without a display, run the demo in the terminal
	@sh scripts/run.sh $(BIN)

test: .venv/ready-dev  ## Run all tests, after installing the Debian packages they need where that is possible
	@sh scripts/test-packages.sh
	$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

lint: .venv/ready-dev  ## Check style, types and the direction of imports
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/ready-dev  ## Put the code into the one format
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

bench: .venv/ready-dev  ## Measure what the README promises
	$(PYTHON) -m bench.run

fuzz: .venv/ready-dev  ## Look for bytes that break the code which reads them, for SECONDS (60)
	@sh scripts/fuzz-tools.sh $(PYTHON)
	$(PYTHON) -m tests.hostile.fuzz $(SECONDS)

package: .venv/ready-dev  ## Build the folder app in dist/ringback and try it
	@sh scripts/package-tools.sh $(PYTHON)
	$(PYTHON) -m PyInstaller --noconfirm --log-level WARN pyinstaller.spec
	$(EXECUTABLE) --data-dir build/smoke demo --json

lock:  ## Resolve the dependencies anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: python -m pip install uv" >&2; exit 1; }
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock

LOCK := uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--annotation-style line --custom-compile-command "make lock"

clean:  ## Remove everything that was made here
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find app tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# A changed lock gives a new environment, so that nothing of the old one stays.
.venv/locked: requirements.lock scripts/find-python.sh
	@echo "Setting up .venv (a minute or two the first time)"
	@python=$$(sh scripts/find-python.sh) && "$$python" -m venv --clear .venv
	$(INSTALL) --require-hashes --requirement requirements.lock
	@touch $@

.venv/ready: .venv/locked pyproject.toml
	$(INSTALL) --no-build-isolation --no-index --editable .
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@
