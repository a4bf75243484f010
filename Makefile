# make demo   set up what is missing and open the tutorial in JupyterLab
# make test   set up what is missing and run every check (CI runs the same)
# make quick  the checks that need neither notebooks nor a browser, under a minute

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
NPM := npm --prefix js --silent

.PHONY: demo test quick setup-test lint types unit slow front nbval browser wheel bench clean

demo:
	@$(PYTHON) tools/setup.py demo
	@$(PYTHON) tools/demo.py

test: quick slow nbval browser wheel

quick: setup-test
	@$(MAKE) --no-print-directory -j2 unit lint types front

setup-test:
	@$(PYTHON) tools/setup.py test

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

front:
	$(NPM) run typecheck
	$(NPM) run lint
	$(NPM) test

SLOW := tests/integrations tests/tracking tests/probes/test_many_cycles.py \
	tests/probes/test_diagnosis.py tests/probes/test_inspect_data.py

# doctests of the package, import walls and unit tests
unit:
	$(PYTEST) -q --doctest-modules nbdiag tests --ignore=tests/browser --ignore=tests/packaging \
		$(SLOW:%=--ignore=%)

# unit tests that train, start processes or wait: the real Lightning and Trainer, killed trainings
slow:
	$(PYTEST) -q $(SLOW)

# a notebook passes when every stored output, nbdiag's own reprs included, comes out the same
nbval:
	$(PYTEST) -q --nbval notebooks --nbval-cell-timeout=300

browser:
	$(PYTEST) -q tests/browser

wheel:
	$(PYTEST) -q tests/packaging

bench:
	for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done
	$(BIN)/python -m benchmarks.diagnosis

clean:
	rm -rf .venv js/node_modules nbdiag/static dist build
