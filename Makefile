# The front door. `make demo` and `make test` need nothing but a Rust toolchain manager (rustup): they set up what is missing, and say what.

SHELL := /bin/bash
CARGO ?= cargo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# The debug build is what the tests use, so that one build serves both. Its decisions take some ten times as long as `make bench` says.
POINTSMAN := $${CARGO_TARGET_DIR:-target}/debug/pointsman

.PHONY: test-kills test-c setup-clang test-builds test-registry test-soak help setup setup-tools setup-page setup-chain contracts setup-browser setup-registry demo demo-paid build-demo screenshot test test-all test-browser bench check

help:
	@echo "make demo        devnet, gateway and a test stream on this machine; Ctrl-C ends it"
	@echo "make demo-paid   a paid stream on a chain on this machine, and where the money went; ends by itself"
	@echo "make test        formatting, lints and every quick test"
	@echo "make test-all    the same and the slow suites"
	@echo "make screenshot  README's picture, taken again"
	@echo "make bench       figures, as ratios measured in one run"
	@echo "make check       formatting and lints only"
	@echo "make contracts   the devnet's contracts, compiled anew"
	@echo "make setup       what the above need; they call it themselves"

setup: setup-tools setup-page setup-chain

# $(call install,program,its package) for apt-get, or for brew, which needs no build-essential.
define install
	@command -v $(1) >/dev/null || { echo "setup: installing $(2)"; \
	  if command -v apt-get >/dev/null; then $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq $(2) >/dev/null; \
	  elif command -v brew >/dev/null; then brew install $(2); \
	  else echo "setup: no apt-get and no brew here; install $(2) by hand"; exit 1; fi; }
endef

# What is needed beside Rust: a C compiler (SQLite, ring) and ffmpeg (test streams, devnet's transcoder). README's commands use curl.
setup-tools:
	@command -v $(CARGO) >/dev/null || { echo "setup: install Rust first, with rustup"; exit 1; }
	@rustup show active-toolchain >/dev/null 2>&1 || { echo "setup: installing the pinned Rust toolchain and its wasm32-unknown-unknown target"; rustup toolchain install; }
	@rustup target list --installed | grep -q wasm32-unknown-unknown || { echo "setup: installing the Rust target wasm32-unknown-unknown"; rustup target add wasm32-unknown-unknown; }
	$(call install,cc,build-essential)
	$(call install,ffmpeg,ffmpeg)
	$(call install,curl,curl)

# hls.js, which the build embeds. Without it the page plays in browsers that know HLS themselves.
PAGE := host/gateway/assets
setup-page: $(PAGE)/node_modules/.package-lock.json
$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
	$(call install,npm,nodejs npm)
	@echo "setup: installing hls.js for the page"
	@cd $(PAGE) && npm ci --silent || echo "setup: hls.js cannot be had; the page plays in browsers that know HLS themselves"

