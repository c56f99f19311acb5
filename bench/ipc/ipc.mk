# SPDX-License-Identifier: ISC
#
# What IPC costs: `make bench-ipc` (docs/ipc-cost.md). Two servers that measure, in images where
# they live apart or together.

IPC_SERVERS := source sink
SERVER_DIRS += $(IPC_SERVERS:%=bench/ipc/servers/%)
$(foreach server,$(IPC_SERVERS),$(eval $(call server_rule,$(server))))

# What is measured is the transport, not the compiler's choice of size before speed.
$(B)/target/bench/ipc/%.o: BARE += -O2

IPC_IMAGES := ipc_isolated ipc_fused

$(IPC_IMAGES:%=$(B)/images/%.bundle): $(B)/images/%.bundle: bench/ipc/%.conf $(B)/tools/compose $(B)/target/init.o \
                $(IPC_SERVERS:%=$(B)/target/%.o) $(B)/target/libos.a $(B)/target/start.o libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/$*.map.json --objects $(B)/target \
	    --libos $(B)/target/libos.a $<

ipc-programs: $(IPC_IMAGES:%=$(B)/images/%.elf)

.PHONY: ipc-programs
