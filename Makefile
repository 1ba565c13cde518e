# A thin front for people; the build itself is Meson's (meson.build).
#   make run    installs what is missing, builds, and shows a container from inside and outside
#   make test   installs what is missing and runs every check and test
#   make        the programs, in build/bin
# The rest: install [DESTDIR=, PREFIX=], bench, format, clean.
PREFIX ?= /usr/local
BIN = build/bin
MESON_FLAGS = --prefix $(PREFIX)

# copies, as they are installed: the kernel maps a file sooner that was written at once than one a linker has put together
all: build/glibc/build.ninja build/musl/build.ninja
	@ninja -C build/glibc >build/glibc.log || { cat build/glibc.log; exit 1; }
	@ninja -C build/musl >build/musl.log || { cat build/musl.log; exit 1; }
	@mkdir -p $(BIN)
	@for p in build/glibc/src/cli/clade build/musl/src/oci/clade-oci build/musl/src/init/clade-init \
		build/musl/src/keep/clade-keep build/glibc/src/sdbus/clade-sdbus; do [ ! -e $$p ] || cp -u --remove-destination $$p $(BIN)/; done
	@echo "built: $$(cd $(BIN) && echo *) in $(BIN)/"

build/glibc/build.ninja:
	@tools/setup build
	@meson setup $(MESON_FLAGS) --buildtype release build/glibc >build/glibc.log 2>&1 || { cat build/glibc.log; exit 1; }

# what a native file says is asked once, when a build folder is made
build/musl/build.ninja: build-musl.ini
	@tools/setup build
	@rm -rf build/musl
	@meson setup $(MESON_FLAGS) --native-file build-musl.ini build/musl >build/musl.log 2>&1 || { cat build/musl.log; exit 1; }

build/glibc/build.ninja build/musl/build.ninja: | build
build:
	@mkdir -p $@

run: all
	@tools/setup run
	@tools/show $(BIN)

test:
	@tools/setup build run test
	@tests/run

install: all
	@meson install -C build/glibc --no-rebuild $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))
	@meson install -C build/musl --no-rebuild $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

bench: all
	@tools/setup build run bench
	@bench/run
	@bench/init/run -n 20000
	@bench/oci/run
	@CGROUPS=v1 bench/oci/run times limits

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	@rm -rf build

.PHONY: all run test install bench format clean
