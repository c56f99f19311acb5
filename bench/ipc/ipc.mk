# SPDX-License-Identifier: ISC
#
# What IPC costs: `make bench-ipc` (docs/ipc-cost.md). Two servers that measure, in images where
# they live apart or together, and a program in init's place.

IPC_SERVERS := source sink
SERVER_DIRS += $(IPC_SERVERS:%=bench/ipc/servers/%)
$(foreach server,$(IPC_SERVERS),$(eval $(call server_rule,$(server))))

# What is measured is the transport, not the compiler's choice of size before speed.
$(B)/target/bench/ipc/%.o: BARE += -O2

IPC_APART := ipc-isolated ipc-fused

$(IPC_APART:%=$(B)/images/%.bundle): $(B)/images/%.bundle: bench/ipc/%.conf bench/ipc/ipc.parts $(B)/tools/compose $(B)/target/init.o \
                $(IPC_SERVERS:%=$(B)/target/%.o) $(B)/target/libos.a $(B)/target/start.o libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/$*.map.json --objects $(B)/target \
	    --libos $(B)/target/libos.a $<

IPC_ROOT := $(B)/bench/ipc-root
IPC_ROOT_O := $(patsubst %,$(B)/target/bench/ipc/root/%.o,main ports awake) $(RIG_O)

$(IPC_ROOT)/init.o: $(IPC_ROOT_O)
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $^

$(IPC_ROOT)/%.o: $(B)/target/%.o
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(B)/images/ipc-root.bundle: bench/ipc/ipc-root.conf $(B)/tools/compose $(IPC_ROOT)/init.o \
                $(IPC_ROOT)/start.o $(IPC_ROOT)/flood.o $(B)/target/libos.a libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/ipc-root.map.json --objects $(IPC_ROOT) \
	    --libos $(B)/target/libos.a $<

# On the host: the libOS and the servers as a domain has them, without vector registers.
NATIVE_O := $(patsubst %.c,$(B)/bench/native/%.o,$(filter-out libos/kernel_calls.c,$(filter libos/% ipc/%,$(HOST_USER_C))) \
              $(wildcard bench/ipc/native/*.c bench/ipc/servers/*/*.c))
NATIVE_FLAGS := -std=c17 -D_GNU_SOURCE -DMOTET_HOST -O2 -fno-strict-aliasing $(WARN) $(INC)
$(filter-out $(B)/bench/native/bench/ipc/native/%,$(NATIVE_O)): NATIVE_FLAGS += -mgeneral-regs-only

$(B)/bench/native/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(NATIVE_FLAGS) $(DEPS) -c $< -o $@

$(B)/bench/ipc-native: $(NATIVE_O)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^

ipc-programs: $(B)/bench/ipc-native $(IPC_APART:%=$(B)/images/%.elf) $(B)/images/ipc-root.elf \
              $(B)/images/kbench.elf

# The partitions of the DNS image that there are.
IPC_PARTITIONS := $(foreach part,isolated paired fused,$(if $(wildcard images/dns-$(part).conf),$(part)))
IPC_DNS := $(or $(foreach part,$(IPC_PARTITIONS),--dns $(part)=$(B)/images/dns-$(part).elf), \
             --dns isolated=$(B)/images/dns.elf)

bench-ipc: ipc-programs images $(B)/kernel.elf
	@$(PYTHON) bench/ipc.py --images $(B)/images --native $(B)/bench/ipc-native --kernel $(B)/kernel.elf \
	    $(IPC_DNS) --out $(B)/bench/ipc.json --functions $(ARGS)

.PHONY: ipc-programs bench-ipc
