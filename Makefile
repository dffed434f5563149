# Thin: CMake does the work (CMakePresets.json). `make help` lists the targets.
SHELL := /bin/sh
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SECONDS ?= 60
PREFIX ?= /usr/local

.PHONY: demo test check build bench fuzz tsan coverage format doc install clean help deps test-deps bench-deps
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Progress is for a terminal; a log gets warnings and errors only.
QUIET := $(shell test -t 2 || echo -- --quiet)

define configure_and_build
cmake --preset $(1) --log-level=NOTICE
cmake --build build/$(1) --parallel $(JOBS) $(QUIET)
endef

## demo:     install what is missing, build, and show what floe check finds (no network needed for that)
demo: deps build
	build/release/cli/floe check --demo

## test:     the same, and then every test: all builds, sanitizers, coturn, fuzzing, checks
test: test-deps demo
	$(call configure_and_build,dev)
	$(call configure_and_build,asan)
	$(call configure_and_build,fuzz)
	tools/test-all.sh -j $(JOBS)

## check:    the quick tests alone: unit, vectors, simulator (seconds, once it is built)
check:
	$(call configure_and_build,dev)
	ctest --preset quick -j $(JOBS)

## build:    build the libraries and the command into build/release
build:
	$(call configure_and_build,release)

## bench:    build and run the benchmarks
bench: bench-deps
	$(call configure_and_build,bench)
	tools/bench.sh build/bench

## fuzz:     run each fuzz target for SECONDS=60
fuzz:
	$(call configure_and_build,fuzz)
	tools/fuzz.sh build/fuzz/fuzz $(SECONDS)

## tsan:     build with the thread sanitizer and run the driver's tests in it
tsan:
	$(call configure_and_build,tsan)
	ctest --test-dir build/tsan --output-on-failure -L driver -j $(JOBS)

## coverage: which lines of the sources the tests reach (tools/coverage.py)
coverage:
	$(call configure_and_build,coverage)
	-ctest --preset coverage -j $(JOBS)
	tools/coverage.py build/coverage

## format:   lay the sources out anew with clang-format
format:
	tools/format.sh

## doc:      make the reference manual, build/doc/html/index.html
doc:
	tools/check-docs.sh build/doc

## install:  install below PREFIX=/usr/local (DESTDIR is honoured)
install: build
	cmake --install build/release --prefix $(PREFIX)

## clean:    remove everything that was built
clean:
	rm -rf build

## deps:     install the packages that the build needs (Debian)
deps:
	tools/install-deps.sh build

## test-deps: install the packages that the tests need too
test-deps:
	tools/install-deps.sh test

## bench-deps: install the packages that the benchmarks need
bench-deps:
	tools/install-deps.sh bench

## help:     this list
help:
	@sed -n 's/^## //p' Makefile
