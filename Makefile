# Everything a developer or an operator starts by hand. Nothing here needs root.

PORT ?= 8000
DEMO ?= var/demo
JOBS ?= 2
# How many leaves the log of `make bench` has; the targets speak of 1000000, which takes far longer
BENCH_LEAVES ?= 100000
# Extra arguments for pytest, for instance: make test ARGS="-k receipt"
ARGS ?=

BIN := .venv/bin

.PHONY: help serve check test cover lock mutants bench sizes clean run-venv test-venv

help:
	@echo "make serve    start a demo instance on http://127.0.0.1:$(PORT)"
	@echo "make check    quick checks: style, types, contracts, unit tests"
	@echo "make test     everything, browsers included (what CI runs)"
	@echo "make cover    branch coverage of the unit tests"
	@echo "make lock     resolve requirements/*.txt again (UPGRADE=1: newest versions)"
	@echo "make mutants  mutation testing of crypto/ and the workflow"
	@echo "make bench    benchmarks, printed as ratios"
	@echo "make sizes    modules over 250 lines"
	@echo "make clean    remove .venv and caches (var/ stays)"

serve: run-venv
	@$(BIN)/suaka demo $(DEMO) --serve --port $(PORT)

check: test-venv
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tools/sizes.py
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --ignore=tests/e2e $(ARGS)

test: test-venv
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tools/sizes.py
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

cover: test-venv
	@$(BIN)/coverage run -m pytest -q --ignore=tests/e2e $(ARGS)
	@$(BIN)/coverage report

lock:
	@tools/lock $(if $(UPGRADE),--upgrade)

mutants: test-venv
	@$(BIN)/python tools/mutants.py $(ARGS)

bench: test-venv
	@set -e; for script in $(filter-out bench/_%,$(wildcard bench/*.py)); do \
	    name=$$(basename "$$script" .py); \
	    echo "== $$name"; BENCH_LEAVES=$(BENCH_LEAVES) $(BIN)/python -m "bench.$$name"; \
	done

sizes:
	@python3 tools/sizes.py

clean:
	rm -rf .venv build htmlcov .coverage .coverage.* *.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

run-venv:
	@tools/bootstrap run

test-venv:
	@tools/bootstrap test
