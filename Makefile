# Everything a developer types. The tools live in .venv; nothing is installed outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test ci mutants hostile crash soak bench bulk imports growth floors beside lint types openapi clean

run: $(VENV)/.installed
	@exec $(BIN)/rollcall serve

# What every change runs: five minutes on two cores.
test: lint types
	$(BIN)/pytest $(PARALLEL) -m "not ci"

# All of it: what a merge runs.
ci: test
	$(BIN)/pytest $(PARALLEL) -m ci -rs
	$(BIN)/python -m tests.mutants

PARALLEL := -n 2 --dist loadgroup

# Faults planted one by one in copies of the app, which the tests must catch; `make mutants ONLY=meta` plants some.
ONLY ?=

mutants: $(VENV)/.tests-installed
	$(BIN)/python -m tests.mutants $(ONLY)

# Part of `make ci`; by itself, with what it skipped.
hostile: $(VENV)/.tests-installed
	$(BIN)/pytest $(PARALLEL) -rs tests/hostile

# How often `make crash` kills the service, Postgres and a worker; `make ci` does it twice.
ROUNDS ?= 50

crash: $(VENV)/.tests-installed
	CRASH_ROUNDS=$(ROUNDS) $(BIN)/pytest $(PARALLEL) -rPs tests/crash

# How long `make soak` loads each database.
MINUTES ?= 5

soak: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.soak $(MINUTES)

# The peers install themselves under benchmarks/.peers; the results are kept in benchmarks/results.
BENCH ?=

bench: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.run $(BENCH)

# Batches and imports beside the driver's own bulk insert.
bulk: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.bulk $(BENCH)

# A CSV file of 100,000 customers.
imports: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.imports $(BENCH)

# Each route's rate as the users grow; draws benchmarks/results/growth.svg.
growth: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.growth $(BENCH)

# What Rollcall is held to by itself, as ratios of one run.
floors: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.floors $(BENCH)

# What slow requests cost the reads beside them, on SQLite.
beside: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks.beside $(BENCH)

lint: $(VENV)/.tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tests-installed
	$(BIN)/mypy app

openapi: $(VENV)/.installed
	$(BIN)/rollcall openapi > openapi.yaml

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.installed: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.tests-installed: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@
