# The protocol's model: the nearest states with every check, everything by hand.
MODEL_PYTHON ?= $(firstword $(shell command -v pypy3) /usr/bin/python3)

check: model-quick
model-quick:
	/usr/bin/python3 docs/protocol/explore.py --quick --mutants-found
model:
	$(MODEL_PYTHON) docs/protocol/explore.py
	$(MODEL_PYTHON) docs/protocol/explore.py --mutants
.PHONY: check model model-quick
