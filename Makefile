# What a user or developer does, one word each. Nothing needs to be set up first.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

help:  ## list the targets
	@exec 3<&1; [ ! -t 3 ] || width=$${COLUMNS:-$$(stty size <&3 2>/dev/null | cut -d' ' -f2)}; \
	awk -v width="$${width:-0}" -f .ci/help.awk $(MAKEFILE_LIST)

# Why .venv cannot stay as it is, and what is wrong with $(PYTHON); nothing if all is well.
WHY_ANEW := $(shell [ ! -e .venv ] || $(BIN)/python -IS .ci/why_anew.py 2>/dev/null || echo "its Python does not run")
TOO_OLD = $(shell $(PYTHON) -c 'import sys; v = sys.version_info; \
	print("" if v >= (3, 11) else "$(PYTHON) is %d.%d.%d" % v[:3])' 2>/dev/null || echo "there is no $(PYTHON)")
NEWER = $(firstword $(shell for each in 3.11 3.12 3.13 3.14; do python$$each -c "" 2>/dev/null && echo python$$each; done; true))
REFUSAL = micrograde needs Python 3.11 or newer, and $(TOO_OLD); $(if $(NEWER),,install one, then )make \
	$(MAKECMDGOALS) PYTHON=$(or $(NEWER),python3.11)

# Each stamp is made anew when what it depends on changes; of a .venv that was made in part, nothing counts.
.DELETE_ON_ERROR:
.venv/pyvenv.cfg: $(if $(WHY_ANEW),anew)
	$(if $(TOO_OLD),$(error $(REFUSAL)))
	$(if $(WHY_ANEW),@echo "making .venv anew: $(WHY_ANEW)")
	@rm -rf .venv
	$(PYTHON) -m venv .venv

anew: ;

.venv/installed: .venv/pyvenv.cfg pyproject.toml .ci/constraints.txt
	@echo "installing what is needed into .venv; the first time takes a minute or two"
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	@touch $@

.venv/installed-torch: .venv/installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev,torch]'
	@touch $@

.venv/installed-system: .venv/installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev,system]'
	@touch $@

.venv/installed-benchmarks: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[benchmarks]'
	@touch $@

.venv/installed-fuzz: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[fuzz]'
	@touch $@

.venv/installed-onnx: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[onnx]'
	@touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[docs]'
	@touch $@

EXTRAS := dev torch system docs fuzz onnx
comma := ,
.venv/installed-all: .venv/pyvenv.cfg pyproject.toml .ci/constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[$(subst $() ,$(comma),$(EXTRAS))]'
	@touch .venv/installed $(EXTRAS:%=.venv/installed-%) $@

install: .venv/installed-all  ## install at once what the targets install one by one when they are run

# So that what the commands say to type begins with make, too.
train describe compare replay predict export sync gc ui: export MICROGRADE_STARTED_AS = make

train: .venv/installed  ## train a network and record the run: make train ARGS="optimizer.learning_rate=0.3"
	$(BIN)/python pipelines/train.py $(ARGS)

describe: .venv/installed  ## tell what each column of a table is, before training: make describe ARGS="data.path=penguins.csv"
	$(BIN)/python pipelines/describe.py $(ARGS)

compare: .venv/installed  ## print the runs as a table, best first, or two side by side: make compare ARGS="3cf88ee7 latest"
	$(BIN)/python pipelines/compare.py $(ARGS)

replay: .venv/installed  ## train a recorded run again and compare every value: make replay ARGS="run_id=3cf88ee7"
	$(BIN)/python pipelines/replay.py $(ARGS)

predict: .venv/installed  ## classify a table by a run's model: make predict ARGS="run_id=3cf88ee7 data.path=new.csv"
	$(BIN)/python pipelines/predict.py $(ARGS)

export: .venv/installed-onnx  ## write a run's model as ONNX: make export ARGS="run_id=3cf88ee7 output=model.onnx"
	$(BIN)/python pipelines/export.py $(ARGS)

sync: .venv/installed  ## send what a tracking server or a locked store has not taken yet
	$(BIN)/python pipelines/sync.py $(ARGS)

gc: .venv/installed  ## remove for good the runs that were deleted in MLflow: make gc ARGS="--older-than 30d"
	$(BIN)/python pipelines/gc.py $(ARGS)

ui: .venv/installed  ## open the MLflow UI of the recorded runs in a browser: make ui ARGS="--port 5001 --no-browser"
	$(BIN)/python pipelines/ui.py $(ARGS)

# Neighbours in a file share what they look at, so they stay in one process. Two folders have targets of their own.
PYTEST := $(BIN)/python -m pytest --dist worksteal --ignore=tests/system --ignore=tests/against_torch
# A process more than there are cores: some of these tests wait.
SLOW_PROCESSES = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

test: .venv/installed-dev  ## run the tests, all but the slow ones
	$(PYTEST) -n auto -m "not slow" $(ARGS)

test-slow: .venv/installed-dev  ## run the slow tests, most of which run commands: some minutes
	$(PYTEST) -n $(SLOW_PROCESSES) -m "slow and not matrix" $(ARGS)

test-torch: .venv/installed-torch  ## compare gradients and training with PyTorch's
	$(BIN)/python -m pytest tests/against_torch $(ARGS)

test-system: .venv/installed-system  ## test on a Ray cluster, PostgreSQL, a full disk, in a browser: apt-get install postgresql chromium
	$(BIN)/python -m pytest tests/system $(ARGS)

fuzz: .venv/installed-fuzz  ## try to break each reader of files for 5 minutes: make fuzz ARGS="--seconds 20 --reader idx"
	$(BIN)/python -m fuzz $(ARGS)

bench: .venv/installed-benchmarks  ## measure speeds beside PyTorch, JAX, scikit-learn, micrograd: docs/benchmarks.md
	$(BIN)/python -m benchmarks.bench $(ARGS)

docs: .venv/installed-docs  ## make the pages of docs/ as HTML; a warning, such as a dead link, is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs . docs/_build/html $(ARGS)
	@echo "docs/_build/html/docs/index.html"

lint: .venv/installed-dev  ## check style, types and the order of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-release:  ## check what takes hours: Pythons, lowest versions, BLAS kernels, long fuzzing: make check-release ARGS="lowest fuzz"
	$(PYTHON) .ci/release.py $(ARGS)

format: .venv/installed-dev  ## put the code into its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and caches; recorded runs stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache docs/_build src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help anew install train describe compare replay predict export sync gc ui test test-slow test-torch test-system fuzz bench docs lint check-release format clean
