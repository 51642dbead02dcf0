# Every entry point is a target that `make help` lists. Objects and results go to out/.
#
# One rule set serves five builds of the same sources, each in a folder of its own:
#   dev   gcc -O2            asan  ASan + UBSan, -O1
#   tsan  ThreadSanitizer    fuzz  clang, libFuzzer + ASan + UBSan
#   musl  what ships: static, against musl

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash

CC      := gcc
CLANG   := clang
AR      := ar
PYTHON  := /usr/bin/python3
GEN     := out/gen

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough -Wundef -Wformat=2
CFLAGS := -std=gnu17 -g $(WARNINGS) -D_GNU_SOURCE -fno-common -Iservices -I$(GEN) \
	-include lib/base/banned.h

FLAGS_dev  := -O2 -fstack-protector-strong
FLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz := -O1 -Wno-missing-field-initializers -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FLAGS_musl := -O2 -fstack-protector-strong
CC_dev := $(CC)
CC_asan := $(CC)
CC_tsan := $(CC)
CC_fuzz := $(CLANG)
CC_musl := out/sysroot/musl/bin/musl-gcc
SYSROOT := out/sysroot/host
SYSROOT_dev  := $(SYSROOT)
SYSROOT_asan := $(SYSROOT)
SYSROOT_tsan := $(SYSROOT)
SYSROOT_fuzz := $(SYSROOT)
SYSROOT_musl := out/sysroot/musl

# Folders in the order of their floors. The library holds what is below lib/; each program's folders are
# an archive of their own, and in the one binary a part that shows nothing but its main, so that two
# programs may use one name.
# A program of ALONE has a binary of its own and its main in main.c, which is in no archive.
ALONE       := stage1
FOLDERS     := $(filter-out tools coracle,$(shell sed -n 's/^\([a-z][a-z0-9/-]*\) .*/\1/p' services/FLOORS))
sources      = $(filter-out %_test.c %/fuzz_main.c %/test.c $(ALONE:%=services/%/main.c),$(filter-out services/$(1)/fuzz_%,$(wildcard services/$(1)/*.c)))
LIB_SOURCES := $(foreach f,$(filter lib/%,$(FOLDERS)),$(call sources,$(f)) $(call sources,$(f)/defaults))
PARTS       := $(sort $(foreach f,$(filter-out lib/%,$(FOLDERS)),$(if $(call sources,$(f)),$(firstword $(subst /, ,$(f))))))
part_of      = $(filter $(firstword $(subst /, ,$(1))),$(PARTS))
part_sources = $(foreach f,$(filter $(1) $(1)/%,$(FOLDERS)),$(call sources,$(f)))
TESTED      := $(sort $(patsubst services/%/,%,$(dir $(wildcard $(FOLDERS:%=services/%/*_test.c)))))
TESTED_TSAN := $(filter lib/base lib/loop lib/http lib/etcd lib/client apiserver/%,$(TESTED))
FUZZ_SOURCES := $(filter-out %/fuzz_main.c,$(wildcard $(FOLDERS:%=services/%/fuzz_*.c)))
FUZZ        := $(patsubst fuzz_%.c,%,$(notdir $(FUZZ_SOURCES)))
TOOLS       := $(patsubst %.c,%,$(notdir $(filter-out services/tools/schema_%,$(wildcard services/tools/*.c))))
DAEMONS     := kube-apiserver kube-controller-manager kube-scheduler setup init shutdown coracle-run dhcp-hook status coraclectl
PACKAGES    := libyaml nghttp2 openssl zlib
LIBS        := -lnghttp2 -lssl -lcrypto -lyaml -lz -lm -lpthread -ldl

.DEFAULT_GOAL := all
.PHONY: all help deps control-plane control-plane-down kubectl test test-long lint format fuzz bench tsan-load packages relock clean dev asan tsan musl
all: dev ## build every program and tool for this machine
	@echo "built in out/dev/bin; try 'make test'"

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

deps: ## install what building and testing need (root, Debian 12)
	rootfs/packages/install-deps

# --- third-party libraries: built once from recipes, cached by their hash

out/sysroot/host/.built: rootfs/packages/packages.lock $(foreach p,$(PACKAGES),$(wildcard rootfs/packages/$(p)/*))
	rootfs/packages/build.py --target host $(PACKAGES) --sysroot $(@D)
	@touch $@

out/sysroot/musl/.built: rootfs/packages/packages.lock $(foreach p,musl $(PACKAGES),$(wildcard rootfs/packages/$(p)/*))
	rootfs/packages/build.py --target musl musl linux-headers $(PACKAGES) --sysroot $(@D)
	@touch $@

packages: ## build every third-party package, the kernel too (the first time takes an hour)
	rootfs/packages/build.py --target musl $(notdir $(patsubst %/recipe,%,$(wildcard rootfs/packages/*/recipe)))

