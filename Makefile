# One entry for everything one does with a checkout. `make help` lists it.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench bench-correlation bench-audit bench-act bench-policy prove-owners prove-calendars sim clean programs-demo programs-test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENVIRONMENT := $(VENV)/.environment-complete
ASSETS := $(VENV)/.assets-complete

PROGRAMS_DEMO := python3 openssh-server openssh-client nginx redis-server iproute2 util-linux \
  prometheus prometheus-alertmanager prometheus-blackbox-exporter prometheus-node-exporter
PROGRAMS_TEST := $(PROGRAMS_DEMO) redmine redmine-sqlite puma chromium \
  haproxy socat postgresql logrotate chrony lvm2

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(ENVIRONMENT) $(ASSETS) ## make .venv with everything

demo: setup programs-demo ## break real services and watch them being remediated (KEEP=1: stay; TICKETS=1: with Redmine)
	@$(BIN)/python -m deploy.demo

test: setup programs-test check ## set-up, lint, types and the whole suite with real servers
	@$(BIN)/pytest $(ARGS)

check: setup ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy -p agent -p connectors -p deploy.demo -p tests.servers

bench: setup programs-demo ## measure beside the baselines (ARGS="--quick --only ingest")
	@$(BIN)/python -m tests.bench $(ARGS)

bench-audit: setup ## how long an audit log takes to check, and what alerts pay for it
	@$(BIN)/python -m tests.bench.audit $(ARGS)

bench-correlation: setup ## what a new alert costs when much fires, as a ratio
	@$(BIN)/python -m tests.bench.correlation.speed

prove-owners: setup ## two agents that both believe they lead: ten thousand decisions
	@OWNER_SEEDS=170 $(BIN)/pytest -s tests/runtime/test_two_owners.py

prove-calendars: setup ## the gate against a clock: each minute of two years in twelve zones
	@$(BIN)/python -m tests.calendars.prove $(ARGS)

bench-act: setup programs-demo ## our own time from an alert to ansible-playbook, beside its start
	@$(BIN)/python -m tests.bench.act $(ARGS)

bench-policy: setup ## what a decision of policy costs with 500 rules, beside one rule
	@$(BIN)/python -m tests.bench.policy

sim: setup ## run seeded worlds through the rules (ARGS="--seeds 5000")
	@$(BIN)/watchkeeper sim $(ARGS)

clean: ## remove all that make made here
	@rm -rf $(VENV) node_modules agent/web/static/vendor .mypy_cache .ruff_cache .hypothesis .demo

programs-demo:
	@deploy/setup/programs.sh $(PROGRAMS_DEMO)

programs-test:
	@deploy/setup/programs.sh $(PROGRAMS_TEST)

$(ENVIRONMENT): pyproject.toml deploy/setup/environment.sh
	@deploy/setup/environment.sh $(VENV) $(PYTHON)
	@touch $@

$(ASSETS): $(ENVIRONMENT) deploy/setup/assets.sh $(wildcard package.json package-lock.json agent/web/assets.py)
	@deploy/setup/assets.sh $(VENV)
	@touch $@
