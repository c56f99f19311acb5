# SPDX-License-Identifier: ISC
#
# The model of channels and doorbells in Promela, checked by Spin (docs/model.md).

# All searches, some of which take minutes; ARGS=--short: those that are part of `make test`.
model:
	@$(PYTHON) tests/model/model.py $(ARGS)

.PHONY: model
