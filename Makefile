# Everything lives in .venv of the checkout and in caches; see README.md for the two commands that matter.
PYTHON ?= python3
BIN := .venv/bin
NODE ?= D601
LANE ?= v03
N ?= 2000
SEED ?= 1
INPUTS ?= 100000
JOBS ?= 4
SELECT := --node $(NODE) --lane $(LANE)
TEKTON_CRDS := $(wildcard ../shared/data/tekton/crds)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test check coverage bench fidelity faults faults-long fuzz screens testbed-up testbed-down clean

demo: .venv/.runtime  ## set up, make a sandbox, plan, apply, plan again (empty), roll the lane out
	rm -rf .sandbox
	$(BIN)/hwplan sandbox create .sandbox $(SELECT)
	$(BIN)/hwplan plan $(SELECT) --live .sandbox
	$(BIN)/hwplan apply $(SELECT) --live .sandbox --confirm
	$(BIN)/hwplan plan $(SELECT) --live .sandbox --detailed-exitcode
	$(BIN)/hwplan trigger $(SELECT) --live .sandbox --confirm --wait
	$(BIN)/hwplan status $(SELECT) --live .sandbox

test: check  ## set up every real part and run the whole suite
	$(BIN)/python -m compileall -q planner providers state tests  # where imports may not, each of a thousand commands would
	$(BIN)/python -m tests.testbed build
	$(if $(TEKTON_CRDS),HWPLAN_TEKTON_CRDS=$(abspath $(TEKTON_CRDS))) $(BIN)/pytest -n $(JOBS) --dist worksteal

check: .venv/.dev  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

coverage: .venv/.dev  ## branch coverage of the decisions by unit tests alone; fails below 95 % in any of the four
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(JOBS) $(addprefix tests/unit/,core diff drift effects graph planning state)
	$(BIN)/coverage combine --quiet
	rm -f .coverage.*  # of a process that a test killed while it wrote
	$(BIN)/coverage report
	@for part in 'planner/planning/*' 'planner/graph/*' planner/document_diff.py 'state/*'; do \
	  echo "$$part: $$($(BIN)/coverage report --include "$$part" --format total --precision 1) %"; \
	  $(BIN)/coverage report --include "$$part" --fail-under 95 >/dev/null || { echo "$$part: below 95 %"; exit 1; }; done

bench: .venv/.dev  ## the speed table of the README, peers in turn
	$(BIN)/python -m bench; met=$$?; $(BIN)/python -m bench.images 2048 5 && exit $$met

fidelity: .venv/.dev  ## predictions against the server's dry run, random cases
	$(BIN)/python -m tests.fidelity --cases $(N) --seed $(SEED)

faults: .venv/.dev  ## kills, cut connections, storms and planted secrets, as the gate has them
	$(BIN)/python -m tests.testbed build
	$(BIN)/pytest -n $(JOBS) tests/faults tests/canaries

faults-long: .venv/.dev  ## the same with every pair of kill points, and more secrets
	$(BIN)/python -m tests.testbed build
	HWPLAN_FAULTS=long HWPLAN_CANARIES=1000 $(BIN)/pytest -n $(JOBS) --timeout 36000 tests/faults tests/canaries

fuzz: .venv/.dev  ## 100,000 broken inputs for every parser: a table of what was found
	$(BIN)/python -m tests.fuzz --inputs $(INPUTS) --seed $(SEED)

screens: .venv/.dev  ## the pictures in docs/screens
	$(BIN)/python -m tests.screens

testbed-up: .venv/.dev  ## the real parts on loopback; prints the kubeconfig
	$(BIN)/python -m tests.testbed up

testbed-down: .venv/.dev
	$(BIN)/python -m tests.testbed down

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hwplan needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch .venv/.runtime $@

clean:
	rm -rf .venv .sandbox
