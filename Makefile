# Two commands matter: `make run` and `make test`. Both set up what is missing, from a bare clone of a Debian machine, and
# are quick the second time. The steps are scripts in packaging/setup/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test setup setup-run check format lock image bench bench-ui bench-sandbox bench-detect bench-peers screenshots golden translations freeze prove-clean clean

# Further words for pytest: make test PYTEST="tests/sandbox -k reaper". In one process: make test WORKERS=0
PYTEST ?=
WORKERS ?= 2
# Words for the application: make run ARGS=/some/repository
ARGS ?=
# Only these projects: make bench-peers PEERS="inflection toolz"
PEERS ?=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup-run ## Open the window, or analyse the sample repository where there is no display
	@packaging/setup/run.sh $(ARGS)

test: setup ## Run all tests (PYTEST="words for pytest", WORKERS=0 for one process)
	@packaging/setup/test.sh -n $(WORKERS) $(PYTEST)

setup: ## Set up everything that running and testing needs
	@packaging/setup/setup.sh test

setup-run:
	@packaging/setup/setup.sh run

check: ## Lint, format, types, who may know whom
	@packaging/setup/packages.sh python3 python3-venv
	@packaging/setup/venv.sh test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: ## Format the source and mend what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

image: ## Build the Python sandbox image again
	@packaging/setup/image.sh python --force

lock: ## Renew the lock file of the Python sandbox image
	@packaging/setup/lock_runtime.sh python

bench: setup ## Measure: analysis against its container time, a cold container against docker run
	@for bench in tests/benchmarks/bench_*.py; do \
		module=$${bench%.py}; .venv/bin/python -m $${module//\//.} || exit 1; \
	done

bench-sandbox: setup ## Measure the sandbox: cold, started before, eight at once, mutants a minute
	@.venv/bin/python -m tests.benchmarks.bench_sandbox --repeat 20 --write docs/measurements/sandbox.md

bench-detect: setup ## Measure detection with no model on test vectors: found, precision, frozen in, false alarms
	@.venv/bin/python -m tests.benchmarks.detect.bench_detect --write docs/measurements/detection.md

bench-peers: setup ## Measure ours beside Pynguin and Hypothesis' ghostwriter on real projects (an hour; PEERS="project ...")
	@.venv/bin/python -m tests.benchmarks.peers.bench_peers $(PEERS)

screenshots: setup ## Photograph every page and state, light and dark, into docs/screenshots (2x: docs/screenshots/2x, not kept in git)
	@for scale in 1 2; do \
		place=docs/screenshots; [ $$scale = 1 ] || place=docs/screenshots/2x; \
		xvfb-run -a -s '-screen 0 3200x2000x24' .venv/bin/python -m tests.screenshots.render $$place --scale $$scale || exit 1; \
	done

golden: setup ## Render the golden images of the window's tests anew (look at them)
	@QT_QPA_PLATFORM=offscreen .venv/bin/python -m tests.screenshots.render tests/ui/golden home results defects source run-evidence environment palette
	@rm -f tests/ui/golden/*high-contrast*

bench-ui: setup ## Measure the window: first paint, stalls seen from outside, large lists, memory
	@xvfb-run -a -s '-screen 0 1600x1000x24' .venv/bin/python -m tests.benchmarks.window.bench_ui

freeze: setup ## Freeze what is committed into dist/qverify, one folder that needs no Python (minutes)
	@packaging/freeze/build.sh

prove-clean: ## Prove make run and make test in a bare Debian 12 (as root; minutes, 9 GB)
	@packaging/prove/run.sh clean-debian

prove-%: setup ## Run a heavier proof of packaging/prove; its result goes to docs/measurements
	@packaging/prove/run.sh $*

translations: setup ## Collect the texts of the window into the catalogues of resources/translations
	@.venv/bin/python packaging/translations/update.py

clean: ## Remove what was made here (not Docker images, not your state folder)
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
