# Everything a contributor, an operator's trial and CI run. Works with GNU make 3.81 (macOS) and later.
# `make help` lists the targets. ARGS is handed on: make test ARGS="-k reorg -x", make demo ARGS="--duration 60".

VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/.stamps
ARGS ?=
# Test processes; each has its own PostgreSQL and anvil.
JOBS ?= 2

NATIVE_INPUTS := indexer/native/build.py $(wildcard indexer/native/*.c indexer/native/*.h)
TOOL_INPUTS := indexer/demo/tools.py $(wildcard indexer/demo/npm/* indexer/demo/contracts/*)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-deploy check format fix lint types layers bench bench-quick lock wheel clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: $(STAMPS)/tools ## .venv with the project, its tools and anvil; instant when nothing changed
	@:

$(STAMPS)/venv:
	@python=$$(PYTHON="$(PYTHON)" sh requirements/find-python) || exit 1; \
	echo "Creating $(VENV) with $$python"; \
	"$$python" -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# uv installs in seconds what takes pip half a minute. It knows no pip.conf, so pip does it where uv cannot.
# The system's certificates are trusted, since companies have their own.
$(STAMPS)/lock: requirements/build.lock requirements/dev.lock $(STAMPS)/venv
	@echo "Installing the locked packages"
	@$(PY) -m pip install --quiet --require-hashes --prefer-binary -r requirements/build.lock
	@$(VENV)/bin/uv pip install --quiet --system-certs --python $(PY) --require-hashes -r requirements/dev.lock \
	|| { echo "uv could not; trying pip"; \
	     $(PY) -m pip install --quiet --require-hashes --prefer-binary -r requirements/dev.lock; }
	@touch $@

# Compiles the loops of indexer/native where there is a C compiler; INDEXER_NATIVE=0 leaves numpy to it.
$(STAMPS)/project: pyproject.toml $(STAMPS)/lock $(NATIVE_INPUTS)
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/tools: $(TOOL_INPUTS) $(STAMPS)/project
	@echo "Fetching anvil and compiling the demo's contracts (cached)"
	@$(PY) -m indexer.demo.tools
	@touch $@

demo: setup ## a live chain, the daemon and PostgreSQL on this machine: no question asked
	@$(VENV)/bin/indexer demo $(ARGS)

test: setup ## the whole test suite
	@$(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-long: setup ## the same tests with many more cases, and those that take hours
	@$(PY) -m pytest -n $(JOBS) --dist loadfile -m "long or not long" $(ARGS)

test-deploy: setup ## the alert rules, fired and kept quiet by promtool
	@deploy/prometheus/check

check: format lint types layers test test-deploy ## format, lint, types, layers, tests: exactly CI

format: setup ## is everything formatted?
	@$(VENV)/bin/ruff format --check .

fix: setup ## format, and mend what the linter can
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

lint: setup ## ruff with every rule that has no written reason against it
	@$(VENV)/bin/ruff check .

types: setup ## mypy, strict
	@$(VENV)/bin/mypy

layers: setup ## does every layer import only from those below it?
	@$(VENV)/bin/lint-imports

bench: setup ## the benchmarks, printing ratios
	@$(PY) -m bench $(ARGS)

bench-quick: setup ## the same in under two minutes
	@$(PY) -m bench --quick $(ARGS)

wheel: setup ## build dist/*.whl
	@$(VENV)/bin/uv build --quiet --wheel --no-build-isolation --python $(PY) --out-dir dist .

# A lock names versions and hashes, never where they came from.
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header $(ARGS)

lock: setup ## write requirements/*.lock anew (ARGS=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml -c requirements/dev.lock -o requirements/runtime.lock
	$(COMPILE) pyproject.toml --extra cluster --extra export -c requirements/dev.lock -o requirements/scale.lock
	$(COMPILE) requirements/build.in -c requirements/dev.lock -o requirements/build.lock

clean: ## remove .venv, builds and caches; databases (.indexer) stay
	rm -rf $(VENV) indexer/native/loops.so dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