# The chain of the tests: anvil, and the compiler of the devnet's contracts. The lock file knows anvil for Linux on amd64; another
# machine's is installed beside it, under the same version.
CHAIN := tests/chain
ANVIL = $(CHAIN)/node_modules/@foundry-rs/anvil-$(shell uname -s | tr A-Z a-z)-$(shell uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
setup-chain: $(CHAIN)/node_modules/.package-lock.json
$(CHAIN)/node_modules/.package-lock.json: $(CHAIN)/package-lock.json
	$(call install,npm,nodejs npm)
	@echo "setup: installing anvil and a Solidity compiler for the tests"
	@cd $(CHAIN) && npm ci --silent --ignore-scripts
	@test -x $(ANVIL)/bin/anvil || command -v anvil >/dev/null || (cd $(CHAIN) && npm install --silent --ignore-scripts --no-save --no-package-lock --force @foundry-rs/$(notdir $(ANVIL))@1.7.1) \
	  || { rm -rf $(CHAIN)/node_modules; echo "setup: no anvil for this machine on npm; put one on the PATH"; exit 1; }
	@touch $@

# The devnet's contracts, compiled anew. A test proves that this changes nothing unless their sources changed.
contracts: setup-chain
	cd $(CHAIN) && node compile.mjs

BROWSER := tests/browser
setup-browser: $(BROWSER)/node_modules/.package-lock.json
	$(call install,chromium,chromium)
$(BROWSER)/node_modules/.package-lock.json: $(BROWSER)/package-lock.json
	$(call install,npm,nodejs npm)
	@echo "setup: installing what drives the browser"
	@cd $(BROWSER) && npm ci --silent

# A registry for the test of bundles in one: Debian's program taken out of its package, so that no service is installed, or one that Go builds.
REGISTRY = $(abspath $(or $(CARGO_TARGET_DIR),target))/tools/docker-registry
setup-registry: $(REGISTRY)
$(REGISTRY):
	@mkdir -p $(dir $@)unpacked
	@if command -v apt-get >/dev/null; then echo "setup: unpacking docker-registry, which is not installed"; \
	  $(SUDO) apt-get update -qq && cd $(dir $@)unpacked && apt-get download -qq docker-registry && dpkg-deb -x docker-registry_*.deb . && mv usr/bin/docker-registry $@; \
	elif command -v go >/dev/null; then echo "setup: building a registry with Go"; \
	  GOBIN=$(dir $@)unpacked go install github.com/distribution/distribution/v3/cmd/registry@v3.0.0 && mv $(dir $@)unpacked/registry $@; \
	else echo "setup: neither apt-get nor go here; put an OCI registry at $@ by hand"; exit 1; fi
	@rm -rf $(dir $@)unpacked

build-demo: setup-tools setup-page
	@echo "demo: building; the first time takes minutes"
	@$(CARGO) build --locked -p pointsman
	@$(POINTSMAN) policy build examples/prefer-cheapest >/dev/null

demo: build-demo
	@$(POINTSMAN) demo

# Exits 0 only if deposit, fees, orchestrators and ledger agree.
demo-paid: setup
	@$(CARGO) build --locked -p pointsman
	@$(POINTSMAN) demo --paid

# README's picture, with the figures of a release build.
screenshot: build-demo setup-browser
	$(CARGO) build --release --locked -p pointsman
	release=$$(realpath $${CARGO_TARGET_DIR:-target}/release/pointsman); cd $(BROWSER) && POINTSMAN=$$release node screenshot.mjs

check: setup-tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check; else echo "check: cargo-deny is not installed, skipping the licence and advisory check"; fi

test: check setup-chain
	$(CARGO) test --workspace --locked

# The slow suites.
test-all: test
test-all: test-builds test-browser test-registry test-soak test-kills test-c

test-browser: build-demo setup-browser
	cd $(BROWSER) && node --test

test-registry: setup-registry
	POINTSMAN_REGISTRY=$(REGISTRY) POINTSMAN_REGISTRY_REQUIRED=1 $(CARGO) test --locked -p pointsman-fetch --test registry
	POINTSMAN_REGISTRY=$(REGISTRY) POINTSMAN_REGISTRY_REQUIRED=1 $(CARGO) test --locked -p pointsman --test e2e registry::

# The example in C, which other machines leave out.
setup-clang:
	$(call install,clang,clang)
	$(call install,wasm-ld,lld)

test-c: setup-tools setup-clang
	POINTSMAN_CLANG_REQUIRED=1 $(CARGO) test --locked -p pointsman --test e2e -- examples::spread

# Thousands of swaps while jobs are decided.
test-soak: setup-tools
	POINTSMAN_SOAK=5000 $(CARGO) test --locked -p pointsman-policy --test soak

# The ledger's process killed 200 times under load.
test-kills: setup-tools
	POINTSMAN_KILLS=200 $(CARGO) test --locked -p pointsman-payments --test ledger_kill

# Release builds, then everything on two cores, which is what the figures are meant for. About five minutes.
BENCH_CORES := $(shell command -v taskset >/dev/null && echo taskset -c 0,1)

bench: setup
	$(CARGO) bench --locked -p pointsman-policy -p pointsman-payments -p pointsman --bench decision --bench tickets --bench figures --no-run
	$(BENCH_CORES) $(CARGO) bench --locked -p pointsman-policy --bench decision
	$(BENCH_CORES) $(CARGO) bench --locked -p pointsman-payments --bench tickets
	$(BENCH_CORES) $(CARGO) bench --locked -p pointsman --bench figures

# The embedded bundle from clean, in every way that the build of policies inside the build could hang or leak flags.
test-builds: setup-tools
	$(CARGO) clean -q -p pointsman-default-bundle && $(CARGO) build --locked -p pointsman-default-bundle
	$(CARGO) clean -q --release -p pointsman-default-bundle && $(CARGO) build --locked --release -p pointsman-default-bundle
	$(CARGO) clean -q -p pointsman-default-bundle && $(CARGO) clippy --locked -p pointsman-default-bundle -- -D warnings
	$(CARGO) clean -q -p pointsman-default-bundle && CARGO_NET_OFFLINE=true $(CARGO) build --locked -p pointsman-default-bundle
