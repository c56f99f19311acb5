# SPDX-License-Identifier: ISC
#
# usertests (docs/usertests.md): one program, in init's place of an image for QEMU, and in a simulator
# of its own.

UT := $(B)/usertests
UT_TESTS_C := $(addprefix tests/usertests/,$(addsuffix .c,harness supervisor complete list invoked calls \
                operations threads machine destroy faults registers planted))
UT_O := $(patsubst %.c,$(B)/target/%.o,$(UT_TESTS_C) tests/usertests/start.c)

$(UT)/init.o: $(UT_O)
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $^

$(UT)/%.o: $(B)/target/%.o
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(B)/images/usertests.bundle: tests/usertests/usertests.conf $(B)/tools/compose $(UT)/init.o \
                $(UT)/start.o $(UT)/flood.o $(B)/target/libos.a libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/usertests.map.json --objects $(UT) \
	    --libos $(B)/target/libos.a $<

# In the simulator: its checked build's objects, and this program's instead of init and the servers.
UT_SIM_USER := $(UT_TESTS_C) tests/usertests/sim_user.c tests/servers/flood/flood.c \
               $(filter-out servers/%,$(SIM_USER_C))
UT_SIM_MACHINE := $(wildcard kernel/*.c) kernel/arch/x86_64/paging.c \
                  $(addprefix kernel/arch/sim/,machine.c iommu.c check.c check_dma.c check_paging.c check_trace.c boot.c) \
                  tests/usertests/sim_machine.c
UT_SIM_HOST := $(addprefix kernel/arch/sim/,arena.c mappings.c user.c hooks.c) tests/usertests/sim.c

$(UT)/sim_user.o: $(UT_SIM_USER:%.c=$(B)/sim/checked/user/%.o)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(LD) -r -o $@ $^
	$(Q)$(OBJCOPY) $(SIM_RENAME) $@

$(UT)/sim: $(UT)/sim_user.o $(UT_SIM_MACHINE:%.c=$(B)/sim/checked/machine/%.o) \
           $(UT_SIM_HOST:%.c=$(B)/sim/checked/host/%.o) $(B)/sim/checked/host/kernel/arch/sim/enter.o
	$(SAY) LINK $@
	$(Q)$(CC) -no-pie -Wl,-Ttext-segment=0x70000000 -z noexecstack -o $@ $^

usertests: $(B)/images/usertests.elf
	@$(PYTHON) tests/usertests/run.py --image $< $(if $(ONLY),--only "$(ONLY)")

usertests-programs: $(B)/images/usertests.elf $(UT)/sim

.PHONY: usertests usertests-programs
