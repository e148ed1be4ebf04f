# Shuke 熟客. `make help` lists what can be made. Needs python3 (3.11 or later), git and make; nothing else for the demo.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= python3
SHOP ?= completejourney
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/stamps
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes
LOCALE := src/shuke/locale
VENDOR := src/shuke/doors/console/static/vendor
PAGES := $(shell find src/shuke/doors \( -name '*.html' -o -name '*.js' -o -name '*.css' -o -name '*.py' \) -not -path '*/vendor/*' 2>/dev/null)

.PHONY: help setup demo test test-spark check bench soak serve shots lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make demo SHOP=taobao        a made-up Taobao shop instead of a year of real retail history"
	@echo "  make demo ARGS=--no-serve    everything but serving"

demo: setup $(DONE)/demo ## a shop with a year of history, then the console (Ctrl-C stops it)
	@$(BIN)/shuke demo --shop $(SHOP) $(ARGS)

serve: setup ## console, API and worker over ./var
	@$(BIN)/shuke serve $(ARGS)

test: setup $(DONE)/dev $(DONE)/demo ## everything CI runs, on SQLite and PostgreSQL, and in a browser
	@.ci/test

test-spark: setup $(DONE)/dev $(DONE)/spark ## the analyses on a real Spark cluster of this machine (installs 900 MB, and Java through apt)
	@.ci/spark $(ARGS)

check: setup $(DONE)/dev ## format, lint, types, imports, migrations, rules of the house
	@.ci/check

bench: setup $(DONE)/dev $(DONE)/demo ## measure, with the raw limit beside; ARGS=name for some of them
	@$(BIN)/python -m bench $(ARGS)

soak: setup $(DONE)/dev ## hours of random histories, storms, kills, power cuts and planted faults, on both engines; ARGS=name for some
	@found=0; $(BIN)/python -m tests.trust.soak $(ARGS) || found=1; \
	  .ci/postgres $(BIN)/python -m tests.trust.soak $(ARGS) || found=1; \
	  [ -n "$(ARGS)" ] || $(BIN)/python -m tests.trust.mutants || found=1; exit $$found

shots: setup $(DONE)/dev ## screenshots of every page into ./shots
	@$(BIN)/python -m tests.doors.shots $(ARGS)

lock: $(VENV)/pyvenv.cfg ## write requirements/*.txt anew
	@$(BIN)/python -m pip --quiet install pip-tools
	@PYTHON="$(CURDIR)/$(BIN)/python" requirements/lock.sh

clean: ## remove what was built; the shop's data in ./var stays
	rm -rf $(VENV) $(VENDOR) src/shuke/connect/exporters/fonts frontend/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# ---- set-up: each step leaves a stamp, so a second run is quick --------------------------------------------------
setup: $(DONE)/package $(DONE)/frontend $(DONE)/messages

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine. Install Python 3.11 or later."; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), but Shuke needs Python 3.11 or later." \
	       "Name a newer one: make PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 3; }
	@echo "· virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(DONE)

$(DONE)/base: requirements/base.txt requirements/build.txt $(VENV)/pyvenv.cfg
	@echo "· Python packages, locked"
	@$(PIP) -r requirements/build.txt
	@$(PIP) --no-build-isolation -r requirements/base.txt
	@mkdir -p $(DONE) && touch $@

$(DONE)/package: pyproject.toml $(DONE)/base
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(DONE)/demo: requirements/demo.txt $(DONE)/base
	@$(PIP) --no-deps -r requirements/demo.txt
	@touch $@

$(DONE)/dev: requirements/dev.txt requirements/data.txt $(DONE)/base
	@echo "· packages for tests and checks, locked"
	@$(PIP) -r requirements/dev.txt
	@$(PIP) --no-deps -r requirements/data.txt
	@touch $@

$(DONE)/spark: requirements/spark.txt $(DONE)/dev
	@echo "· Spark's Python packages, locked"
	@$(PIP) -r requirements/spark.txt
	@touch $@

# The npm on the PATH, or else the one in a Python wheel.
$(DONE)/node: requirements/node.txt $(DONE)/base
	@if command -v npm >/dev/null && command -v node >/dev/null; then :; else \
	  echo "· npm, from a Python package"; $(PIP) -r requirements/node.txt; fi
	@touch $@

NODE_PATH_FIRST := if command -v npm >/dev/null && command -v node >/dev/null; then :; else PATH="$(CURDIR)/$(BIN):$$PATH"; export PATH; fi

$(DONE)/npm: frontend/package.json frontend/package-lock.json $(DONE)/node
	@echo "· front-end packages, locked"
	@$(NODE_PATH_FIRST); cd frontend && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error --update-notifier=false >/dev/null
	@touch $@

$(DONE)/frontend: frontend/build.mjs $(PAGES) $(DONE)/npm
	@echo "· front-end assets"
	@$(NODE_PATH_FIRST); cd frontend && node build.mjs
	@touch $@

$(DONE)/messages: $(shell find $(LOCALE) -name '*.po' 2>/dev/null) $(DONE)/package
	@$(BIN)/python -m shuke.kit.translations compile >/dev/null
	@touch $@
