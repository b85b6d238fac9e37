# One entry for every chore; `make help` lists them. CI and hooks call the same targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/calico-logwatch
# What the compiler makes is kept outside the checkout: a second clone builds in seconds.
export CARGO_TARGET_DIR := $(CACHE)/cargo
PYTHON ?= python3
BIN := .venv/bin
# The page's chart library, which npm gets.
CHARTS := logwatch/export/static/vendor/uPlot.esm.js
NPM = PATH="$$PATH:$(abspath $(BIN))" npm --silent --prefix web
SOURCES := pyproject.toml rust/Cargo.toml rust/Cargo.lock $(shell find rust/*/src rust/*/Cargo.toml -name '*.rs' -o -name Cargo.toml)

.PHONY: help install run demo test check format generated screenshots bench bench-cluster torture instructions fuzz apiserver clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## Build, and leave the command at .venv/bin/logwatch

run: .venv/.installed ## Follow this machine's syslog, or recorded lines where there is none
	@deploy/local/run.sh

demo: .venv/.installed ## Play recorded traffic through agent, Prometheus and alerts, and say what to open
	@deploy/local/apt-install.sh prometheus prometheus-alertmanager
	@exec setpriv --pdeathsig TERM $(BIN)/python deploy/local/demo

test: .venv/.installed .venv/.tools .venv/.web-tools ## Install what the tests need, and pass them all
	@tests/lab/install.sh
	@tests/lab/apiserver/build.sh $(CACHE) >/dev/null & building=$$!; \
	    echo "== tests of the core" && cargo test --quiet --manifest-path rust/Cargo.toml && wait $$building
	@echo "== tests" && BIN=$(BIN) tests/run.sh

check: .venv/.installed .venv/.tools .venv/.web-tools ## Format, lint, types, layers, stub, instructions, wheel
	@echo "== format" && $(BIN)/ruff format --check && cargo fmt --all --check --manifest-path rust/Cargo.toml
	@echo "== lint" && $(BIN)/ruff check && cargo clippy --quiet --all-targets --manifest-path rust/Cargo.toml -- -D warnings
	@echo "== types" && $(BIN)/mypy
	@echo "== page" && $(NPM) run check
	@echo "== layers" && $(BIN)/lint-imports --no-logo
	@echo "== stub" && $(BIN)/python -m mypy.stubtest logwatch._core
	@echo "== instructions a line" && $(MAKE) --no-print-directory instructions
	@echo "== wheel" && tests/wheel.sh

format: .venv/.tools .venv/.web-tools ## Format all code
	@$(BIN)/ruff format && $(BIN)/ruff check --fix && cargo fmt --all --manifest-path rust/Cargo.toml
	@$(NPM) run format

# FILE by PROGRAM; left as it was when the program fails.
made = $(BIN)/python $(2) >$(1).new && mv $(1).new $(1)

generated: .venv/.installed .venv/.tools ## Write anew what programs make: docs/metrics.md, PrometheusRule, dashboard, golden pages
	@$(call made,docs/metrics.md,docs/metrics.py)
	@$(call made,deploy/prometheus/prometheus-rule.yaml,deploy/prometheus/wrap.py)
	@$(call made,deploy/grafana/logwatch.json,deploy/grafana/dashboard)
	@LOGWATCH_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/export/test_golden.py

screenshots: .venv/.installed .venv/.tools ## Take the pictures of docs/ anew (three minutes)
	@tests/lab/install.sh faketime
	@TZ=UTC $(BIN)/python docs/screenshots.py
	@for picture in report_page picture top; do $(BIN)/python docs/$$picture.py; done

bench: .venv/.installed ## Time logwatch against its peers, on files that are made once
	@bench/install.sh
	@$(BIN)/python bench/run.py

TORTURE_SECONDS ?= 60

bench-cluster: .venv/.installed .venv/.tools ## Measure agents and an escalator against a real API server
	@tests/lab/install.sh
	@PYTHONPATH=tests $(BIN)/python bench/cluster.py

torture: .venv/.installed .venv/.tools ## Rotate, cut, kill for TORTURE_SECONDS (60) each; PEERS=1: peers too
	@tests/lab/install.sh
	@$(if $(PEERS),bench/install.sh)
	@$(if $(PEERS),,echo "== model of the reader" && MODEL_EXAMPLES=5000 $(BIN)/python -m pytest -q tests/tail/test_model.py)
	@$(if $(PEERS),,tests/lab/apiserver/build.sh $(CACHE) >/dev/null && echo "== outages of a cluster" && \
	    OUTAGE_SECONDS=$(TORTURE_SECONDS) $(BIN)/python -m pytest -q tests/escalator/test_outages.py)
	@PYTHONPATH=tests $(BIN)/python -m torture --seconds $(TORTURE_SECONDS) $(if $(PEERS),--peers)

instructions: .venv/bin/python ## Fail when the core spends more instructions on a line
	@deploy/local/apt-install.sh valgrind
	@$(BIN)/python bench/instructions.py

FUZZ_SECONDS ?= 60

fuzz: ## Feed the readers with made-up bytes, FUZZ_SECONDS (60) for each target
	@rust/fuzz/install.sh $(CACHE)/fuzz/tools
	@rust/fuzz/run.sh $(CACHE)/fuzz $(FUZZ_SECONDS)

apiserver: ## Build the API server that the tests run against, once for all clones
	@tests/lab/apiserver/build.sh $(CACHE)

clean: ## Remove .venv, run (state and policy of `make run`), and what was built or fetched
	@rm -rf .venv run logwatch/*.so web/node_modules $(dir $(CHARTS))

.venv/bin/python:
	@deploy/local/install-tools.sh
	@echo "== making .venv"
	@$(PYTHON) -m venv .venv

.venv/.pip: .venv/bin/python
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' 'maturin>=1.16,<2'
	@touch $@

$(CHARTS): web/package-lock.json web/install.sh | .venv/.pip
	@web/install.sh $(abspath $(BIN))/python

.venv/.web-tools: $(CHARTS)
	@echo "== installing the tools that check the page"
	@web/install.sh $(abspath $(BIN))/python tools
	@touch $@

.venv/.installed: .venv/.pip $(SOURCES) | $(CHARTS)
	@echo "== building logwatch (a minute the first time)"
	@mkdir -p $(CACHE)
	@$(BIN)/maturin develop --release >$(CACHE)/build.log 2>&1 || { cat $(CACHE)/build.log >&2; exit 1; }
	@touch $@

.venv/.tools: .venv/.pip pyproject.toml
	@echo "== installing the tools for tests and checks"
	@$(BIN)/python -m pip install --quiet --group tools
	@touch $@
