# SPDX-License-Identifier: ISC
#
# What IncludeOS was measured by: `make bench ONLY=includeos` (docs/figures.md).

SERVER_DIRS += bench/triad/servers/triad
$(eval $(call server_rule,triad))

# As the process of Linux beside it (bench/linux/build.sh).
$(B)/target/bench/triad/%.o: BARE += -O2

$(B)/images/triad.bundle: bench/triad/triad.conf $(B)/tools/compose $(B)/target/init.o $(B)/target/triad.o \
                $(B)/target/libos.a $(B)/target/start.o libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/triad.map.json --objects $(B)/target \
	    --libos $(B)/target/libos.a $<

bench-includeos: $(B)/images/dns.elf $(B)/images/triad.elf
	@$(PYTHON) bench/includeos.py --image $(B)/images/dns.elf --triad $(B)/images/triad.elf \
	    --out $(B)/bench/includeos.json $(ARGS)

.PHONY: bench-includeos
