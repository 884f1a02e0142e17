# Everything is done in .venv; the stamps say what has been installed there.
#
#   make demo        install what is needed, measure the embedded default on this machine, print the comparison
#   make test        install everything, run every check and every test
#   make benchmark   what bench costs and how true its numbers are, as ratios
#
# PYTHON        the interpreter to build .venv with (3.11 or newer)
# TORCH_INDEX   the package index to take torch's CPU build from, where plain pip would fetch another build

PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH := torch==2.13.0

.PHONY: demo test check benchmark clean

demo: .venv/installed
	$(BIN)/bench run

test: check
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m "not alone"
	$(BIN)/python -m pytest -m alone

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark: .venv/installed-dev
	$(BIN)/python -m benchmarks

.venv/python:
	$(PYTHON) -m venv .venv
	touch $@

# torch first, by its exact version: whatever needs torch later then finds it there and fetches no other build.
.venv/torch: constraints.txt | .venv/python
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	touch $@

.venv/installed: pyproject.toml constraints.txt .venv/torch
	$(PIP) $(TORCH) --editable '.[all]'
	touch $@

.venv/installed-dev: .venv/installed scripts/test-packages.txt
	sh scripts/install-test-packages.sh
	$(PIP) $(TORCH) --editable '.[all,dev]'
	touch $@

clean:
	rm -rf .venv
