# SPDX-License-Identifier: ISC
#
# Fuzz targets (docs/fuzz.md): each tests/fuzz/NAME_fuzz.c is a libFuzzer program under AddressSanitizer and
# UBSan, built by clang. A corpus of inputs that reach much is kept in tests/fuzz/corpus/NAME/.

FUZZ_CC      := clang
FUZZ_TARGETS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_FLAGS   := -std=c17 -D_GNU_SOURCE -DMOTET_HOST -DMOTET_DEBUG -DSIM_MACHINE_PAGES=64 -g -O1 $(WARN) $(INC) \
                -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_LINK    := -fsanitize=fuzzer,address,undefined
SECONDS      ?= 3600

# The archives that a target links: the kernel's, or the fakes and the user level's, as unit tests do.
FUZZ_KERNEL_C := $(HOST_KERNEL_C) tests/explore/action.c tests/explore/scene.c
FUZZ_USER_C   := $(HOST_USER_C) $(filter-out %_test.c tests/unit/kernel_%,$(wildcard tests/unit/*.c))
FUZZ_calls    := kernel.a
FUZZ_device   := user.a
FUZZ_frames   := user.a
FUZZ_reassembly := user.a
FUZZ_requests := user.a
FUZZ_settings := user.a
FUZZ_query    := zonec.a user.a
FUZZ_zone     := zonec.a user.a
FUZZ_master   := zonec.a user.a
FUZZ_elf      := compose.a user.a
FUZZ_manifest := compose.a user.a
FUZZ_loader   := user.a
FUZZ_LIBS     := -lcmocka -lldns -lcrypto -lconfig

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(DEPS) -c $< -o $@

$(B)/fuzz/kernel.a: $(FUZZ_KERNEL_C:%.c=$(B)/fuzz/%.o)
$(B)/fuzz/user.a: $(FUZZ_USER_C:%.c=$(B)/fuzz/%.o)
$(B)/fuzz/zonec.a: $(HOST_ZONEC_C:%.c=$(B)/fuzz/%.o)
$(B)/fuzz/compose.a: $(HOST_COMPOSE_C:%.c=$(B)/fuzz/%.o)
$(B)/fuzz/kernel.a $(B)/fuzz/user.a $(B)/fuzz/zonec.a $(B)/fuzz/compose.a:
	$(Q)rm -f $@
	$(SAY) AR $@
	$(Q)ar rcs $@ $^

define fuzz_rule
$(B)/fuzz/$(1): $(B)/fuzz/tests/fuzz/$(1)_fuzz.o $(FUZZ_$(1):%=$(B)/fuzz/%)
	$$(SAY) LINK $$@
	$$(Q)$$(FUZZ_CC) $$(FUZZ_LINK) -o $$@ $$^ $$(FUZZ_LIBS)
endef
$(foreach target,$(FUZZ_TARGETS),$(eval $(call fuzz_rule,$(target))))

fuzzers: $(FUZZ_TARGETS:%=$(B)/fuzz/%)

# A long run of all targets, or of TARGET: SECONDS in all.
fuzz: fuzzers
	@$(PYTHON) tests/fuzz/run.py --build $(B) --seconds $(SECONDS) $(if $(TARGET),--only $(TARGET))

.PHONY: fuzzers fuzz

# The target `calls` on copies of the kernel with a planted bug each (tests/bugs).
FUZZ_BUGS := $(BUGS:%=$(B)/fuzz/bugs/%/calls)
define fuzz_bug_rule
$(B)/fuzz/bugs/$(1)/calls: tests/bugs/$(1).patch tests/bugs/plant $(B)/fuzz/tests/fuzz/calls_fuzz.o $(B)/fuzz/kernel.a
	$$(SAY) BUG $$@
	$$(Q)rm -f $$@
	$$(Q)tests/bugs/plant $(firstword $(subst -, ,$(1))) $$(@D)
	$$(Q)cd $$(@D) && $$(FUZZ_CC) $$(FUZZ_FLAGS) -c $(2) -o bug.o
	$$(Q)$$(FUZZ_CC) $$(FUZZ_LINK) -o $$@ $(B)/fuzz/tests/fuzz/calls_fuzz.o $$(@D)/bug.o $(B)/fuzz/kernel.a
endef
$(foreach bug,$(BUGS),$(eval $(call fuzz_bug_rule,$(bug),$(shell sed -n 's/^+++ //p' tests/bugs/$(bug).patch))))

fuzz-bug-programs:
	@$(MAKE) --no-print-directory -k $(FUZZ_BUGS) || true

# How long each planted bug takes to be found.
fuzz-bugs: fuzz-bug-programs
	@$(PYTHON) tests/fuzz/run.py --build $(B) --bugs

.PHONY: fuzz-bug-programs fuzz-bugs
