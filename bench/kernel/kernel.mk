# SPDX-License-Identifier: ISC
#
# The kernel's figures: an image whose init is the measuring program, and what reads its answers.

KBENCH := $(B)/bench/kernel
RIG_O    := $(B)/target/bench/kernel/rig.o
KBENCH_O := $(B)/target/bench/kernel/kbench.o $(B)/target/bench/kernel/calls.o $(RIG_O)

$(B)/target/%.o: %.S
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(USER_FLAGS) $(DEPS) -c $< -o $@

$(KBENCH)/init.o: $(KBENCH_O)
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $^

$(KBENCH)/%.o: $(B)/target/%.o
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(B)/images/kbench.bundle: bench/kernel/kernel.conf $(B)/tools/compose $(KBENCH)/init.o \
                $(KBENCH)/start.o $(KBENCH)/flood.o $(B)/target/libos.a libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/kbench.map.json --objects $(KBENCH) \
	    --libos $(B)/target/libos.a $<

# The longest entry is looked for in these images too; TEXT is the last that is waited for.
KERNEL_BENCH = $(PYTHON) bench/kernel.py --image $(B)/images/kbench.elf --kernel $(B)/kernel.elf \
    --out $(B)/bench/kernel.json --entry "$(B)/images/hostile.elf=finished: " \
    --entry "$(B)/images/usertests.elf=usertests: "
