# Every target works on a fresh Debian machine with python3 (3.11 or newer) and make.
.DEFAULT_GOAL := install
SHELL := /bin/sh
BIN := .venv/bin

PYTHON_STAMP := .venv/.installed
WEB_STAMP := src/xomyen/node/static/.built
WORDS_STAMP := .venv/.words
WORDS := $(wildcard src/xomyen/centre/locale/*/LC_MESSAGES/django.po src/xomyen/centre/*/locale/*/LC_MESSAGES/django.po)
# Templates name the icons that the web build brings.
TEMPLATES := $(shell find src/xomyen/centre -name '*.html' -o -name '*.py' 2>/dev/null)
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: install web demo test test-postgresql lint format bench lock audit-dependencies test-packages clean

install: $(PYTHON_STAMP) $(WEB_STAMP) $(WORDS_STAMP)  ## everything into .venv, with the web parts and words built

$(PYTHON_STAMP): requirements.lock requirements-demo.lock pyproject.toml scripts/setup-python
	scripts/setup-python
	@touch $@

$(WEB_STAMP): $(PYTHON_STAMP) $(WEB_SOURCES) $(TEMPLATES) scripts/build-web
	scripts/build-web
	@touch $@

$(WORDS_STAMP): $(PYTHON_STAMP) $(WORDS) scripts/build-words
	scripts/build-words
	@touch $@

web: $(WEB_STAMP)

demo: install  ## a commune of 25 simulated cameras; prints the address to open
	$(BIN)/xomyen demo

test-packages:
	scripts/test-packages

test: install test-packages  ## every test, real parts included
	scripts/run-tests

test-postgresql: install test-packages  ## the tests of the centre once more, on PostgreSQL
	scripts/run-tests-postgresql

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/lint-web

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install test-packages  ## every claim of speed with its peer; writes bench/results/
	$(BIN)/python -m bench

clean:
	rm -rf .venv .node .audit web/node_modules src/xomyen/node/static src/xomyen/centre/static build
	find src/xomyen/centre -name '*.mo' -delete

lock:  ## resolves the dependencies anew
	for set in dev demo node tools audit; do \
	  case $$set in dev) from="pyproject.toml --group dev"; to=requirements.lock; deps= ;; \
	  demo) from="--group demo"; to=requirements-demo.lock; deps=--no-deps ;; \
	  *) from="--group $$set"; to=requirements-$$set.lock; deps= ;; esac; \
	  uv pip compile $$from $$deps --upgrade --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet --output-file $$to || exit 1; \
	done

audit-dependencies: install  ## asks PyPI and npm for known holes in what is locked; fails where there are some, or no answer
	scripts/audit-dependencies
