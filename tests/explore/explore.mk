# SPDX-License-Identifier: ISC
#
# The explorer: the portable kernel with every load and store seen by tests/explore/memory.c. The
# compiler's thread sanitizer puts the calls in; its library isn't linked.

EXPLORE_FLAGS  := $(TOOL_FLAGS) -DMOTET_HOST -DSIM_MACHINE_PAGES=64
EXPLORE_KERNEL := $(wildcard kernel/*.c) kernel/arch/sim/machine.c kernel/arch/sim/iommu.c kernel/arch/x86_64/paging.c
EXPLORE_C      := $(wildcard tests/explore/*.c kernel/arch/sim/check*.c) \
                  kernel/arch/sim/arena.c kernel/arch/sim/no_hooks.c
EXPLORE_SEEN   := -fsanitize=thread $(call cc_flag,-Wno-tsan) $(call cc_flag,--param=tsan-instrument-func-entry-exit=0) \
                  $(call cc_flag,-mstringop-strategy=libcall)
EXPLORE_O      := $(EXPLORE_C:%.c=$(B)/explore/%.o)
EXPLORE_ALL_O  := $(EXPLORE_KERNEL:%.c=$(B)/explore/%.o) $(EXPLORE_O)
EXPLORE_NAMES  := --redefine-sym memset=explore_memset --redefine-sym memcpy=explore_memcpy
SECONDS        ?= 3600

$(EXPLORE_KERNEL:%.c=$(B)/explore/%.o): $(B)/explore/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(EXPLORE_FLAGS) $(EXPLORE_SEEN) $(DEPS) -c $< -o $@
	$(Q)$(OBJCOPY) $(EXPLORE_NAMES) $@

$(EXPLORE_O): $(B)/explore/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(EXPLORE_FLAGS) $(DEPS) -c $< -o $@

$(B)/explore/explore: $(EXPLORE_ALL_O)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^

# Without a sanitizer: the explorer's memory is one itself.
$(B)/unit/explore_%: tests/unit/explore_%.c $(B)/explore/tests/explore/memory.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(EXPLORE_FLAGS) -o $@ $^ -lcmocka

# Canonical forms that leave out too much, for the test that --verify would tell.
EXPLORE_UNSOUND := $(B)/explore/unsound-deadlines/explore $(B)/explore/unsound-memory/explore
EXPLORE_LEFT_OUT_deadlines := mix(from_now(thread->deadline.time));
EXPLORE_LEFT_OUT_memory    := mix(cap->untyped.used);

$(EXPLORE_UNSOUND): $(B)/explore/unsound-%/explore: tests/explore/canonical.c $(EXPLORE_ALL_O)
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)grep -vF '$(EXPLORE_LEFT_OUT_$*)' $< > $(@D)/canonical.c
	$(Q)! cmp -s $< $(@D)/canonical.c
	$(Q)$(CC) $(EXPLORE_FLAGS) -o $@ $(@D)/canonical.c \
	    $(filter-out %/canonical.o,$(EXPLORE_ALL_O))

# A long search: SECONDS in all.
explore: $(B)/explore/explore
	$< --seconds $(SECONDS) --save $(B)/explore/violation.way

bench-explore: $(B)/explore/explore
	@$(PYTHON) bench/explore.py --explore $< --out $(B)/bench/explore.json

.PHONY: explore bench-explore
