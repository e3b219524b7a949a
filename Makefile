# Thin verbs; the work is in the scripts.

.PHONY: all demo test chaos bench header lint install install-strip uninstall dist deb clean help

target := $(or $(CARGO_TARGET_DIR),target)

# Its kinds are named, for of a library that is an rlib as well cargo optimises no whole program (lto).
all: ## the library, with optimisation: target/release/libconsul_ffi.{so,a}
	cargo rustc --release --locked --lib --crate-type cdylib --crate-type staticlib
	ln -sf libconsul_ffi.so $(target)/release/libconsul_ffi.so.1

demo: ## sets up, builds, shows the library at work: on a real Consul where there is one, else without
	tests/support/setup.sh demo
	examples/demo/run.sh

test: ## sets up, runs every test (STAGES="rust lua" for some)
	tests/run.sh $(STAGES)

chaos: ## three real servers under 54 faults, clients on them, every operation checked (CHAOS="--faults 10 --seed 1")
	tests/support/setup.sh chaos
	tests/chaos/run.sh $(CHAOS)

bench: ## measures it beside its peers, writes the tables of docs/performance.md
	benches/run.sh --write

header: ## writes what is generated: header, LuaJIT cdef, C++ and Python parts, options setters, settings page
	BLESS=1 cargo test --locked --test abi --test house
	BLESS=1 PYTHONPATH=python:tests/python python3 tests/python/test_stubs.py

lint: ## formatting, clippy, documentation, shell scripts, licenses
	tests/lint.sh

install: ## the built library with all that goes with it: PREFIX=/usr/local DESTDIR= LIBDIR= ... WITH_PYTHON=
	deploy/install.sh install

install-strip: ## the same, without symbols
	deploy/install.sh install-strip

uninstall: ## removes what install put there
	deploy/install.sh uninstall

dist: ## sets up, builds release archives that load on glibc 2.17: target/dist (ARCH="x86_64 aarch64")
	tests/support/setup.sh dist
	deploy/dist.sh $(ARCH)

deb: ## sets up, builds Debian packages of the release library: target/deb (ARCH="x86_64 aarch64")
	tests/support/setup.sh dist
	deploy/deb.sh $(ARCH)

clean: ## removes what was built and fetched
	cargo clean
	rm -rf .cache

help: ## these words
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile
