# Thin verbs; the work is in the scripts.

.PHONY: all demo test header lint clean help

target := $(or $(CARGO_TARGET_DIR),target)

all: ## the library, with optimisation: target/release/libconsul_ffi.{so,a}
	cargo build --release --locked
	ln -sf libconsul_ffi.so $(target)/release/libconsul_ffi.so.1

demo: ## sets up, builds, shows the library at work on a real Consul
	tests/support/setup.sh demo
	examples/demo/run.sh

test: ## sets up, runs every test (STAGES="rust lua" for some)
	tests/run.sh $(STAGES)

header: ## writes what is generated: header, LuaJIT cdef, C++ parts, options setters, settings page
	BLESS=1 cargo test --locked --test abi --test house

lint: ## formatting, clippy, documentation, shell scripts, licenses
	tests/lint.sh

clean: ## removes what was built and fetched
	cargo clean
	rm -rf .cache

help: ## these words
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile
