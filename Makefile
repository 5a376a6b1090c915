# `make` builds .venv from any Python 3.11 or newer and installs the project into it; `make help` lists the rest.
# Your own choice of Python: make PYTHON=/path/to/python3.12

SHELL := bash
PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
BIN := .venv/bin
INSTALL := -m pip --disable-pip-version-check install
# Dots instead of a thousand lines; the whole text is in the log and its end is shown when something fails.
DOTS = awk '/^Collecting|^Installing collected/ { printf "."; fflush() } END { print "" }'
ARGS ?=

# Zoom's RTMS SDK is published for these machines alone; elsewhere everything but `probe` through the SDK works.
SDK = import platform, sys; glibc = platform.libc_ver(); print(",sdk" if platform.machine() == "x86_64" \
	and glibc[0] == "glibc" and int(glibc[1].split(".")[1]) >= 34 and sys.version_info < (3, 14) else "")

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all demo test test-lowest check format bench snapshots docs record clean help

all: .venv/complete  ## build .venv with everything that tests and checks need

# The project alone: what `make demo` waits for.
.venv/installed: setup.cfg setup.py pyproject.toml rtms_audit/__init__.py
	@set -o pipefail; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  for python in $(PYTHONS); do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found=$$python && break; \
	  done; \
	  if [ -z "$$found" ]; then echo "No Python 3.11 or newer among: $(PYTHONS). Install one, or say make PYTHON=…" >&2; exit 1; fi; \
	  echo "Building .venv with $$($$found --version)"; \
	  $$found -m venv --clear .venv || { echo "On Debian and Ubuntu, venv is a package of its own: python3-venv" >&2; exit 1; }; \
	fi; \
	printf 'Installing rtms-audit '; \
	$(BIN)/python $(INSTALL) --editable . 2>&1 | tee .venv/install.log | $(DOTS) || { tail -n 20 .venv/install.log >&2; exit 1; }
	@touch $@

.venv/complete: .venv/installed
	@set -o pipefail; \
	printf 'Installing what tests and checks need '; \
	$(BIN)/python $(INSTALL) --editable ".[test,check$$($(BIN)/python -c '$(SDK)')]" 2>&1 | tee .venv/install.log | $(DOTS) \
	  || { tail -n 20 .venv/install.log >&2; exit 1; }
	@touch $@

demo: .venv/installed  ## the whole job on the built-in sandbox, in seconds
	@$(BIN)/rtms-audit demo $(ARGS)

test: .venv/complete  ## all tests, in parallel, with the coverage floor; a part of them: make test ARGS="--no-cov tests/core"
	$(BIN)/pytest --numprocesses auto --dist loadgroup --cov=rtms_audit $(ARGS)

# A venv with the oldest version of every dependency that setup.cfg allows, and the tests in it.
test-lowest: .venv/complete  ## all tests with the oldest dependencies that setup.cfg allows
	rm -rf build/lowest && $(BIN)/python -m venv build/lowest
	$(BIN)/python tests/lowest.py > build/lowest/constraints.txt
	build/lowest/bin/python $(INSTALL) --quiet --editable ".[test,check$$($(BIN)/python -c '$(SDK)')]" --constraint build/lowest/constraints.txt
	build/lowest/bin/pytest --numprocesses auto --dist loadgroup $(ARGS)

check: .venv/complete  ## style, types, architecture, docstrings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet rtms_audit

format: .venv/complete  ## rewrite the source in the house style
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: .venv/complete  ## measure, and write benchmarks/results.json
	@$(BIN)/python $(INSTALL) --quiet --editable ".[bench]"
	$(BIN)/python -m benchmarks $(ARGS)

snapshots: .venv/complete  ## rewrite the texts that people read, for you to review with git diff
	$(BIN)/pytest --update-snapshots -q
	@git status --short -- '*snapshots*'

docs: .venv/complete  ## regenerate docs/checks.md and docs/codes.md
	$(BIN)/python docs/generate.py

record: .venv/complete  ## record cassettes from live Zoom (RTMS_AUDIT_RECORD_TOKEN, RTMS_AUDIT_RECORD_APP_ID), scrubbed
	$(BIN)/python tests/zoom/record.py $(ARGS)

clean:  ## remove everything that make made
	rm -rf .venv build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
