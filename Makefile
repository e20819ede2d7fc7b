# Two commands for a fresh machine with Python >= 3.11, pip and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
OUT ?= results
DIST ?= dist
BARE ?= .bare-venv
SITE ?= site
# Processes that share the tests, each with one thread for linear algebra: more threads would wait for each other.
JOBS ?= 2
BIN := $(VENV)/bin
EXAMPLE := examples/tacl5-na2s-bridge/project.toml

.PHONY: demo test lint docs package pictures clean

demo: $(VENV)/.installed
	$(BIN)/shortrange run $(EXAMPLE) --out $(OUT)

test: export OPENBLAS_NUM_THREADS = 1
test: export OMP_NUM_THREADS = 1
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(SITE)

# The package as others get it: built, checked, and run outside the checkout with no extras and with the oldest
# libraries that pyproject.toml allows; it must give the verdict of the demo.
# Certificates of the system, which a company or an institute may have added to.
package: export UV_SYSTEM_CERTS = 1
package: $(VENV)/.installed-dev
	rm -rf $(DIST) $(BARE)
	$(BIN)/python -m build --outdir $(DIST) .
	$(BIN)/twine check --strict $(DIST)/*
	$(BIN)/python benchmarks/bench_start.py
	$(BIN)/uv venv --quiet --python $(BIN)/python $(BARE)
	$(BIN)/uv pip install --quiet --python $(BARE)/bin/python --resolution lowest-direct $(DIST)/*.whl
	$(BIN)/python tests/check_installed.py $(BARE)/bin $(EXAMPLE) $(OUT)

# The pictures of README and pages, from the results of the demo.
pictures: demo
	$(BIN)/python tests/take_pictures.py $(OUT) docs/images

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(OUT) $(DIST) $(BARE) $(SITE)
