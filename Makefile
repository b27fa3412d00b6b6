# Everything that is run on this repository, by people and by CI. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The tools, pinned: each is built once, into a directory named after its version.
tool           = .tools/$(1)/$(notdir $(firstword $(subst @, ,$(1))))
GOLANGCI_LINT := $(call tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0)
GOTESTSUM     := $(call tool,gotest.tools/gotestsum@v1.13.0)
OCB           := $(call tool,go.opentelemetry.io/collector/cmd/builder@v0.165.0)
CYCLONEDX     := $(call tool,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0)

# Without the fallback to source hosts, a module that the proxy lacks fails at once.
comma := ,
export GOPROXY := $(patsubst %$(comma)direct,%,$(shell go env GOPROXY))

# Nothing here needs git, which would be asked for a stamp otherwise.
export GOFLAGS += -buildvcs=false

# go.work joins the two modules that are released, the root and kpl. The others have a go.mod with replacements.
alone := GOWORK=off

COLLECTOR := dist/otelcol-kinesis
PEERS     := testdata/peers
FUZZTIME  ?= 10s
ROUNDS    ?= 5
SHAPES    ?=
ONLY      ?=
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
AGAIN     ?= -again
SEEDS     ?= 10000
PACKAGES  ?= 3
FROM      ?= 0

# The packages whose tests take longest come first, PACKAGES at a time: internal/e2e mostly waits for others.
LONGEST := ./internal/e2e ./marshaler ./kpl/... .

