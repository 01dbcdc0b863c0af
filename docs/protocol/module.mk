# The protocol's model: `make check` looks at the nearest states (tests/unit/test_model.py),
# `make model` at all that fit into the limit.
MODEL_PYTHON ?= $(firstword $(shell command -v pypy3) /usr/bin/python3)

model:
	$(MODEL_PYTHON) docs/protocol/explore.py $(if $(LIMIT),--limit $(LIMIT))
	$(MODEL_PYTHON) docs/protocol/explore.py --mutants
.PHONY: model
