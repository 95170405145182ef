# What a person and CI run is the same: .ci/run calls "make test" and no more.
# "make" alone lists the targets.

SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS  += --no-print-directory
.DEFAULT_GOAL := help

BIN         := bin/acalocal
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     := -s -w -X github.com/acalocal/acalocal/internal/version.Version=$(VERSION)
# gRPC's trace pages need text/template, for which the linker keeps every method there is (docs/decisions/0710).
TAGS        := grpcnotrace
GOBUILD     := CGO_ENABLED=0 go build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)'
PLATFORMS   := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Settings of single targets: make sim SEEDS=100000, make fuzz FUZZTIME=5m.
SEEDS     ?= 10000
FUZZTIME  ?= 10s
PAGE_TESTS ?= .
BENCHTIME ?= 1s

##@ Every day

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ /{ printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## /{ printf "  %-18s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: agents ## Build bin/acalocal for this machine
	$(GOBUILD) -o $(BIN) ./cmd/acalocal

.PHONY: test
test: ## Everything CI checks: lint, race, sim, cross, docker-test; installs what is missing
	@scripts/test.sh

.PHONY: unit
unit: ## Unit tests without the race detector
	go test ./...

.PHONY: race
race: ## Unit tests with the race detector
	go test -race -timeout 20m ./...

.PHONY: lint
lint: ## gofmt, go vet for each system, staticcheck
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted by gofmt:"; echo "$$files"; exit 1; }
	CGO_ENABLED=0 go vet ./...
	GOOS=darwin GOARCH=arm64 go vet ./...
	GOOS=windows GOARCH=arm64 go vet ./...
	CGO_ENABLED=0 go run $(STATICCHECK) ./...
	@for m in $$(git ls-files '*/go.mod'); do echo "go vet $${m%/go.mod}"; (cd $${m%/go.mod} && go vet ./...); done

.PHONY: sim
sim: ## The simulation over SEEDS seeds: apps, revisions, scaling
	CGO_ENABLED=0 go test ./internal/sim -count=1 -timeout 60m -run 'Seeds$$' -seeds $(SEEDS)

.PHONY: docker-test
docker-test: build base-image ## Tests against the real Docker; they fail where it is absent
	@scripts/docker-test.sh

.PHONY: page-test
page-test: ## The log page in Chromium; screenshots are kept in dist/page
	@mkdir -p dist/page
	CGO_ENABLED=0 ACALOCAL_CHROMIUM=1 go test -count=1 -timeout 5m -run '$(PAGE_TESTS)' ./internal/page -artifacts -outputdir $(CURDIR)/dist/page

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME each
	@scripts/fuzz.sh $(FUZZTIME)

##@ Try it

.PHONY: demo
demo: build base-image ## Run the Flask example: request, events, a query, and away again
	@scripts/demo.sh

.PHONY: base-image
base-image: ## See to it that python:3.11-slim is here: pulled, or assembled from Debian packages
	@scripts/base-image.sh

.PHONY: image
image: agents ## Build the image acalocal:dev, which compose.yaml runs
	@scripts/image.sh acalocal:dev $$(docker version --format '{{.Server.Arch}}')

.PHONY: images
images: agents ## Build the image for every platform, into dist/image-ARCH.tar
	@for arch in amd64 arm64; do \
		scripts/image.sh acalocal:dev-$$arch $$arch; \
		docker save --output dist/image-$$arch.tar acalocal:dev-$$arch; \
		docker image rm acalocal:dev-$$arch >/dev/null; \
		echo "dist/image-$$arch.tar"; \
	done

##@ Measure

.PHONY: bench
bench: ## All benchmarks
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) ./...

.PHONY: bench-probes
bench-probes: ## A thousand probed containers at a period of 1 s; fails when the prober takes above 5 % of a core
	go test ./probes -run '^$$' -bench ThousandContainers -benchtime 1x -count 3

.PHONY: bench-up
bench-up: build base-image ## Start-up time against docker run, memory, size
	@scripts/bench-up.sh

.PHONY: bench-reload
bench-reload: build base-image ## Save to serving, by sync and rebuild, against docker build and run
	@scripts/bench-reload.sh

.PHONY: bench-cold
bench-cold: build base-image ## What a cold start through the edge adds to docker run; fails above 300 ms
	@scripts/bench-cold.sh

.PHONY: bench-swap
bench-swap: build base-image ## 100 swaps under 500 requests/s; fails when one is lost
	@scripts/bench-swap.sh

# Other people's programs that hold the edge to account, built once.
TOOLS     := $(CURDIR)/bin/tools
WITHTOOLS := PATH="$(TOOLS):$$PATH"

# make conformance PARTS="tls slow" measures two parts anew and keeps the rest;
# TRAEFIK=off does without a peer that takes half an hour to build.
.PHONY: conformance
conformance: build ## The edge against all suites and peers, in half an hour; writes docs/conformance.md
	@bench/ingress/tools.sh $(TOOLS) suites
	@bench/ingress/tools.sh $(TOOLS) peers
	@$(WITHTOOLS) KEEP=$(CURDIR)/bin/conformance SPEED=quick SPEED_BASE=caddy \
		bench/ingress/conformance.sh $(CURDIR)/$(BIN) $(PARTS) > docs/conformance.md.new
	mv docs/conformance.md.new docs/conformance.md

.PHONY: suites
suites: build ## The edge against h2spec, gRPC's interop tests, two WebSocket libraries, raw HTTP/1.1
	@bench/ingress/tools.sh $(TOOLS) suites
	@$(WITHTOOLS) bench/ingress/conformance.sh $(CURDIR)/$(BIN)

.PHONY: probe
probe: build ## The edge against 77 raw HTTP/1.1 cases
	@INGRESS_CMD='$(CURDIR)/$(BIN) edge --listen {plain} --tls {tls} --h2c {h2c} --cert {cert} --key {key} --backend {backend} --h2-backend {h2backend}' \
		NGINX=off HAPROXY=off CADDY=off TRAEFIK=off bench/ingress/bench-ingress.sh probe

.PHONY: bench-logs
bench-logs: ## The log store against DuckDB, 10 M rows
	cd bench/logs && go run .

.PHONY: kql-conformance
kql-conformance: ## KQL against its cases, rejects and corpus
	go run ./logsink/kql/internal/conformance

##@ Release

.PHONY: agents
agents: ## The program that runs inside replicas, for the platforms of Docker engines
	go generate ./internal/agent

.PHONY: cross
cross: agents ## Build dist/ for every platform
	@for p in $(PLATFORMS); do \
		out=dist/acalocal-$${p%/*}-$${p#*/}; case $$p in windows/*) out=$$out.exe;; esac; \
		echo "build $$out"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GOBUILD) -o $$out ./cmd/acalocal; \
	done

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist internal/agent/bin/*.gz
