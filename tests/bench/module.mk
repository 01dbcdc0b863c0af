# make bench ONLY= RECORDS= ROUNDS=: speed as ratios, every rival in the same run (tests/bench/bench.py,
# docs/performance.md). make bench-check: the same with tiny sizes: does every row come out, and
# has no ratio fallen by half? WRITE=1 writes tests/bench/baseline.json anew instead.
# A yardstick is tests/bench/NAME.c (built as build/bench/NAME); what they share is bench_*.c.
BENCH_SHARED := $(wildcard tests/bench/bench_*.c)
BENCH_SRC    := $(filter-out $(BENCH_SHARED),$(wildcard tests/bench/*.c))
BENCH_BINS   := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
ALL_OBJECTS  += $(patsubst %.c,$(BUILD)/obj/%.o,$(BENCH_SRC) $(BENCH_SHARED))

$(BENCH_BINS): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o \
		$(patsubst %.c,$(BUILD)/obj/%.o,$(BENCH_SHARED)) $(BUILD)/lib/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(ALL_LIBS)

# What a worker does before the stores, alone: tests/bench/decode_bench.c.
$(BUILD)/bench/decode_bench: $(BUILD)/lib/libtest.a $(BUILD)/lib/libconsumer.a

# A rival that cannot be had is a row that says so.
rivals:
	-@stack/kafka/fetch build/connect-jars tests/bench/connect/pom.xml
	-@if command -v go >/dev/null; then \
		cd tests/bench/go && go build -tags dynamic -o ../../../build/tools/go-server .; fi

# A consumer without ledger and fence: what do those two cost?
bare-build:
	-@$(MAKE) --no-print-directory VARIANT=bare build/bare/bin/wt-consumer

bench-build: all $(BENCH_BINS)
bench: bench-build bare-build kafka-jars rivals
	/usr/bin/python3 tests/bench/bench.py $(if $(ONLY),--only $(ONLY)) \
		$(if $(RECORDS),--records $(RECORDS)) $(if $(ROUNDS),--rounds $(ROUNDS))
bench-check: bench-build bare-build kafka-jars rivals
	/usr/bin/python3 tests/bench/bench.py --check $(if $(ONLY),--only $(ONLY)) \
		$(if $(WRITE),--write-baseline)
.PHONY: bench bare-build rivals bench-build bench-check

# docs/autoscale.svg anew, from a real run of nine minutes: tests/bench/autoscale_chart.py.
autoscale-chart: all kafka-jars
	/usr/bin/python3 tests/bench/autoscale_chart.py
.PHONY: autoscale-chart

# docs/loadgen-workers.svg anew: the surge with 1, 2, 3 and 6 workers, near and far from the database.
workers-chart: all kafka-jars
	/usr/bin/python3 tests/bench/workers_chart.py
.PHONY: workers-chart
