# Kindred. `make help` lists the targets; the first two a newcomer needs are `make run` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help

DATA     ?= kindred-data
ADDR     ?= 127.0.0.1:8080
SAMPLE   := data/dataset/sample/ml-latest-small
FUZZTIME ?= 60s
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
CC_FOUND := $(shell command -v "$$(go env CC)" 2>/dev/null)
TOOLS    := -modfile=deploy/tools/go.mod

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build, import the MovieLens sample and train (first time only), then serve on ADDR
	@bin/kindred demo --data $(DATA) --addr $(ADDR) --sample $(SAMPLE)

.PHONY: build
build: ## Build bin/kindred: one static binary, no C compiler needed
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/kindred ./cmd/kindred

.PHONY: test
test: ## Run every test, with the race detector where a C compiler exists, and count them
ifeq ($(CC_FOUND),)
	@if [ "$$CI" = true ]; then echo "FAIL: CI=true requires the race detector, and no C compiler ($$(go env CC)) was found" >&2; exit 1; fi
	@echo "*** NO C COMPILER ($$(go env CC)): TESTS RUN WITHOUT THE RACE DETECTOR ***"
	@CGO_ENABLED=0 go vet ./...
	@CGO_ENABLED=0 go test -json -timeout 30m ./... | go run ./cmd/internal/testcount
else
	@go vet ./...
	@CGO_ENABLED=1 go test -race -json -timeout 30m ./... | go run ./cmd/internal/testcount
endif

.PHONY: race
race: ## Run every test with the race detector; fails where there is no C compiler
	@CGO_ENABLED=1 go test -race -json -timeout 30m ./... | go run ./cmd/internal/testcount

.PHONY: check
check: ## Format, vet, lint, import table, tests: what to run before a commit
	@bad=$$(gofmt -l cmd data features model serving training); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go tool $(TOOLS) staticcheck ./...
	cd model/kernel/gen && go vet . && go run . -check
	go test ./cmd/internal/archtest
	deploy/alerts/check.sh
	@$(MAKE) --no-print-directory test

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (default 60s) each
	@deploy/fuzz.sh $(FUZZTIME)

.PHONY: kills
kills: ## Kill the server 20 times under each client from npm: make kills [SEED=7]
	KILLS=20 go test -count=1 -run Killed -v -timeout 30m ./serving/ingest/compat

.PHONY: hostile
hostile: ## Thousands of idle, slow, half-closed and oversized connections and gzip bombs before a server
	HOSTILE=1 go test -count=1 -run HostileClients -v ./cmd/kindred

.PHONY: overload
overload: ## Send a server ten times its configured capacity for 60 s, then hold answers, log, times and memory against their budgets
	OVERLOAD=$(or $(FOR),60s) go test -count=1 -run TenTimes -v -timeout 15m ./cmd/kindred

.PHONY: bench
bench: ## Run the Go benchmarks, in the form that benchstat reads
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-peers
bench-peers: ## Measure beside implicit, hnswlib and SciPy from PyPI into docs/benchmarks.md: make bench-peers [DATASETS=DIR] [ONLY=als/*]
	@DATASETS="$(DATASETS)" deploy/bench/peers.sh $(if $(ONLY),-only "$(ONLY)") $(BENCHFLAGS)

.PHONY: bench-http
bench-http: ## Measure a server with made-up models under load into docs/benchmarks.md: make bench-http [ONLY=http/1m]
	@deploy/bench/http.sh $(if $(ONLY),-only "$(ONLY)") $(BENCHFLAGS)

.PHONY: eval
eval: build ## Run ladder cases D7, D1, D2 and D6: make eval DATASETS=DIR [OUT=eval]
	@if [ -z "$(DATASETS)" ]; then echo "make eval: say where the data sets are: make eval DATASETS=DIR (a folder that holds ml-100k, ncf-ml-1m, gowalla-lightgcn, seg-wholesale and seg-cdnow)" >&2; exit 2; fi
	bin/kindred evaluate --ladder "$(DATASETS)" --out "$(or $(OUT),eval)"

.PHONY: generate
generate: ## Rewrite the assembly of model/kernel with its generator
	cd model/kernel/gen && go run .

.PHONY: golden
golden: ## Rewrite golden files from what the code does now; read the diff before committing it
	go test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' cmd data features model serving training | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

.PHONY: clean
clean: ## Remove what make built and the sample's data directory
	rm -rf bin build eval $(DATA)
