# Everything a developer or CI runs. Each target sets up what it needs, from package registries, into
# .venv and .tools (and Chromium and PostgreSQL, for tests, where root has apt-get); a stamp file with the hash of its
# inputs says what is there already.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export CGO_ENABLED := 0
# The same flags for every go command: mixed ones would compile every package again.
export GOFLAGS := -trimpath -buildvcs=false
export GOTOOLCHAIN := local
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(PATH)
# Where an image has set it, each of the hundreds of servers that tests start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
DATA = data
ARGS ?=

.PHONY: help setup setup-tools setup-dev run demo test torture lint format generate story wheels bench bench-scaling compare bench-measures lock clean
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## Make .venv with the `persona` command, and the gateway
	@tools/setup run

setup-tools: ## Make .venv and .tools with what format, lint and generate need, and nothing outside of them
	@tools/setup tools

setup-dev: ## Both, and every program that tests run
	@tools/setup dev

run: setup ## Start the service with a demo project (ARGS="…" adds flags)
	@exec persona serve --data '$(DATA)' --demo --print-token $(ARGS)

demo: setup ## Tell the worked study: it runs on a service of its own, and leaves nothing
	@PYTHONPATH=examples python -m study

test: setup-dev ## Run all tests (ARGS="-k name" selects)
	@tools/test $(ARGS)

torture: setup-dev ## The long forms of the hardening tests (hours), languages that compile for minutes, all RPCs on PostgreSQL
	@tools/test torture $(ARGS)

# hatch_build.py by itself, since the client has a module of that name too.
lint: setup-tools ## Check style, types and the contract
	ruff check .
	ruff format --check .
	mypy
	mypy hatch_build.py
	shellcheck .ci/run tools/check-breaking tools/setup tools/test tools/wheels clients/shell/persona-*
	buf lint
	@tools/check-breaking
	@unformatted=$$(gofmt -l server clients benchmarks examples); test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }
	go vet ./...
	go -C generated/go vet ./...
	staticcheck ./...

format: setup-tools ## Format Python and Go
	ruff check --fix-only -q .
	ruff format -q .
	gofmt -w server clients benchmarks examples

# First what finds a fault in protos/, while generated/ is still there.
generate: setup-tools ## Make generated/ anew from protos/
	buf build -o /dev/null
	rm -rf generated/persona generated/go/persona generated/gateway
	buf generate
	python tools/update_openapi.py
	python tools/update_docs.py

story: setup-dev ## Write the story of docs/study.md and the study's pictures anew
	@PYTHONPATH=examples python -m study.page

wheels: setup-tools ## Build what is published into dist/, for three platforms (cold some minutes)
	@tools/wheels

bench: setup-dev ## Measure speed against a bare echo, answers, and the library at full size (about ten minutes)
	@python benchmarks/bench.py $(ARGS)
	@python benchmarks/bench_answers.py
	@python benchmarks/bench_library.py

SCALING := PYTHONPATH=benchmarks:tests python -m scaling
bench-scaling: setup-dev ## Measure PostgreSQL, workers, large groups and many tenants (about twenty minutes, 20 GB of disk)
	@$(SCALING).postgresql
	@$(SCALING).workers
	@$(SCALING).tenants
	@$(SCALING).depth $(ARGS)
	@$(SCALING).depth --engine postgresql --personas 3000000

compare: setup-dev ## Measure server CPU beside another checkout, OTHER=its path (about four minutes)
	@python benchmarks/compare.py $(OTHER) $(ARGS)

bench-measures: setup-dev ## Measure the measures on simulated respondents (about ten minutes)
	@missed=0; for each in measures respondents changes groups; do \
	python benchmarks/bench_$$each.py $(ARGS) || missed=1; done; exit $$missed

COMPILE := uv pip compile -q --generate-hashes --no-header --no-annotate --python-version 3.11 --universal \
	--no-emit-package persona-client
lock: setup-tools ## Resolve the Python dependencies anew
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra tracing -c requirements.txt -o requirements-image.txt
	$(COMPILE) pyproject.toml clients/python/pyproject.toml --extra plot --extra formats --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group edsl -o requirements-edsl.txt

clean: ## Remove what setup made; data stay
	rm -rf .venv .tools
