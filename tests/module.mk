# Tests: every tests/unit/test_*.c and tests/component/test_*.c is a program of its own, linked
# with every library there is; tests/run runs them and tests/e2e, and sums.
TEST_SRC  := $(sort $(wildcard tests/unit/test_*.c tests/component/test_*.c))
TEST_PY   := $(sort $(wildcard tests/unit/test_*.py))
TEST_BINS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
# Shared C code of tests: tests/lib/*.c.
ifneq ($(wildcard tests/lib/*.c),)
$(eval $(call library,test,$(wildcard tests/lib/*.c)))
endif
TEST_LIBRARIES := $(patsubst %,$(BUILD)/lib/lib%.a,$(LIBRARIES))
ALL_OBJECTS += $(patsubst tests/%.c,$(BUILD)/obj/tests/%.o,$(TEST_SRC))

$(TEST_BINS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group -lcmocka $(ALL_LIBS)

test-build: all $(TEST_BINS)

# The fast part: no server is started. A packager leaves the lint out: LINT=
LINT ?= lint
check: test-build
	tests/run --log build/test-logs $(LINT) $(TEST_BINS) $(TEST_PY)

# Everything: what is missing is installed first, so a clean clone will do.
test: deps
	$(MAKE) $(JOBS) test-all

test-all: test-build bench-build kafka-jars
	$(MAKE) VARIANT=asan test-build
	tests/run --log build/test-logs --servers lint $(TEST_BINS) $(TEST_PY) \
		$(patsubst $(BUILD)/%,build/asan/%,$(TEST_BINS)) e2e

# Against a real MySQL: the stores' tests, end to end, a round of torture. Debian unstable in a chroot. Root; the first time a minute.
MYSQL_TESTS := $(filter $(addprefix $(BUILD)/tests/component/,test_mysql_% test_rebuild test_verify), \
	$(TEST_BINS))
test-mysql: $(MYSQL_TESTS) torture-build all kafka-jars
	tests/lib/mysql9 run $(MYSQL_TESTS)
	tests/lib/mysql9 with /usr/bin/python3 -m pytest -q tests/e2e/test_consumer.py \
		tests/e2e/test_recovery.py tests/e2e/test_deadletters.py
	tests/lib/mysql9 with env WT_BIN=build/debug/bin /usr/bin/python3 tests/faults/torture.py \
		--borrowed-mysql --seed 1 --rounds 1 --seconds 90

# docker-compose.yml on a real engine. By hand: on a machine without one it installs docker.io, and
# needs root. The first time ten minutes.
test-compose:
	tests/compose/run

lint:
	tests/lint/run

.PHONY: test-compose test-mysql test-build check test test-all lint
