# Two commands are enough: `make run` and `make test`. The rest is for those who work on the house.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE  # else every process that is started compiles everything anew

SOURCES := domain providers storage activities workflows runtime api sandbox cli worker.py failpoints benchmarks tests

# Runs a quiet command with a dot every two seconds, so that nobody wonders whether it still lives.
define patiently
( $(1) & pid=$$!; while kill -0 $$pid 2>/dev/null; do printf .; sleep 2; done; wait $$pid ) && echo " done"
endef

.PHONY: run install install-dev test smoke chaos mutate bench lint lock clean

run: install  ## set up, start everything, make one video, print where it is, keep serving
	@$(BIN)/videoplanet up $(if $(ONCE),--once) $(if $(PROMPT),--prompt "$(PROMPT)") $(if $(LIVE),--live)

install: $(VENV)/.installed  ## what running needs

install-dev: $(VENV)/.installed-dev  ## what testing needs as well

$(BIN)/python:
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit("VideoPlanet needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Try: make run PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked requirements ..."
	@$(call patiently,$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the locked development requirements ..."
	@$(call patiently,$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock)
	@touch $@

test: install-dev  ## every test
	$(BIN)/python -m pytest -n 4 --dist worksteal

smoke: install-dev  ## the shortest proof that the whole thing works
	$(BIN)/python -m pytest -m smoke -n 2 tests/cli tests/e2e

chaos: install-dev  ## videos are made while processes are killed: N=200 generations, K=30 kills, SEED=..., REPORT=...
	@$(BIN)/python -m tests.chaos.run --generations $(or $(N),200) --kills $(or $(K),30) \
		$(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report "$(REPORT)")

mutate: install-dev  ## one fault after another is put into the decisions; the tests must notice: MODULE='domain.gate*'
	-PROPERTIES=mutation $(BIN)/mutmut run $(if $(MODULE),"$(MODULE)")
	@$(BIN)/mutmut results
	@echo "Each line above is a fault that no test has noticed: '$(BIN)/mutmut show NAME' shows it."

bench: install-dev  ## measured claims, as ratios within one run
	$(BIN)/python -m benchmarks.gate_burst

lint: install-dev  ## style, types, and the import rule of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-cache

lock: install-dev  ## the lock files anew, from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --generate-hashes --no-header --no-annotate --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra build --extra dev --universal --generate-hashes --no-header --no-annotate --quiet -c requirements.lock -o requirements-dev.lock

clean:  ## everything that can be made again, but not the data
	rm -rf $(VENV) mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis
