# make test-tsan: the consumer's end to end tests under ThreadSanitizer. By hand: it is slow.
# The runtime must come first, and address randomisation confuses it (setarch -R).
TSAN_TESTS ?= tests/e2e/test_consumer.py tests/e2e/test_recovery.py tests/e2e/test_deadletters.py
TSAN_THREADS = build/tsan/lib/c11threads.so

$(TSAN_THREADS): tests/tsan/c11threads.c
	@mkdir -p $(@D)
	$(CC) -O1 -g -fPIC -shared -fsanitize=thread -o $@ $<

test-tsan: $(TSAN_THREADS) kafka-jars
	$(MAKE) VARIANT=tsan all
	WT_BIN=build/tsan/bin WT_WRAP="env LD_PRELOAD=$$($(CC) -print-file-name=libtsan.so):$(CURDIR)/$(TSAN_THREADS) \
		TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan/suppressions:exitcode=66 setarch -R" \
		/usr/bin/python3 -m pytest -q $(TSAN_TESTS)

.PHONY: test-tsan
