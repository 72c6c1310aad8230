# From a machine with python3 (3.11 or newer, with venv) and make:
#   make run    the default scenario, its summary, and where its report lies
#   make test   formatting, lint, types and the whole test suite
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=

.PHONY: run test lint install lock clean

run: $(VENV)/installed
	$(BIN)/macrohard run $(ARGS)
	@command -v macrohard > /dev/null || echo "           . $(BIN)/activate    (once in each terminal, so that \`macrohard\` is found)"

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(VENV)/installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"{sys.executable} is Python {sys.version.split()[0]}: 3.11 or newer is needed; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python requirements.lock pyproject.toml
	@echo "installing the locked dependencies into $(VENV): a minute or a few, 0.9 GB on disk"
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed requirements-test.lock
	$(PIP) --require-hashes -r requirements-test.lock
	@touch $@

# Resolves anew; needs uv. One set of versions for every Python, no address of a registry in the files.
COMPILE := uv pip compile pyproject.toml --group build --universal --python-version 3.11 --fork-strategy fewest \
	--no-header --no-annotate --no-emit-index-url --quiet
lock:
	$(COMPILE) --generate-hashes --output-file requirements.lock
	$(COMPILE) --extra test --constraints requirements.lock --generate-hashes --output-file requirements-test.lock
	$(COMPILE) --extra test --constraints requirements-test.lock --output-file constraints.txt

clean:
	rm -rf $(VENV)
