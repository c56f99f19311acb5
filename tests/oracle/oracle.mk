# SPDX-License-Identifier: ISC
#
# Comparing dnsd with NSD and Knot (docs/oracle.md).

$(B)/oracle/answer: $(B)/host/tests/oracle/answer.o $(B)/host/user.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^

$(B)/oracle/clock.so: tests/oracle/clock.c
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(TOOL_FLAGS) -fPIC -shared -o $@ $<

oracle-programs: $(B)/oracle/answer $(B)/oracle/clock.so $(B)/tools/zonec

# A long run: ZONES groups of zones, or as many as go into MINUTES, from SEED on.
oracle: oracle-programs
	@$(PYTHON) tests/oracle/oracle.py --build $(B) $(if $(SEED),--seed $(SEED)) \
	    $(if $(filter command line,$(origin ZONES)),--zones $(ZONES)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

.PHONY: oracle oracle-programs
