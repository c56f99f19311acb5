# SPDX-License-Identifier: ISC
#
# The simulator: the portable kernel, the libOS and all servers in one host process. Three builds of
# the same sources: fast (as production), checked (every memory access watched, dear assertions on)
# and asan (AddressSanitizer and UBSan).
#
#   user code    no vector registers, no red zone, its own memcpy: what is in its registers is in
#                the thread's page when it leaves
#   the machine  kernel, devices, clients: its variables are gathered in sections of their own, so
#                that a snapshot holds them (tools/sim/snapshot.c)
#   the host     everything else

SIM_VARIANTS := fast checked asan

# Servers of tests that run in it too.
SIM_TEST_SERVERS := hungry frames asker answerer rogue_client rogue_driver rogue_stack swapper \
                    entropy_check block_check clock_check console_check

SIM_USER_C := $(filter-out libos/kernel_x86_64.c libos/start.c libos/program.c,$(wildcard libos/*.c libos/virtio/*.c)) $(wildcard ipc/*.c) \
              $(wildcard servers/*/*.c $(SIM_TEST_SERVERS:%=tests/servers/%/*.c)) kernel/arch/sim/user/processor.c
SIM_MACHINE_C := $(wildcard kernel/*.c) kernel/arch/x86_64/paging.c tests/unit/fake_virtio.c tests/unit/fake_virtio_packed.c \
                 tests/unit/fake_cmos.c tests/unit/fake_uart.c tests/unit/fake_e1000.c \
                 $(addprefix kernel/arch/sim/,machine.c iommu.c check.c check_dma.c check_paging.c check_trace.c boot.c) \
                 $(addprefix tools/sim/,world.c network.c ports.c legacy.c cmos.c uart.c device.c function.c virtio.c e1000.c nic.c disk.c rng.c client.c service.c step.c invariants.c torn.c flips.c)
SIM_HOST_C := $(addprefix kernel/arch/sim/,arena.c mappings.c user.c) \
              $(addprefix tools/sim/,main.c run.c shrink.c options.c snapshot.c inspect.c symbols.c composition.c trace_file.c)

# Drivers' library.
SIM_USER_C += $(wildcard libos/driver/*.c)

SIM_COMMON := -std=c17 -D_GNU_SOURCE -DMOTET_HOST -g -fno-pie -fno-strict-aliasing -fno-stack-protector \
              -fcf-protection=none $(WARN)
SIM_USER   := -mgeneral-regs-only -mno-red-zone -Ikernel/arch/sim/user/include $(INC)

SIM_fast_FLAGS    := -O2
SIM_checked_FLAGS := -O2 -DMOTET_DEBUG
SIM_asan_FLAGS    := -O1 -DMOTET_DEBUG -fno-omit-frame-pointer $(SANITIZE)
# The machine's variables are copied as a whole: nothing poisoned between them.
SIM_asan_MACHINE  := $(or $(call cc_flag,--param=asan-globals=0),$(call cc_flag,-mllvm -asan-globals=0))
SIM_checked_WATCH := -fsanitize=thread $(call cc_flag,-Wno-tsan) $(call cc_flag,-mstringop-strategy=libcall)
SIM_fast_LINK     :=
SIM_checked_LINK  :=
SIM_asan_LINK     := $(SANITIZE)
SIM_fast_HOOKS    := no_hooks
SIM_checked_HOOKS := hooks
SIM_asan_HOOKS    := no_hooks

# A server's functions call memcpy and the like: its libOS's, not the host's.
SIM_RENAME := $(foreach name,memcpy memmove memset memcmp strlen strcmp,--redefine-sym $(name)=user_$(name))

define sim_rules
$(B)/sim/$(1)/user/%.o: %.c
	@mkdir -p $$(@D)
	$$(SAY) CC $$@
	$$(Q)$$(CC) $$(SIM_COMMON) $$(SIM_USER) $$(SIM_$(1)_FLAGS) $$(SIM_$(1)_WATCH) $$(DEPS) -c $$< -o $$@

$(B)/sim/$(1)/user/libos/string.o: SIM_COMMON += -fno-builtin $$(call cc_flag,-fno-tree-loop-distribute-patterns)

$(B)/sim/$(1)/machine/%.o: %.c
	@mkdir -p $$(@D)
	$$(SAY) CC $$@
	$$(Q)$$(CC) $$(SIM_COMMON) $$(INC) $$(SIM_$(1)_FLAGS) $$(SIM_$(1)_MACHINE) $$(if $$(filter kernel/%,$$(filter-out kernel/arch/sim/%,$$<)),$$(SIM_$(1)_WATCH)) $$(DEPS) -c $$< -o $$@

$(B)/sim/$(1)/host/%.o: %.c
	@mkdir -p $$(@D)
	$$(SAY) CC $$@
	$$(Q)$$(CC) $$(SIM_COMMON) $$(INC) $$(SIM_$(1)_FLAGS) $$(DEPS) -c $$< -o $$@

$(B)/sim/$(1)/host/kernel/arch/sim/hooks.o: SIM_COMMON += -mgeneral-regs-only

$(B)/sim/$(1)/host/%.o: %.S
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -c $$< -o $$@

# servers.c is newer when there are others.
$(B)/sim/$(1)/user.o: $$(SIM_USER_C:%.c=$(B)/sim/$(1)/user/%.o) $(B)/sim/servers.c
	$$(SAY) LD $$@
	$$(Q)$$(LD) -r -o $$@ $$(filter %.o,$$^)
	$$(Q)$$(OBJCOPY) $$(SIM_RENAME) --redefine-sym _start=init_start $$@

$(B)/sim/$(1)/machine.o: $$(SIM_MACHINE_C:%.c=$(B)/sim/$(1)/machine/%.o)
	$$(SAY) LD $$@
	$$(Q)$$(LD) -r -T tools/sim/machine.ld -o $$@ $$^
	$$(Q)$$(OBJCOPY) --rename-section .data=machine_data --rename-section .bss=machine_bss $$@

$(B)/sim/$(1)/sim: $(B)/sim/$(1)/user.o $(B)/sim/$(1)/machine.o $$(SIM_HOST_C:%.c=$(B)/sim/$(1)/host/%.o) \
                   $(B)/sim/$(1)/host/kernel/arch/sim/$$(SIM_$(1)_HOOKS).o $(B)/sim/$(1)/host/kernel/arch/sim/enter.o \
                   $(B)/sim/$(1)/host/$(B)/sim/servers.o
	$$(SAY) LINK $$@
	$$(Q)$$(CC) -no-pie -Wl,--build-id=sha1 -Wl,-Ttext-segment=0x70000000 -z noexecstack $$(SIM_$(1)_LINK) -o $$@ $$^
endef
$(foreach variant,$(SIM_VARIANTS),$(eval $(call sim_rules,$(variant))))

# All servers that a composition may name.
SIM_SERVERS := $(filter-out init,$(notdir $(wildcard servers/*))) $(SIM_TEST_SERVERS)
$(B)/sim/servers.c: $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	@{ echo '#include "kernel/arch/sim/user/processor.h"'; \
	   for name in $(SIM_SERVERS); do echo "extern const struct server motet_server_$$name;"; done; \
	   echo 'const struct server *const sim_linked[] = {'; \
	   for name in $(SIM_SERVERS); do echo "    &motet_server_$$name,"; done; \
	   echo '    NULL};'; } > $@

# --- running it ----------------------------------------------------------------------------------

SEED ?= 1
RUNS ?= 10
SIM  := $(if $(FAST),fast,$(if $(ASAN),asan,checked))
SIM_HOW := $(if $(FAST),--every 10000,--copy)

sim: $(B)/sim/$(SIM)/sim $(B)/images/$(IMAGE).bundle
	@$< --image $(B)/images/$(IMAGE).bundle --seed $(SEED) --runs $(RUNS) $(SIM_HOW) $(ARGS)

# For `make test`. A bug that can't be planted any more fails its test, not the build.
SIM_IMAGES := dns rogue rogue_alone dns_restart dns_heap_restart dns_swap entropy_check block_check clock_check console_check entropy dns-e1000
sim-programs: $(SIM_VARIANTS:%=$(B)/sim/%/sim) $(SIM_IMAGES:%=$(B)/images/%.bundle)
	@$(MAKE) --no-print-directory -k $(SIM_BUGS:%=$(B)/sim/bugs/%/sim) || true

# Which are found, by which seed, how fast.
sim-bugs: sim-programs cpus-programs
	@$(PYTHON) tests/bugs/servers/find.py --build $(B)
	@$(PYTHON) tests/cpus/find.py --build $(B)

bench-sim: $(B)/sim/fast/sim $(B)/sim/checked/sim $(B)/images/dns.bundle
	@$(PYTHON) bench/sim.py --image $(B)/images/dns.bundle --fast $(B)/sim/fast/sim \
	    --checked $(B)/sim/checked/sim --explore $(B)/explore/explore --runs $(BENCH_RUNS) \
	    --out $(B)/bench/sim.json

.PHONY: sim sim-bugs sim-programs bench-sim bench-dns

# --- bugs planted in libOS and servers (tests/bugs/servers/README.md): each in a copy of the tree ---

SIM_BUGS := $(basename $(notdir $(sort $(wildcard tests/bugs/servers/*.patch))))
SIM_COPIED := Makefile packages.txt boot images include ipc kernel libos servers tools tests/setup tests/unit \
              tests/images tests/servers $(wildcard tests/*/*.mk bench/*/*.mk)

# What was built before the bug came is built still: only what the patch changes is compiled. The
# sources stay, for a debugger.
$(B)/sim/bugs/%/sim: tests/bugs/servers/%.patch $(B)/sim/checked/sim
	$(SAY) BUG $@
	$(Q)rm -rf $(@D) && mkdir -p $(@D)/$(B)/sim
	$(Q)cp -rp --parents $(SIM_COPIED) $(@D)
	$(Q)cp -rp $(B)/sim/checked $(B)/sim/servers.c $(@D)/$(B)/sim
	$(Q)cp -p $(B)/setup.stamp $(@D)/$(B) 2>/dev/null || true
	$(Q)cd $(@D) && GIT_CEILING_DIRECTORIES=$(CURDIR)/$(B)/sim/bugs git apply $(CURDIR)/$<
	$(Q)$(MAKE) -s -C $(@D) $(B)/sim/checked/sim
	$(Q)mv $(@D)/$(B)/sim/checked/sim $@ && rm -rf $(@D)/$(B)
