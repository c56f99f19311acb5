# SPDX-License-Identifier: ISC
#
# The explorer on copies of the kernel with a bug each: only what the patch changes is compiled.

BUGS := $(patsubst tests/bugs/%.patch,%,$(sort $(wildcard tests/bugs/*.patch)))
BUG_PROGRAMS := $(BUGS:%=$(B)/bugs/%/explore)

define bug_rule
$(B)/bugs/$(1)/explore: tests/bugs/$(1).patch tests/bugs/plant $(EXPLORE_ALL_O)
	$$(SAY) BUG $$@
	$$(Q)rm -f $$@
	$$(Q)tests/bugs/plant $(firstword $(subst -, ,$(1))) $$(@D)
	$$(Q)cd $$(@D) && $$(CC) $$(EXPLORE_FLAGS) $$(EXPLORE_SEEN) -c $(2) -o bug.o
	$$(Q)$$(OBJCOPY) $$(EXPLORE_NAMES) $$(@D)/bug.o
	$$(Q)$$(CC) -o $$@ $$(@D)/bug.o $(filter-out $(B)/explore/$(2:.c=.o),$(EXPLORE_ALL_O))
endef
$(foreach bug,$(BUGS),$(eval $(call bug_rule,$(bug),$(shell sed -n 's/^+++ //p' tests/bugs/$(bug).patch))))

# As many as can be built: what is missing then, fails a test.
bug-programs:
	@$(MAKE) --no-print-directory -s -k $(BUG_PROGRAMS) || true

# Which are found, by what, how fast.
bugs: $(BUG_PROGRAMS) $(B)/explore/explore
	@$(PYTHON) tests/bugs/find.py --build $(B)

.PHONY: bugs bug-programs
