# `make run` and `make test` need nothing but Python 3.10 to 3.13 and make.
PYTHON ?= python3
BIN = .venv/bin
# By two processes of one thread each, for a small network's threads wait for each other more than they work. A file's
# tests stay together, so that what they share, an app or a trained network, is made once.
QUICKLY = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: run setup test test-all lint audit results bench screenshots notebook requirements address space check-space clean

run: setup  ## open the app at http://127.0.0.1:7860
	$(BIN)/python app.py

setup: .venv/installed  ## create .venv with what the app needs, and `restoration` of this folder

test: .venv/installed-dev lint  ## lint, and what every change must pass, in minutes
	$(QUICKLY) -m "not (slow or browser or hostile)"

test-all: .venv/installed-dev  ## the rest: the app in Chromium, hostile files, crowds, kills, a Space
	$(QUICKLY) -m "slow or browser or hostile"
	$(BIN)/python -m deploy.check_space

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m benchmarks.render --check
	$(BIN)/python -m deploy.requirements --check
	$(BIN)/python -m deploy.address --check

audit: .venv/installed-dev  ## whether a package that is installed has a published vulnerability
	$(BIN)/pip-audit --progress-spinner off

results: .venv/installed-dev  ## README's pictures and tables, the cards and the manifest
	$(BIN)/python -m benchmarks.pictures
	$(BIN)/python -m benchmarks.render

bench: .venv/installed-dev  ## how quick it is here, in a few minutes
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.render

screenshots: .venv/installed-dev  ## pictures of the app, by Chromium: assets/screens
	$(BIN)/python -m benchmarks.screenshots

notebook: .venv/installed-dev  ## the outputs of notebooks/colab_demo.ipynb
	$(BIN)/python notebooks/run.py

requirements: .venv/python  ## requirements*.txt say what pyproject.toml says
	$(BIN)/python -m deploy.requirements

address: .venv/installed  ## README and the notebook say what pyproject.toml's [project.urls] says
	$(BIN)/python -m deploy.address

space: .venv/installed  ## out/space, to push to a Hugging Face Space; ZEROGPU=1 for one on ZeroGPU
	$(BIN)/python -m deploy.address --check
	$(BIN)/python -m deploy.space $(if $(ZEROGPU),--zerogpu)

check-space: .venv/installed  ## whether such a folder would run on a Space: takes minutes and 6 GB
	$(BIN)/python -m deploy.check_space

clean:
	rm -rf .venv

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
		|| { echo "Python 3.10 to 3.13 is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv --upgrade-deps .venv  # basicsr does not build with the pip of Python 3.10
	touch $@

.venv/installed: pyproject.toml .venv/python
	$(BIN)/pip install --quiet -e ".[app]"
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet -e ".[dev]"
	touch $@
