# Every entry point is a target that `make help` lists. Objects and results go to out/.
#
# One rule set serves four builds of the same sources, each in a folder of its own:
#   dev   gcc -O2            asan  ASan + UBSan, -O1
#   tsan  ThreadSanitizer    fuzz  clang, libFuzzer + ASan + UBSan

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
SHELL := /bin/bash

CC      := gcc
CLANG   := clang
AR      := ar
PYTHON  := /usr/bin/python3
SYSROOT := out/sysroot/host
GEN     := out/gen

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough -Wundef -Wformat=2
CFLAGS := -std=gnu17 -g $(WARNINGS) -D_GNU_SOURCE -fno-common -Iservices -I$(GEN) -isystem $(SYSROOT)/include \
	-include lib/base/banned.h

FLAGS_dev  := -O2 -fstack-protector-strong
FLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
CC_dev := $(CC)
CC_asan := $(CC)
CC_tsan := $(CC)
CC_fuzz := $(CLANG)

# Folders in the order of their floors; a program is linked from all of them, archives drop the rest.
FOLDERS := $(shell sed -n 's/^\(lib\/[a-z]*\) .*/\1/p' services/FLOORS)
sources = $(filter-out %_test.c %/fuzz_main.c %/test.c,$(filter-out services/$(1)/fuzz_%.c,$(wildcard services/$(1)/*.c)))
LIB_SOURCES := $(foreach f,$(FOLDERS),$(call sources,$(f)))

include services/lib/api/generate.mk
include rootfs/packages/packages.mk

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