relock: ## take the newest package versions into the lock file
	rootfs/packages/fetch.py relock

# --- generated: structs and tables of every Kubernetes type

include services/lib/api/generate.mk
LIB_SOURCES += $(GEN_SOURCES)

# --- compiling: $(1) is the build

object = $(patsubst %.c,out/$(1)/obj/%.o,$(2))

# A program's objects: $(1) is the build, $(2) the program's folder.
define part
out/$(1)/parts/$(2).a: $(call object,$(1),$(call part_sources,$(2)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@$(AR) rcs $$@ $$^

out/$(1)/parts/$(2).o: $(call object,$(1),$(call part_sources,$(2)))
	@mkdir -p $$(@D)
	@ld -r -o $$@ $$^
	@objcopy --wildcard --keep-global-symbol='*_main' $$@
endef

define build
out/$(1)/obj/%.o: %.c $(SYSROOT_$(1))/.built | $(GEN_STAMP)
	@mkdir -p $$(@D)
	@echo "  CC $(1) $$<"
	@$(CC_$(1)) $(CFLAGS) -isystem $(SYSROOT_$(1))/include $(FLAGS_$(1)) -MMD -MP -c $$< -o $$@

out/$(1)/libcoracle.a: $(call object,$(1),$(LIB_SOURCES))
	@rm -f $$@
	@$(AR) rcs $$@ $$^

$(foreach p,$(PARTS),$(eval $(call part,$(1),$(p))))

out/$(1)/bin/%: out/$(1)/obj/services/tools/%.o $(PARTS:%=out/$(1)/parts/%.a) out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@

out/$(1)/bin/coracle: $(call object,$(1),$(wildcard services/coracle/*.c)) $(patsubst %,out/$(1)/parts/%.o,$(filter-out $(ALONE),$(PARTS))) out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@

$(foreach p,$(ALONE),out/$(1)/bin/$(p)): out/$(1)/bin/%: out/$(1)/obj/services/%/main.o out/$(1)/parts/%.a out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@

# One binary under upstream's names: argv[0] picks the program.
$(DAEMONS:%=out/$(1)/bin/%): out/$(1)/bin/coracle
	@ln -sf coracle $$@

out/$(1)/bin/http-test-server: $(call object,$(1),$(wildcard tests/http/*.c)) out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@

out/$(1)/bin/api-churn: $(call object,$(1),$(wildcard tests/faults/*.c)) out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@

out/$(1)/fuzz/%: out/$(1)/obj/fuzz_%.o out/$(1)/obj/services/lib/base/fuzz_main.o $(PARTS:%=out/$(1)/parts/%.a) out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@

-include $(shell find out/$(1) -name '*.d' 2>/dev/null)
endef
$(foreach b,dev asan tsan fuzz musl,$(eval $(call build,$(b))))

# Kept, though only pattern rules name them. No more than these: of a secondary file make asks only
# whether what it is made of is newer than what is made of it, so that a new source may go unseen.
.SECONDARY: $(foreach b,dev asan tsan fuzz musl,$(TOOLS:%=out/$(b)/obj/services/tools/%.o) \
	out/$(b)/obj/services/lib/base/fuzz_main.o)

# One test program a folder: $(1) is the build, $(2) the folder.
define unit
out/$(1)/test/$(subst /,-,$(2)): $(call object,$(1),$(wildcard services/$(2)/*_test.c) services/lib/base/test.c) \
		$(patsubst %,out/$(1)/parts/%.a,$(call part_of,$(2))) out/$(1)/libcoracle.a
	@mkdir -p $$(@D)
	@$(CC_$(1)) $(FLAGS_$(1)) $$^ -L$(SYSROOT_$(1))/lib $(LIBS) -o $$@
endef
$(foreach f,$(TESTED),$(foreach b,asan tsan musl,$(eval $(call unit,$(b),$(f)))))

# A fuzz target's object by its name alone, whatever its folder: $(1) is the build, $(2) the source.
define fuzz_object
out/$(1)/obj/$(notdir $(2:.c=.o)): out/$(1)/obj/$(2:.c=.o)
	@cp $$< $$@
endef
$(foreach s,$(FUZZ_SOURCES),$(foreach b,asan fuzz,$(eval $(call fuzz_object,$(b),$(s)))))

UNIT_TESTS   := $(foreach f,$(TESTED),out/asan/test/$(subst /,-,$(f)))
TSAN_TESTS   := $(foreach f,$(TESTED_TSAN),out/tsan/test/$(subst /,-,$(f)))
MUSL_TESTS   := $(foreach f,$(TESTED),out/musl/test/$(subst /,-,$(f)))
FUZZ_REPLAYS := $(addprefix out/asan/fuzz/,$(FUZZ))
PROGRAMS     := $(addprefix out/dev/bin/,$(TOOLS) $(DAEMONS) http-test-server api-churn)

dev: $(PROGRAMS) ## build with optimisation, into out/dev
asan: $(UNIT_TESTS) $(FUZZ_REPLAYS) ## build the unit tests and fuzz replays under ASan and UBSan
tsan: $(TSAN_TESTS) ## build the threaded unit tests under TSan
musl: $(MUSL_TESTS) $(addprefix out/musl/bin/,$(TOOLS)) ## build unit tests and tools as what ships: static, on musl

# --- running

control-plane: dev ## etcd and the control plane on loopback; out/control-plane/admin.kubeconfig reaches it
	@services/tools/control_plane.py up

control-plane-down: ## end them
	@services/tools/control_plane.py down

kubectl: ## Debian's kubectl 1.36, into out/kubectl
	@rootfs/packages/fetch.py debs --class test kubectl --unpack out/kubectl
	@ln -sf usr/bin/kubectl out/kubectl/kubectl
	@echo "out/kubectl/kubectl --kubeconfig out/control-plane/admin.kubeconfig reaches what make control-plane starts"

include image/image.mk

# --- testing

test: deps ## everything that CI runs; ends with "N passed, N failed"
	@$(MAKE) --no-print-directory -j$$(nproc) dev asan tsan musl
	@$(PYTHON) tests/run.py --lint --unit $(UNIT_TESTS) --tsan $(TSAN_TESTS) --musl $(MUSL_TESTS) --replay $(FUZZ_REPLAYS) --pytest tests

test-long: test ## also every way to boot, power cuts, load under TSan, ten minutes of fuzzing a target
	@CORACLE_LONG=1 $(PYTHON) tests/run.py --pytest tests/appliance
	@$(MAKE) --no-print-directory tsan-load
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=600

lint: $(GEN_STAMP) ## floors, sizes, style, banned words of the house
	@$(PYTHON) tests/lint/lint.py

format: ## lay out all C as .clang-format says
	@clang-format -i $$(git ls-files 'services/*.[ch]' 'tests/*.[ch]')

FUZZ_SECONDS ?= 60
fuzz: $(addprefix run-fuzz-,$(or $(TARGET),$(FUZZ))) ## fuzz every parser: TARGET=json FUZZ_SECONDS=60

.PHONY: run-fuzz-%
run-fuzz-%: out/fuzz/obj/fuzz_%.o $(PARTS:%=out/fuzz/parts/%.a) out/fuzz/libcoracle.a
	@mkdir -p out/fuzz/bin out/fuzz/found/$* tests/fuzz/corpus/$*
	@$(CLANG) $(FLAGS_fuzz) -fsanitize=fuzzer $^ -L$(SYSROOT)/lib $(LIBS) -o out/fuzz/bin/$*
	out/fuzz/bin/$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=out/fuzz/ out/fuzz/found/$* tests/fuzz/corpus/$*

tsan-load: $(addprefix out/tsan/bin/,$(DAEMONS) api_load) ## the control plane with 10,000 pods and 500 watchers, under TSan
	@$(PYTHON) tests/bench/control_plane_bench.py --idle 1 --bin out/tsan/bin > out/tsan/load.txt
	@echo "TSan has nothing to complain of"

bench: dev image ## figures against the budgets, as CPU time per operation
	@$(PYTHON) tests/bench/bench.py

clean: ## forget what was built; the package cache stays
	rm -rf out
