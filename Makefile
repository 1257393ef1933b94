# The front door. `make demo` and `make test` need nothing but a Rust toolchain manager (rustup): they set up what is missing, and say what.

SHELL := /bin/bash
CARGO ?= cargo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help setup demo test test-all bench check

help:
	@echo "make demo      devnet, gateway and a test stream on this machine; Ctrl-C ends it"
	@echo "make test      formatting, lints and every quick test"
	@echo "make test-all  the same and the slow suites"
	@echo "make bench     figures, as ratios measured in one run"
	@echo "make check     formatting and lints only"
	@echo "make setup     what the above need; they call it themselves"

# What is needed beside Rust: a C compiler (SQLite, ring) and ffmpeg (test streams, devnet's transcoder).
setup:
	@command -v $(CARGO) >/dev/null || { echo "setup: install Rust first, with rustup"; exit 1; }
	@rustup show active-toolchain >/dev/null 2>&1 || { echo "setup: installing the pinned Rust toolchain and its wasm32-unknown-unknown target"; rustup toolchain install; }
	@rustup target list --installed | grep -q wasm32-unknown-unknown || { echo "setup: installing the Rust target wasm32-unknown-unknown"; rustup target add wasm32-unknown-unknown; }
	@missing=""; \
	command -v cc >/dev/null || missing="$$missing build-essential"; \
	command -v ffmpeg >/dev/null || missing="$$missing ffmpeg"; \
	[ -z "$$missing" ] || { echo "setup: installing$$missing"; \
	  if command -v apt-get >/dev/null; then $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq $$missing >/dev/null; \
	  elif command -v brew >/dev/null; then brew install $${missing/build-essential/}; \
	  else echo "setup: no apt-get and no brew here; install$$missing by hand"; exit 1; fi; }

check: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check; else echo "check: cargo-deny is not installed, skipping the licence and advisory check"; fi

test: check
	$(CARGO) test --workspace --locked

# Release builds, then everything on two cores, which is what the figures are meant for. About five minutes.
BENCH_CORES := $(shell command -v taskset >/dev/null && echo taskset -c 0,1)

bench: setup
	$(CARGO) bench --locked -p pointsman-policy -p pointsman --bench decision --bench figures --no-run
	$(BENCH_CORES) $(CARGO) bench --locked -p pointsman-policy --bench decision
	$(BENCH_CORES) $(CARGO) bench --locked -p pointsman --bench figures
