# Two commands for a newcomer: `make demo` and `make test`. Both do their own set-up.
PYTHON ?= python3
STACK ?= three-nodes
# How many test files run beside each other; 0: one after the other, in one process. Six for two
# processors: the tests with a lab wait more than they compute. Those of `make unit` do not.
AT_ONCE ?= 6
unit: AT_ONCE = 3
# What installs the Python packages where it is there; empty: pip.
export UV ?= uv
VENV := .venv
# Sphinx and what it needs, apart from what the program needs.
SITE_VENV := .venv-site
RUN := $(VENV)/bin/python

.PHONY: help demo demo-down new plan status up test unit bench docs site setup

help:
	@echo "make demo              build the lab on this machine and bring the stack lab up on it"
	@echo "make demo-down         remove the lab"
	@echo "make new STACK=name    write a stack file from the cluster; ARGUMENTS=--help"
	@echo "make plan STACK=name   what a stack would do, without reaching anything; ALL=1: every resource"
	@echo "make up STACK=name     pulumi preview and pulumi up, on one screen; YES=1, ALL=1: pulumi up itself"
	@echo "make status STACK=name how the storage of a stack is, and whether Rancher runs; JSON=1, HTML=file"
	@echo "make test              every check and test"
	@echo "make unit              the tests that need nothing but Python"
	@echo "make bench             how long it takes with 3 to 1000 nodes"
	@echo "make docs              write the generated parts of docs/ again"
	@echo "make site              make a site of README.md and docs/, with search: .site/html/index.html"

$(VENV)/ready: requirements.lock
	@sh tools/packages.sh $(PYTHON) $(VENV) $<

setup: $(VENV)/ready
	sh tools/setup.sh

# The words come first, whatever has to be set up.
demo:
	@echo "make demo: a lab on this machine and the whole stack on it, in about three minutes;"
	@echo "the first time it is set up and built, which takes about twenty minutes more."
	@$(MAKE) --no-print-directory setup
	$(RUN) -m tools.demo

demo-down: $(VENV)/ready
	$(RUN) -m lab down

new: $(VENV)/ready
	@$(RUN) -m tools.new $(STACK) $(ARGUMENTS)

plan: $(VENV)/ready
	@$(RUN) -m tools.plan $(STACK) $(if $(JSON),--json) $(if $(ALL),--all)

up: $(VENV)/ready
	@$(RUN) -m tools.up $(STACK) $(if $(YES),--yes) $(if $(ALL),--all)

status: $(VENV)/ready
	@$(RUN) -m tools.status $(STACK) $(if $(JSON),--json) $(if $(HTML),--html $(HTML))

test: setup
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pyright
	$(RUN) -m tools.shell_scripts | xargs shellcheck
	$(RUN) -m lab build
	$(RUN) -m pytest --numprocesses $(AT_ONCE) --dist loadfile --no-loadscope-reorder

unit: $(VENV)/ready
	$(RUN) -m pytest --numprocesses $(AT_ONCE) --dist loadfile tests/unit

bench: setup
	$(RUN) -m tools.bench.program
	$(RUN) -m tools.bench.reading
	$(RUN) -m tools.bench.cluster
	$(RUN) -m tools.bench.engine
	$(RUN) -m tools.bench.lab

docs: $(VENV)/ready
	$(RUN) -m tools.pages.reference
	$(RUN) -m tools.pages.schema
	$(RUN) -m tools.pages.mistakes
	$(RUN) -m tools.pages.arguments
	$(RUN) -m tools.pages.picture

$(SITE_VENV)/ready: tools/site/requirements.lock
	@sh tools/packages.sh $(PYTHON) $(SITE_VENV) $<

# Anew each time, which takes some seconds: a page that is gone must not stay.
site: $(SITE_VENV)/ready
	rm -rf .site
	$(SITE_VENV)/bin/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir tools/site \
		--doctree-dir .site/doctrees . .site/html
	$(SITE_VENV)/bin/python -m tools.site.foreign .site/html
	@echo "made .site/html/index.html"
