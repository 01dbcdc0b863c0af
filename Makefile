# Writethrough. `make help` lists the targets; docs/architecture.md is the map.
# One folder = one module.mk, included here: no recursive make.

VARIANT ?= release
VERSION := 0.1.0
BUILD   ?= $(if $(filter release,$(VARIANT)),build,build/$(VARIANT))
PREFIX  ?= /usr/local
CC      ?= cc

CFLAGS_release := -O2 -g
CFLAGS_debug   := -O0 -g3 -DWT_FAULTS
CFLAGS_asan    := -O1 -g3 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -DWT_FAULTS
CFLAGS_tsan    := -O1 -g3 -fno-omit-frame-pointer -fsanitize=thread -DWT_FAULTS
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
CFLAGS_bare    := -O2 -g -DWT_BARE
CFLAGS_cov     := -O0 -g3 --coverage -DWT_FAULTS
ifeq ($(CFLAGS_$(VARIANT)),)
$(error VARIANT=$(VARIANT) is unknown; use release, debug, asan, tsan, cov, bare or fuzz)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wundef $(if $(CI),-Werror)
# Instrumented code makes gcc warn of paths that the optimised build rules out.
ifneq ($(filter asan tsan cov fuzz,$(VARIANT)),)
WARNINGS += -Wno-format-truncation -Wno-maybe-uninitialized
endif
PKGS     := rdkafka hiredis libmariadb jansson libuv
# Either client library will do: MariaDB Connector/C, or Oracle's libmysqlclient.
ifneq ($(shell pkg-config --exists libmariadb 2>/dev/null && echo yes),yes)
PKGS     := $(subst libmariadb,mysqlclient,$(PKGS))
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

ALL_CFLAGS  = -std=gnu11 $(WARNINGS) $(CFLAGS_$(VARIANT)) $(CPPFLAGS) $(CFLAGS) -I. -I$(BUILD)/gen \
	-D_GNU_SOURCE -DWT_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(MODULE_CFLAGS) -MMD -MP -pthread
ALL_LDFLAGS = $(CFLAGS_$(VARIANT)) $(LDFLAGS) -pthread -Wl,--as-needed
ALL_LIBS    = $(PKG_LIBS) $(MODULE_LIBS) -lm

# One line for each file; V=1 shows the whole commands.
V ?= 0
quiet = $(if $(filter 1,$(V)),,@printf '  %-4s %s\n' $(1) $(2);)
# For targets that build before they do something else: all cores, unless -j says how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) --no-print-directory

.DEFAULT_GOAL := all
PROGRAMS :=
LIBRARIES :=
# library NAME,SOURCES: build/lib/libNAME.a
define library
LIBRARIES += $(1)
$(BUILD)/lib/lib$(1).a: $(patsubst %.c,$(BUILD)/obj/%.o,$(2))
ALL_OBJECTS += $(patsubst %.c,$(BUILD)/obj/%.o,$(2))
endef
# program NAME,MAIN.c,LIBRARIES: build/bin/NAME
define program
PROGRAMS += $(BUILD)/bin/$(1)
ALL_OBJECTS += $(BUILD)/obj/$(2:.c=.o)
$(BUILD)/bin/$(1): $(BUILD)/obj/$(2:.c=.o) $(patsubst %,$(BUILD)/lib/lib%.a,$(3))
endef

include $(sort $(wildcard */module.mk */*/module.mk))

all: $(PROGRAMS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call quiet,AR,$@)ar rcs $@ $^

$(BUILD)/bin/%:
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(ALL_LIBS)

clean:
	rm -rf $(BUILD)

help:
	@echo 'make            build build/bin/wt-producer wt-ingest wt-consumer wt-loadgen'
	@echo 'make demo       see it work: stack, ramp 10 -> 1000 requests/s with live lag, proof'
	@echo 'make test       everything: build, lint, unit, component, end to end on real servers'
	@echo 'make check      the fast part of it, without servers'
	@echo 'make up         the local stack and the pipeline in the background; prints URLs'
	@echo 'make status     what runs, ports, lag          make down   stop what up started'
	@echo 'make clean-data remove the data of the stack'
	@echo 'make bench      speed as ratios in one run     make torture   faults by a seed'
	@echo 'make model      the full check of the protocol make lint      the house rules'
	@echo 'make test-tsan test-mysql test-compose   by hand: races, a real MySQL, containers'
	@echo 'make test-compose  docker-compose.yml on a real engine; installs one where there is none'
	@echo 'make install uninstall dist   PREFIX=$(PREFIX) DESTDIR=      make deb   the Debian package'
	@echo 'VARIANT=release|debug|asan|tsan|cov picks flags and folder; CI=1 makes warnings errors; V=1 shows commands'

-include $(ALL_OBJECTS:.o=.d)

.PHONY: all clean help
.SECONDARY:
