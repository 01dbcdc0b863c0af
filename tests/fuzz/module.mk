# make fuzz: every tests/fuzz/fuzz_*.c runs FUZZ_SECONDS under libFuzzer (clang), with the address
# and undefined behaviour sanitizers. What it finds is left in build/fuzz/found/.
FUZZ_SECONDS ?= 20
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzzers/%,$(FUZZ_SRC))
ALL_OBJECTS += $(patsubst tests/%.c,$(BUILD)/obj/tests/%.o,$(FUZZ_SRC))

$(FUZZ_BINS): $(BUILD)/fuzzers/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/lib/libtest.a $(BUILD)/lib/libconsumer.a $(BUILD)/lib/libcommon.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lcmocka $(ALL_LIBS)

fuzzers: $(FUZZ_BINS)

fuzz:
	$(MAKE) VARIANT=fuzz CC=clang fuzzers
	@mkdir -p build/fuzz/found
	@for one in $(notdir $(FUZZ_BINS)); do \
		mkdir -p build/fuzz/corpus/$$one; \
		if build/fuzz/fuzzers/$$one -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
			-dict=tests/fuzz/json.dict -artifact_prefix=build/fuzz/found/$$one- \
			build/fuzz/corpus/$$one tests/fuzz/seeds/$$one >build/fuzz/$$one.log 2>&1; \
		then echo "$$one: $$(grep -o '^Done [0-9]* runs.*' build/fuzz/$$one.log), nothing found"; \
		else tail -50 build/fuzz/$$one.log; echo "$$one: FAILED, input in build/fuzz/found/"; exit 1; \
		fi; \
	done

.PHONY: fuzz fuzzers
