# make torture SEED= ROUNDS= MINUTES= SECONDS= RATE= FAULTS=a,b: faults on the real stack, on a build
# that has fault points. See tests/faults/torture.py.
torture: torture-build kafka-jars
	WT_BIN=build/debug/bin /usr/bin/python3 tests/faults/torture.py $(if $(SEED),--seed $(SEED)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(RATE),--rate $(RATE)) \
		$(if $(FAULTS),--faults $(FAULTS))
torture-build:
	$(MAKE) VARIANT=debug all
# The short form (tests/e2e/test_torture.py) needs that build.
test-all: torture-build
.PHONY: torture torture-build
