# Targets for people, for CI (.ci/run calls them) and for `sam build`. demo and test need Go and nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

GO        ?= go
PYTHON    ?= python3
FUZZTIME  ?= 20s
GOLANGCI_VERSION := 2.15.0
GOVULNCHECK_VERSION := 1.9.0

# Each function with the most that its bootstrap may weigh, in MB of 1,000,000 bytes: a bigger one starts slower.
SIZES     := ingest:8 sender:10 stream-audit:10 operator:10 media:7 seed-routes:10
FUNCTIONS := $(foreach size,$(SIZES),$(firstword $(subst :, ,$(size))))
# What a Lambda function never links.
FORBIDDEN := modernc.org/sqlite|github.com/spf13/cobra|github.com/prometheus/|gonum.org/|github.com/nyaruka/phonenumbers|aws-sdk-go-v2/config

# The most that relay may weigh, stripped, in MB, and what it never links: pictures are drawn by testing/dashboards. Whatever runs a
# template has the linker keep every exported method, which adds 10 to 20 MB: cobra's SetUsageTemplate and html/template do.
# phonenumbers adds 2.6 MB, and 2.5 MB to the memory of each process: cmd/relay/typed has what is needed of it in a table.
RELAY_SIZE      := 35
RELAY_FORBIDDEN := gonum.org/|github.com/nyaruka/phonenumbers|github.com/chromedp/
RELAY_SYMBOLS   := text/template[.][(][*]Template[)][.]Execute|html/template[.][(]

# Which commit is built, and when it was committed: empty where there is no history, as in the copy that `sam build` makes.
COMMIT := $(shell git describe --always --abbrev=40 --exclude '*' --dirty=+dirty 2>/dev/null)
DATE   := $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
STAMP  := $(foreach part,commit=$(COMMIT) date=$(DATE),-X quickdumpnow.com/smsrelay/shared/telemetry.$(part))

# Packages whose calls are not inlined: the sender is smaller by 130 kB without the SDK's generated code, and every function by 170 kB, in
# memory too, without these of Go's own, which work at the start or little.
NOT_INLINED      := github.com/aws/aws-sdk-go-v2/service/... crypto/tls math/big fmt
FUNCTION_GCFLAGS := $(foreach packages,$(NOT_INLINED),-gcflags '$(packages)=-l')
# lambda.norpc leaves out an older way in which Lambda called Go. nethttpomithttp2 leaves HTTP/2 out of net/http, which is 0.4 MB: no function
# speaks it. The clients of AWS and of Twilio are of HTTP/1.1 on purpose, and so are Lambda's Runtime API and S3.
FUNCTION_TAGS    := lambda.norpc,nethttpomithttp2

# $(call compile,FUNCTION,FOLDER) makes FOLDER/bootstrap. Lambda's processors have the atomic instructions of ARMv8.1 (LSE): a program that
# does not ask for them each time is smaller by 40 kB.
# A third argument names another processor; there functions begin at each 16 bytes, too, as Go has it on Lambda's.
compile = CGO_ENABLED=0 GOOS=linux $(or $(3),GOARCH=arm64 GOARM64=v8.0,lse) $(GO) build -tags $(FUNCTION_TAGS) -trimpath $(FUNCTION_GCFLAGS) -ldflags "-s -w -funcalign=16 $(STAMP)" -o "$(2)/bootstrap" "./functions/$(1)"

# Nor is inlined, in relay, what waits for the network anyway or is generated: relay is smaller by 0.8 MB. The release takes the same list.
RELAY_NOT_INLINED := $(shell cat release/not-inlined.txt)
RELAY_GCFLAGS     := $(foreach packages,$(RELAY_NOT_INLINED),-gcflags '$(packages)=-l')
# Functions begin at each 16 bytes, not 32: smaller by 0.3 MB, in memory too. The release does the same.
RELAY_ALIGNED     := -funcalign=16

# One linter for each of its versions, and one environment for each version of the requirements, shared by all clones.
CACHE    := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)
GOLANGCI := $(CACHE)/smsrelay-golangci-$(GOLANGCI_VERSION)/golangci-lint
VENV     := $(CACHE)/smsrelay-lint-$(shell cat testing/templates/requirements.txt 2>/dev/null | cksum | cut -d ' ' -f 1)
PROMTOOL := $(CACHE)/smsrelay-promtool/promtool
OPENAPI_VENV := $(CACHE)/smsrelay-openapi-$(shell cat testing/openapi/requirements.txt 2>/dev/null | cksum | cut -d ' ' -f 1)