# Whole collectors to measure: one for each manifest of bench/collectors, with one exporter each.
BENCH_COLLECTORS := $(patsubst bench/collectors/%.yaml,dist/bench/%/collector,$(wildcard bench/collectors/*.yaml))

# What the collector is made of: the Go files of both modules. The generated ones of dist/ depend on the manifest alone.
SOURCES := $(shell find . -name '*.go' ! -name '*_test.go' \
	! -path './dist/*' ! -path './cmd/*' ! -path './examples/*' ! -path '*/node_modules/*' \
	! -path './bench/*' ! -path './internal/peers/*' ! -path './internal/e2e/*' ! -path './internal/demo/*' \
	! -path './internal/docs/*' ! -path './internal/release/*' ! -path './internal/deploy/*' ! -path './internal/migration/*' ! -path './internal/options/*' ! -path './deploy/*') go.mod go.sum kpl/go.mod kpl/go.sum

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.tools/%:
	CGO_ENABLED=0 GOBIN=$(CURDIR)/$(@D) go install $(patsubst .tools/%/,%,$(dir $@))

.PHONY: build
build: $(COLLECTOR) ## build the collector: dist/otelcol-kinesis

dist/go.mod: builder-config.yaml go.mod kpl/go.mod | $(OCB)
	$(alone) $(OCB) --config $< --skip-compilation

$(COLLECTOR): dist/go.mod $(SOURCES)
	cd dist && $(alone) CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o otelcol-kinesis .

.PHONY: demo
demo: $(COLLECTOR) ## send real telemetry of this machine through the collector into a local Kinesis, and read it back
	CGO_ENABLED=0 go build -o dist/ ./cmd/kinesisfake ./cmd/kinesistail
	@CGO_ENABLED=0 go run ./internal/demo -bin dist -config testdata/demo.yaml

.PHONY: test
test: check $(COLLECTOR) $(BENCH_COLLECTORS) peers prometheus $(GOTESTSUM) ## all that CI runs: check, unit tests, end-to-end tests
	go test -count=1 . ./kpl/... ./marshaler # all data; with the race detector it takes ten times as long, so that gets -short
	cd kpl && $(alone) go vet ./... # the module by itself
	$(MAKE) release-dry-run PLATFORMS=$$(go env GOOS)/$$(go env GOARCH) AGAIN=
	KINESIS_E2E_BINARY=$(CURDIR)/$(COLLECTOR) $(GOTESTSUM) --format pkgname-and-test-fails -- \
		-race -short -shuffle=on -tags e2e -timeout 30m -p $(PACKAGES) $(LONGEST) ./...
	cd bench && $(alone) $(CURDIR)/$(GOTESTSUM) --format pkgname-and-test-fails -- -shuffle=on -timeout 30m ./...
	cd internal/migration && $(alone) $(CURDIR)/$(GOTESTSUM) --format pkgname-and-test-fails -- -shuffle=on ./...

.PHONY: unit
unit: $(GOTESTSUM) ## the unit tests alone; needs nothing but Go
	$(GOTESTSUM) --format pkgname-and-test-fails -- -race -shuffle=on -timeout 30m ./...
	cd kpl && $(alone) $(CURDIR)/$(GOTESTSUM) --format pkgname-and-test-fails -- -race -shuffle=on -timeout 30m ./...

.PHONY: check
check: generated lint docs ## everything but the tests: generated files, format and lint, documents

.PHONY: generated
generated: ## generate what is generated, and fail if that changed a file
	@state() { git ls-files -cmo --exclude-standard -z | sort -zu | xargs -0 sha256sum 2>/dev/null || true; }; \
	before=$$(state); go generate work; \
	diff <(echo "$$before") <(state) || { echo 'generated files were out of step; they are renewed: commit them'; exit 1; }

.PHONY: lint
lint: $(GOLANGCI_LINT) ## run the linters; they check the format too
	$(GOLANGCI_LINT) run ./... ./kpl/...
	cd bench && $(alone) $(CURDIR)/$(GOLANGCI_LINT) run ./...
	cd internal/migration && $(alone) $(CURDIR)/$(GOLANGCI_LINT) run ./...

.PHONY: docs
docs: ## check the documents' links and DESIGN.md's file map
	go test ./internal/docs/

.PHONY: fix
fix: $(GOLANGCI_LINT) ## format, and apply what the linters can fix themselves
	$(GOLANGCI_LINT) fmt
	$(GOLANGCI_LINT) run --fix ./... ./kpl/...
	cd bench && $(CURDIR)/$(GOLANGCI_LINT) fmt && $(alone) $(CURDIR)/$(GOLANGCI_LINT) run --fix ./...

# Producers for Python to compare with, where Python is to be had.
BENCH_PYTHON := .tools/python/bin/python

$(BENCH_PYTHON): bench/python/requirements.txt
	@{ python3 -m venv .tools/python && $@ -m pip install -q -r $<; } || { rm -rf .tools/python; echo 'no Python to compare with'; }

.PHONY: collectors
collectors: $(BENCH_COLLECTORS) ## build the collectors that `make bench` measures: dist/bench

.PRECIOUS: dist/bench/%/go.mod
dist/bench/%/go.mod: bench/collectors/%.yaml go.mod kpl/go.mod | $(OCB)
	@mkdir -p $(@D)
	$(alone) $(OCB) --config $< --skip-compilation

dist/bench/%/collector: dist/bench/%/go.mod $(SOURCES)
	cd $(@D) && $(alone) CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o collector .

.PHONY: bench
bench: $(BENCH_PYTHON) $(BENCH_COLLECTORS) ## measure beside awskinesisexporter: ROUNDS (5) rounds; 25 minutes, less with SHAPES or ONLY
	cd bench && $(alone) go run . -rounds $(ROUNDS) \
		$(if $(SHAPES)$(ONLY),-shapes '$(SHAPES)' -only '$(ONLY)' -out ../dist/bench.json,-out results.json -root ..) \
		-collectors $(CURDIR)/dist/bench -python "$$(ls $(CURDIR)/$(BENCH_PYTHON) 2>/dev/null)"

.PHONY: microbench
microbench: ## run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./kpl/... ./marshaler

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@grep -rHoE '^func Fuzz\w+' --include='*_test.go' . | while IFS=: read -r file target; do \
		echo "$${target#func } in $${file%/*}"; \
		go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$${file%/*}"; \
	done

.PHONY: sim
sim: ## run SEEDS (10000) random schedules of the producer, from seed FROM (0) on
	go test -count=1 -timeout 2h -run '^TestSimulation$$' ./kpl -sim.first $(FROM) -sim.seeds $(SEEDS)

.PHONY: limits
limits: ## measure producers that share shards, and renew the table and plot of docs/limits.md
	go test -count=1 -timeout 30m -run '^TestContentionTable$$' ./kpl -limits.docs ../docs

.PHONY: throttled
throttled: ## send 200,000 items through each encoding, key, format and compression into a stream that throttles
	go test -count=1 -timeout 1h -run '^TestThrottledCombinations$$' -v . -throttled.all

.PHONY: readers
readers: peers ## read records of each kind with readers by others, and renew the table of docs/readers.md
	go test -count=1 -tags e2e -timeout 10m -run '^TestReaders$$' ./internal/peers -readers.renew

.PHONY: picture
picture: $(COLLECTOR) prometheus ## renew docs/operate.svg: the dashboard while one thing after the other goes wrong
	KINESIS_E2E_BINARY=$(CURDIR)/$(COLLECTOR) go test -count=1 -tags e2e -timeout 10m \
		-run '^TestDashboardAndAlertsInTrouble$$' ./internal/e2e -operate.docs ../../docs

.PHONY: peers
peers: $(and $(wildcard $(PEERS)/package.json),$(addprefix $(PEERS)/,$(addsuffix /.stamp,node_modules .venv java/lib))) ## install the npm, Python and Java packages that tests talk to

$(PEERS)/node_modules/.stamp: $(wildcard $(PEERS)/package*.json)
	cd $(PEERS) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# Where there is no Python at all, the tests that need it are skipped, and say so.
$(PEERS)/.venv/.stamp: $(PEERS)/requirements.txt
	@mkdir -p $(@D)
	@if command -v python3 >/dev/null; then \
		python3 -m venv $(@D) && $(@D)/bin/pip install -q --disable-pip-version-check -r $< && touch $@; \
	else echo 'no python3: what Python reads is not tested'; fi

# The same for Java.
$(PEERS)/java/lib/.stamp: $(PEERS)/java/pom.xml
	@mkdir -p $(@D)
	@if command -v javac >/dev/null && command -v mvn >/dev/null; then \
		cd $(PEERS)/java && mvn -B -q -ntp dependency:copy-dependencies -DoutputDirectory=lib && touch lib/.stamp; \
	else echo 'no javac or no mvn: what Java reads is not tested'; fi
# Debian's package of Prometheus, unpacked and not installed, so that nothing is started. Where there is no such package and no
# Prometheus, the tests that need it are skipped, and say so.
PROMETHEUS := .tools/prometheus/usr/bin/prometheus

.PHONY: prometheus
prometheus: $(if $(shell command -v prometheus && command -v promtool),,$(PROMETHEUS)) ## get Prometheus for the tests of deploy/

$(PROMETHEUS):
	@mkdir -p .tools/prometheus && cd .tools/prometheus && get() { apt-get download -qq prometheus; } && \
	if { get || { apt-get update -qq && get; }; } 2>/dev/null; then dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb; \
	else echo 'no package of Prometheus: the files of deploy/prometheus are not tried'; fi

.PHONY: tidy
tidy: ## tidy the go.mod of each module; kpl is taken from its folder
	cd kpl && $(alone) go mod tidy
	cp go.mod .tidy.mod && cp go.sum .tidy.sum
	go mod edit -replace github.com/otel-kinesis/kinesiskplexporter/kpl=./kpl .tidy.mod
	$(alone) go mod tidy -modfile .tidy.mod
	go mod edit -dropreplace github.com/otel-kinesis/kinesiskplexporter/kpl .tidy.mod
	LC_ALL=C awk 'NR == FNR { if (/exporter\/kpl /) kpl = kpl $$0 "\n"; next } \
		kpl && $$0 > kpl { printf "%s", kpl; kpl = "" } 1; END { printf "%s", kpl }' go.sum .tidy.sum > .tidy.sums
	mv .tidy.mod go.mod && mv .tidy.sums go.sum && rm .tidy.sum
	cd bench && $(alone) go mod tidy
	cd internal/migration && $(alone) go mod tidy
	cd $(PEERS)/otelsdk && $(alone) go mod tidy

.PHONY: release
release: ## prepare the release of VERSION (v0.2.0), see docs/releasing.md
	go run ./internal/release $(VERSION)

.PHONY: release-dry-run
release-dry-run: $(OCB) $(CYCLONEDX) ## build what a release publishes for PLATFORMS into dist/release, once more to compare (AGAIN)
	go run ./internal/release -build dist/release -platforms '$(PLATFORMS)' $(AGAIN) \
		-ocb $(CURDIR)/$(OCB) -cyclonedx $(CURDIR)/$(CYCLONEDX)

.PHONY: clean
clean: ## remove what was built and installed
	rm -rf dist .tools $(PEERS)/node_modules $(PEERS)/.venv $(PEERS)/java/lib
