# `make` lists the targets. PYTHON=... chooses the interpreter, CORES=... and GPUS=... the machine;
# CONFIG=mine.yaml what is run (several files: CONFIG="a.yaml b.yaml"), RESULTS=folder where it goes.
PYTHON ?= python3
CORES ?= all
GPUS ?= 1
CONFIG ?=
RESULTS ?=
MODEL ?= Qwen/Qwen2-Audio-7B-Instruct
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PLATFORM := $(shell uname -sm)
# Tests run side by side; one thread each, since small matrices gain nothing from more.
TEST_WORKERS ?= auto
LAYOUT := tests/test_layout.py
# The layout is a matter of lint.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --ignore $(LAYOUT)
LOW := nice -n 19
OLDEST := OMP_NUM_THREADS=1 build/oldest/bin/python
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --resources gpu=$(GPUS)
# What is asked for stands first: options take every word that follows.
RUN = $(BIN)/python -m speechdt.workflow.unlock && $(BIN)/snakemake $(1) --cores $(CORES) --resources gpu=$(GPUS) \
  $(if $(CONFIG),--configfile $(CONFIG)) $(if $(RESULTS),--config 'pathvars={"results":"$(RESULTS)"}')

ifneq ($(words $(CURDIR)),1)
$(error Snakemake does not quote the interpreter, so that nothing works below a folder with a space in its name: $(CURDIR))
endif

# Without compiled files, which some images forbid, each job would compile the library anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup results prompts paper release sweep retime accept vads acceptance check test test-full test-oldest lint types unit tests campaigns dag lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything in it

results: $(READY) ## Run the workflow: tables, figures and report (CONFIG=mine.yaml RESULTS=folder)
	@$(call RUN,)
	@echo "Open $(or $(RESULTS),results)/report.html, or see results/README.md for what is where."

prompts: $(READY) ## Score the bank of prompts, and search for better ones
	@$(call RUN,prompts)

paper: $(READY) ## Write the paper's folder and typeset it, if there is pdflatex
	@$(call RUN,paper)
	@if command -v pdflatex > /dev/null; then $(call RUN,$(or $(RESULTS),results)/paper/main.pdf); fi

release: $(READY) ## Gather the whole run in one folder to publish
	@$(call RUN,release)

sweep: $(READY) ## Train over LoRA's settings, one at a time, in results/sweep: hours
	@$(BIN)/python -m speechdt.workflow.unlock
	@$(SNAKEMAKE) --configfile configs/sweep_lora.yaml

retime: $(READY) ## Time all variants again, on a machine that is quiet for all
	@$(call RUN,retime)

accept: $(READY) ## Mark results as made by the present code, where code alone has changed
	@$(call RUN,accept)

vads: $(VENV)/vads ## Compare today's voice activity detectors, in results/vads (docs/detectors.md)
	@$(BIN)/python -m speechdt.workflow.unlock
	@without=; $(BIN)/python -c 'import ten_vad' 2> /dev/null || { \
	  echo "D8, ten, is left out: it needs libc++ (apt-get install libc++1)"; \
	  without='--config variants={"D8":null}'; }; \
	$(SNAKEMAKE) --configfile configs/vads.yaml $$without
	@echo "Open results/vads/report.html."

acceptance: $(READY) ## Check real weights on this machine, with one small LoRA: MODEL=id or folder
	$(BIN)/python benchmarks/acceptance.py --cores $(CORES) --model $(MODEL)

# What takes long of style and types is checked while tests wait for something else than a core.
check: $(READY) ## Check the code and run all tests that run no workflow
	@$(MAKE) --no-print-directory --jobs 3 lint unit types

test: $(READY) ## Check the code and run all tests, a small real run among them
	@$(MAKE) --no-print-directory --jobs 3 lint tests types

test-full: $(READY) ## The same and the campaigns: many kills, many made-up inputs
	@$(MAKE) --no-print-directory --jobs 3 lint campaigns types

test-oldest: ## Run the tests on the oldest versions that pyproject.toml admits, in build/oldest
	$(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install --quiet uv 'setuptools>=77' # with which a test builds a package
	build/oldest/bin/uv pip install --quiet --python build/oldest/bin/python \
	  --resolution lowest-direct --editable '.[dev]'
	$(OLDEST) -m pytest -n $(TEST_WORKERS) --no-workflows
	$(OLDEST) -m snakemake --cores $(CORES) --configfile configs/ci.yaml configs/oldest.yaml
	$(OLDEST) -m pip freeze > build/oldest/versions.txt

lint: $(READY) ## Check style: ruff, snakefmt, snakemake --lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile rules
	$(LOW) $(BIN)/snakemake --lint
	$(LOW) $(BIN)/python -m pytest $(LAYOUT)

types: $(READY) ## Check types: mypy, strict for speechdt
	$(LOW) $(BIN)/mypy

unit: $(READY) ## Run all tests that run no workflow
	$(PYTEST) --no-workflows

tests: $(READY)
	$(PYTEST)

campaigns: $(READY)
	$(PYTEST) --campaigns

# Exact pins where they were made; elsewhere the ranges of pyproject.toml.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "speechdt needs Python 3.11 or later: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifeq ($(PLATFORM),Linux x86_64)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,slurm]'
endif
	@touch $@

# Each alone, so that one without a wheel for this platform does not keep the others away; what is
# missing then is named before any job.
$(VENV)/vads: $(READY) envs/vads.txt
	grep -v '^#' envs/vads.txt | while read -r pin; do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "$$pin" || true; done
	@touch $@

dag: $(READY) ## Draw the workflow by stages: docs/dag.svg
	$(BIN)/snakemake --quiet all --filegraph | $(BIN)/python -m speechdt.workflow.stage_graph Snakefile docs/dag.svg

lock: ## Renew requirements.lock from the ranges of pyproject.toml
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet '.[dev,slurm]'
	{ echo "# Exact versions for Linux x86-64, made by make lock."; \
	  build/lock/bin/python -m pip freeze --exclude speechdt; } > requirements.lock

clean: ## Remove all results (not the environment)
	find results -mindepth 1 ! -path results/README.md -delete
	rm -rf .snakemake