# Twilio's own libraries for Python and Node. The tests of testing/libraries take them from these variables.
LIBRARIES := $(CACHE)/smsrelay-libraries-$(shell cat testing/libraries/requirements.txt testing/libraries/package-lock.json 2>/dev/null | cksum | cut -d ' ' -f 1)
export RELAY_LIBRARY_PYTHON := $(if $(wildcard $(LIBRARIES)/ready),$(LIBRARIES)/python/bin/python)
export RELAY_LIBRARY_NODE   := $(if $(wildcard $(LIBRARIES)/ready),$(LIBRARIES)/node_modules)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Relay one text on this machine, with a stand-in for Twilio, and show its whole trail
	$(GO) run ./cmd/relay demo

# Test programs without what a debugger reads: to link them takes two thirds of the time.
PLAIN := -ldflags=-w
# CI wants no result of an earlier run, and tests three packages at a time: some of them mostly wait.
FRESH := $(if $(CI),-count=1 -p 3)

.PHONY: test
test: ## Run all tests that need nothing but Go
	RELAY_TOOL_PROMTOOL="$(wildcard $(PROMTOOL))" $(GO) test $(PLAIN) $(FRESH) ./...

# The packages that start goroutines, or whose tests do. The others have nothing to race by themselves: they are pure, no package has a
# variable that two goroutines could share (gochecknoglobals), and where handlers and adapters call them they are raced with those.
# testing/e2e and testing/openapi need emulators, and what testing/browser starts are programs of their own.
CONCURRENCY   := ^[[:space:]]*(defer )?go (func|[a-zA-Z])|"sync"|"sync/atomic"|"testing/synctest"|x/sync/errgroup|httptest[.]New|net[.]Listen|http[.]Server[{]
RACE_PACKAGES = $(filter-out ./testing/simulation/ ./testing/e2e/ ./testing/openapi/ ./testing/browser/,$(sort $(dir $(shell grep -rlE --include='*.go' --exclude-dir=peers '$(CONCURRENCY)' ./shared ./functions ./cmd ./testing))))
# A program with the race detector sleeps for a second before it ends, and the stories run some hundreds of them.
RACE          := GORACE=atexit_sleep_ms=0 CGO_ENABLED=1 $(GO) test -race $(PLAIN) $(FRESH)
# What takes minutes with the race detector, and goes one step after the other, kills its process or builds the program. make test runs it,
# and race-all does.
RACE_SKIP     := ^Test(Chaos|Kill|Stories|TheReadmesFirstBlock|AnyDependencyFails|SenderDiesAnywhere|SimulationInFile|ExpiryRuns|QueueBehavesAsItsModel|StepsShowAScan|ReadsWithinOneMoment|Reads$$|NoReceiptIsUnknown|ExpireByAClock|TrailMissesNothing$$|BeginningsMean|CrashesAroundAHold|WithAnAuthority|Burst|OnASmallHost|GiveBack$$|Rebuild$$|Restore(Under|Through))
# A burst, and the stories in which a relay carries texts and answers, is changed meanwhile, and fails.
RACE_STORIES  := ^Test(Burst|Stories)$$/^(answer|conversation|dlq|opt-out|threads)$$

.PHONY: race
race: ## Run the tests of what runs concurrently with the race detector, which needs a C compiler
	$(RACE) -skip '$(RACE_SKIP)' $(RACE_PACKAGES)
	$(RACE) -run '$(RACE_STORIES)' ./cmd/relay -burst.each 5
	$(RACE) -skip '$(RACE_SKIP)' ./testing/simulation -schedules 300

.PHONY: race-all
race-all: ## Run all tests with the race detector, 1,000 schedules of the simulation and two kills of TestChaos
	$(RACE) -timeout 30m -skip '^TestOnASmallHost$$' $$($(GO) list ./... | grep -v '/testing/simulation$$')
	$(RACE) ./testing/simulation -schedules 1000

# DynamoDB Local works on one statement at a time, and gets slower with each table: the adapter's own tests have one to themselves.
.PHONY: test-aws test-aws-tables test-aws-others
test-aws: $(OPENAPI_VENV)/ready ## Run the AWS adapters' tests against emulators, and schemathesis (needs Java 17, Maven and Python)
	$(MAKE) --no-print-directory -j2 test-aws-tables test-aws-others

test-aws-tables:
	$(WITH_EMULATORS) --only dynamodb -- $(TEST_AWS) ./shared/aws/dynamo

test-aws-others:
	RELAY_TOOL_SCHEMATHESIS="$(OPENAPI_VENV)/bin/schemathesis" $(WITH_EMULATORS) -- $(TEST_AWS) $(filter-out ./shared/aws/dynamo/,$(AWS_PACKAGES))

WITH_EMULATORS = $(GO) run ./testing/emulators
TEST_AWS       = $(GO) test $(PLAIN) -count=1 -skip '^Test(Chaos|Killed|Stories|Burst|Restore(Under|Through))'

.PHONY: e2e-aws
e2e-aws: sam-build ## Run what sam build made as the template deploys it, over emulators (and qemu-user for its arm64)
	$(GO) run ./testing/emulators -- $(GO) test -count=1 -v -timeout 25m -parallel 4 ./testing/e2e

.PHONY: e2e-versions
e2e-versions: sam-build ## The same with the last release's sender and this one side by side
	$(GO) run ./testing/emulators -- $(GO) test -count=1 -v -timeout 25m -run 'TestTwoVersions$$' ./testing/e2e -versions

.PHONY: costs
costs: sam-build ## Count the costs from several texts of each path, where e2e-aws plays one that takes what docs/cost.md says
	$(GO) run ./testing/emulators -- $(GO) test -count=1 -v -timeout 25m -run 'TestCosts$$' ./testing/e2e -costs.whole
	$(GO) test -count=1 ./testing/costs

.PHONY: screenshots
screenshots: ## Draw the pictures of docs/console.md (needs Chromium)
	$(GO) test -count=1 -run 'TestScreenshots$$' ./testing/browser -screenshots "$(CURDIR)/docs"

.PHONY: picture
picture: sam-build ## Draw docs/dashboard.png from a quarter of an hour of the same, with all that can go wrong
	@mkdir -p build
	rm -f build/picture.jsonl
	$(GO) run ./testing/emulators -- $(GO) test -count=1 -v -timeout 30m -run 'TestPicture$$' ./testing/e2e -metrics "$(CURDIR)/build/picture.jsonl"
	$(GO) run ./testing/dashboards/render -metrics build/picture.jsonl -out docs/dashboard.png

# The packages with a test that asks for an emulator, or for schemathesis. test-aws leaves out their longest ones, which ask for
# neither: make test runs them.
AWS_PACKAGES = $(sort $(dir $(shell grep -rlE --include='*_test.go' 'relaytest[.](Emulator|Tool)' ./shared ./functions ./cmd ./testing/states ./testing/openapi)))

.PHONY: chaos
chaos: ## Kill a relay under load 50 times with Twilio's faults on: nothing lost, nothing doubled
	$(GO) test -count=1 -v -timeout 30m -run 'TestChaos$$' ./cmd/relay -chaos.kills 50

.PHONY: upgrade-test
upgrade-test: ## Switch 20 times between the last release and this program under load, with kills: nothing lost, nothing doubled
	$(GO) test -count=1 -v -timeout 30m -run 'TestSwitches$$' ./cmd/relay -upgrade.switches 20

.PHONY: simulate
simulate: ## Play 1,000,000 schedules of the simulation (about half an hour)
	cd testing/simulation && GOGC=800 $(GO) test . -count=1 -timeout 0 -run 'TestSimulation$$' -schedules 1000000 -progress -failures 10

MUTATE = $(GO) test $(PLAIN) ./testing/simulation ./testing/mutations -count=1 -timeout 30m -run 'TestMutations$$' -mutations -v

.PHONY: mutations
mutations: ## Break each safeguard on purpose, and see that the simulation, or a test, notices
	$(MUTATE)

.PHONY: mutations-changed
mutations-changed: ## Do that for up to 12 of those whose code has changed in the last 30 commits, others at each commit
	$(MUTATE) -mutations.since HEAD~30 -mutations.most 6

.PHONY: bench
bench: ## Run the benchmarks
	$(GO) test -timeout 60m -run='^$$' -bench=. -benchmem ./...

# What is measured beside the relay's functions: their packages and bundles, made once for each version of them.
PEERS_SOURCES := $(wildcard testing/peers/python/* testing/peers/node/*)
PEERS := $(CACHE)/smsrelay-peers-$(shell cat $(PEERS_SOURCES) 2>/dev/null | cksum | cut -d ' ' -f 1)

.PHONY: bench-peers
bench-peers: $(PEERS)/ready ## Measure three functions beside what people would write instead, into docs/performance.md (needs Python and npm)
	$(GO) -C testing/peers run . -root "$(CURDIR)" -packages "$(PEERS)" $(PEERS_FLAGS)

# Debian's Redis, unpacked with its libraries: no server is installed. As root, apt-get may learn first which version there is.
REDIS := $(CACHE)/smsrelay-redis

.PHONY: bench-queues
bench-queues: $(if $(shell command -v apt-get),$(REDIS)/ready) ## Measure accepts beside other queues, into docs/performance.md (Redis needs apt-get)
	$(GO) -C testing/peers run ./queues -root "$(CURDIR)" $(if $(shell command -v apt-get),-redis "$(REDIS)") $(QUEUES_FLAGS)

$(REDIS)/ready:
	rm -rf "$(@D)"
	mkdir -p "$(@D)"
	cd "$(@D)" && packages="redis-server redis-tools libjemalloc2 liblzf1" && \
		{ apt-get download -qq $$packages 2>/dev/null || { apt-get update -qq && apt-get download -qq $$packages; }; } && \
		for package in *.deb; do dpkg -x "$$package" . || exit 1; done
	touch "$@"

# The packages with benchmarks, but for those whose benchmarks take minutes: they fill ledgers of a million texts, or take a fixed time.
BENCHED = $(filter-out ./cmd/relay/ ./cmd/relay/console/ ./cmd/relay/serve/onehost/,$(sort $(dir $(shell grep -rl --include='*_test.go' '^func Benchmark' ./shared ./functions ./cmd ./testing/lambdahost))))

.PHONY: bench-once
bench-once: $(if $(CI),$(PEERS)/ready) ## Run each short benchmark once, and of bench-peers what is installed, to see that they work
	$(GO) test $(PLAIN) -short -run '^$$' -bench . -benchtime 1x $(BENCHED)
	cd testing/peers && $(GO) test $(PLAIN) ./...
	$(GO) -C testing/peers run . -root "$(CURDIR)" $(if $(or $(CI),$(wildcard $(PEERS)/ready)),-packages "$(PEERS)") -once
	$(GO) -C testing/peers run ./queues -root "$(CURDIR)" $(if $(wildcard $(REDIS)/ready),-redis "$(REDIS)") -once

# npm packages the SDK's clients as they are; esbuild leaves out what a function does not use.
$(PEERS)/ready:
	rm -rf "$(@D)"
	mkdir -p "$(@D)/functions"
	$(PYTHON) -m venv "$(@D)/interpreter"
	for part in requirements:packages runtime:runtime; do \
		"$(@D)/interpreter/bin/pip" install --quiet --disable-pip-version-check \
			--target "$(@D)/$${part#*:}" --requirement "testing/peers/python/$${part%:*}.txt" || exit 1; \
	done
	cp testing/peers/python/*.py "$(@D)/functions"
	"$(@D)/interpreter/bin/python" -m compileall -q "$(@D)/functions"
	cp testing/peers/node/* "$(@D)"
	npm ci --prefix "$(@D)" --loglevel=error --no-audit --no-fund --ignore-scripts
	cd "$(@D)" && node_modules/.bin/esbuild ingest.mjs sender.mjs stream-audit.mjs --bundle --minify --platform=node --target=node20 \
		--format=esm --out-extension:.js=.mjs --outdir=node \
		--banner:js='import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
	touch "$@"

# bench-peers asks for these, with certificates for its stand-ins of AWS in an overlay.
build/peers/ours/%/bootstrap: FORCE
	$(call compile,$*,$(@D),$(if $(filter arm64,$(shell $(GO) env GOARCH)),,GOARCH=$(shell $(GO) env GOARCH)))

FORCE:

BENCH_DIFF_FLAGS := $(if $(PACKAGES),-packages "$(PACKAGES)") $(if $(BENCH),-bench "$(BENCH)") $(if $(BASE),-base "$(BASE)")

.PHONY: bench-diff
bench-diff: ## Compare this folder's benchmarks with main's (PACKAGES="./a ./b", BENCH=regexp, BASE=commit)
	$(GO) -C testing/peers run ./diff -root "$(CURDIR)" $(BENCH_DIFF_FLAGS)

.PHONY: fuzz
fuzz: ## Fuzz each fuzz target for FUZZTIME (20s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file func; do \
		name="$${func#func }"; package="$$(dirname "$$file")"; \
		echo "$$package $$name"; \
		$(GO) test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) "$$package" </dev/null || exit 1; \
	done

.PHONY: cover
cover: ## Measure what the tests cover
	@mkdir -p build
	$(GO) test -coverprofile=build/cover.out -coverpkg=./... ./...
	$(GO) tool cover -func=build/cover.out | tail -n 1
	@echo "go tool cover -html=build/cover.out shows the lines"

# The generator is of the version that is linked.
TEMPL := github.com/a-h/templ/cmd/templ@$(shell sed -n 's|^\tgithub.com/a-h/templ ||p' go.mod)

# The folders with templates.
PAGES := cmd/relay/console cmd/relay/fakepages cmd/relay/webfiles

.PHONY: pages
pages: ## Generate the pages from their templates
	for folder in $(PAGES); do $(GO) run $(TEMPL) generate -path "$$folder" || exit 1; done

.PHONY: pages-check
pages-check: ## See that the generated pages are those of the templates
	$(MAKE) --no-print-directory pages
	git diff --exit-code -- $(PAGES)

.PHONY: build
build: ## Cross-compile the Lambda functions into build/, build relay, and check them all
	@for function in $(FUNCTIONS); do \
		echo "build/$$function/bootstrap"; \
		$(call compile,$$function,build/$$function) || exit 1; \
	done
	@echo build/relay/relay
	@CGO_ENABLED=0 $(GO) build -trimpath $(RELAY_GCFLAGS) -ldflags "-s -w $(RELAY_ALIGNED) $(STAMP)" -o build/relay/relay ./cmd/relay
	@CGO_ENABLED=0 $(GO) build -trimpath $(RELAY_GCFLAGS) -ldflags "$(RELAY_ALIGNED) $(STAMP)" -o build/relay/relay.symbols ./cmd/relay
	@$(MAKE) --no-print-directory sizes

.PHONY: release
release: ## Make what people install into build/release/: programs, packages and images
	$(GO) -C release run . -source "$(CURDIR)" -out "$(CURDIR)/build/release"

.PHONY: release-test
release-test: ## Make the packages, and live with them in a small Debian (needs root, debootstrap and rpm)
	cd release && $(GO) test $(PLAIN) $(if $(CI),-count=1) ./...

.PHONY: release-check
release-check: ## Make the release of the last commit twice, in two folders with two caches, and compare each file
	cd release && $(GO) test -count=1 -v -timeout 60m -run 'TestTwoBuildsAreTheSame$$' . -twice all

# What is not for Linux is compiled and looked at, tests too. Nothing of it runs here.
.PHONY: vet-systems
vet-systems: ## Check the code for macOS and Windows
	GOOS=darwin CGO_ENABLED=0 $(GO) vet ./cmd/... ./shared/... ./functions/...
	GOOS=windows CGO_ENABLED=0 $(GO) vet ./cmd/... ./shared/... ./functions/...

.PHONY: vuln
vuln: ## Look for known weaknesses in what the relay links (asks vuln.go.dev for them)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v$(GOVULNCHECK_VERSION) ./...

.PHONY: sizes
sizes: ## Print the sizes of what build made, and hold them against their limits
	@status=0; \
	check() { \
		name="$$1" limit="$$2" file="$$3" forbidden="$$4" verdict=ok; \
		if [ ! -f "$$file" ]; then echo "  $$file is missing: run make build"; status=1; return; fi; \
		bytes="$$(wc -c <"$$file")"; \
		if [ "$$bytes" -gt "$$((limit * 1000000))" ]; then verdict="TOO BIG"; status=1; fi; \
		linked="$$($(GO) version -m "$$file" | grep -E "$$forbidden" | cut -f 3)"; \
		if [ -n "$$linked" ]; then verdict="$$verdict, LINKS" $$linked; status=1; fi; \
		printf '  %-14s %9d bytes of %2d MB  %s\n' "$$name" "$$bytes" "$$limit" "$$verdict"; \
	}; \
	for size in $(SIZES); do check "$${size%:*}" "$${size#*:}" "build/$${size%:*}/bootstrap" '$(FORBIDDEN)'; done; \
	check relay $(RELAY_SIZE) build/relay/relay '$(RELAY_FORBIDDEN)'; \
	symbols="$$($(GO) tool nm build/relay/relay.symbols)" && [ -n "$$symbols" ] || { echo "  go tool nm shows nothing of relay: run make build"; exit 1; }; \
	linked="$$(printf '%s\n' "$$symbols" | grep -oE '$(RELAY_SYMBOLS)' | sort -u)"; \
	if [ -n "$$linked" ]; then echo "  relay LINKS" $$linked; status=1; fi; \
	exit "$$status"

# `sam build` calls these, with the folder to fill. It copies the sources first, without their history, unless it is
# called with --build-in-source: /sms/health then says no commit.
ARTIFACTS = $(or $(ARTIFACTS_DIR),$(error $@ needs ARTIFACTS_DIR, the folder to fill, which sam build sets. By hand, run make build))
.PHONY: build-IngestFunction build-SenderFunction build-StreamAuditFunction build-OperatorFunction build-MediaFunction build-SeedRoutesFunction
build-IngestFunction: ; $(call compile,ingest,$(ARTIFACTS))
build-SenderFunction: ; $(call compile,sender,$(ARTIFACTS))
build-StreamAuditFunction: ; $(call compile,stream-audit,$(ARTIFACTS))
build-OperatorFunction: ; $(call compile,operator,$(ARTIFACTS))
build-MediaFunction: ; $(call compile,media,$(ARTIFACTS))
build-SeedRoutesFunction: ; $(call compile,seed-routes,$(ARTIFACTS))

.PHONY: lint
lint: lint-go lint-sam ## Check the code and the template (needs Python)

.PHONY: lint-go
lint-go: ## Check the code
	@if ! $(GOLANGCI) version 2>/dev/null | grep -qF 'version $(GOLANGCI_VERSION) '; then \
		echo "installing golangci-lint $(GOLANGCI_VERSION)"; \
		GOBIN="$(patsubst %/,%,$(dir $(GOLANGCI)))" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION) || exit 1; \
	fi
	$(GOLANGCI) run ./...
	cd release && $(GOLANGCI) run ./...
	cd testing/peers && $(GOLANGCI) run ./...

.PHONY: lint-sam
lint-sam: $(VENV)/ready ## Check the template's form
	$(VENV)/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(VENV)/bin/sam validate --lint --template template.yaml

$(VENV)/ready: REQUIREMENTS := testing/templates/requirements.txt
$(OPENAPI_VENV)/ready: REQUIREMENTS := testing/openapi/requirements.txt
$(VENV)/ready $(OPENAPI_VENV)/ready:
	rm -rf "$(@D)"
	mkdir -p "$(CACHE)"
	$(PYTHON) -m venv "$(@D)"
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $(REQUIREMENTS)
	touch "$@"

.PHONY: sam-build
sam-build: $(VENV)/ready ## Build the functions as `sam deploy` takes them, into .aws-sam/
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(VENV)/bin/sam build --build-in-source --template template.yaml

# promtool is in Debian's package of the Prometheus server. Only it is taken out: no server is installed. As root, apt-get may learn first
# which version there is.
.PHONY: promtool
promtool: $(PROMTOOL) ## Get promtool, which make test checks the Prometheus rules with (needs apt-get)

$(PROMTOOL):
	@mkdir -p "$(@D)"
	@folder="$$(mktemp -d)" && cd "$$folder" && \
		{ apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }; } && \
		dpkg -x prometheus_*.deb . && mv usr/bin/promtool "$@.new" && mv "$@.new" "$@" && rm -rf "$$folder"

.PHONY: libraries
libraries: $(LIBRARIES)/ready ## Get Twilio's libraries for Python and Node, which make test runs against the fake Twilio (needs npm)

$(LIBRARIES)/ready:
	rm -rf "$(@D)"
	mkdir -p "$(@D)"
	$(PYTHON) -m venv "$(@D)/python"
	"$(@D)/python/bin/pip" install --quiet --disable-pip-version-check --requirement testing/libraries/requirements.txt
	cp testing/libraries/package.json testing/libraries/package-lock.json "$(@D)"
	npm ci --prefix "$(@D)" --silent --no-audit --no-fund --ignore-scripts
	touch "$@"

.PHONY: ci
ci: ## Do what CI does
	.ci/run

.PHONY: outdated
outdated: ## List what is behind: modules, golangci-lint, and Python's tools where make has installed them
	@$(GO) list -m -u -f '{{if and .Update (not .Indirect)}}{{.Path}} {{.Version}}, newest is {{.Update.Version}}{{end}}' all
	@newest="$$($(GO) list -m -f '{{.Version}}' github.com/golangci/golangci-lint/v2@latest)" && \
		if [ "$$newest" != "v$(GOLANGCI_VERSION)" ]; then echo "golangci-lint v$(GOLANGCI_VERSION), newest is $$newest"; fi
	@for venv in $(VENV) $(OPENAPI_VENV); do \
		if [ -f "$$venv/ready" ]; then "$$venv/bin/pip" list --disable-pip-version-check --outdated --not-required --exclude pip --exclude setuptools || exit 1; fi; \
	done

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin build .aws-sam
