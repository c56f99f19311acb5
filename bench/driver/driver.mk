# SPDX-License-Identifier: ISC
#
# What network drivers execute per packet: `make bench ONLY=driver`. A server that is the client of
# two drivers, and its image.

SERVER_DIRS += bench/driver/servers/packets
$(eval $(call server_rule,packets))

$(B)/images/driver-wire.bundle: bench/driver/driver-wire.conf $(B)/tools/compose $(B)/target/init.o \
                $(patsubst %,$(B)/target/%.o,init_devices init_msi virtio_drv e1000_drv packets) $(B)/target/libos.a \
                $(B)/target/start.o libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/driver-wire.map.json --objects $(B)/target \
	    --libos $(B)/target/libos.a $<

bench-driver: $(B)/images/driver-wire.elf $(B)/kernel.elf
	@$(PYTHON) bench/driver.py --image $(B)/images/driver-wire.elf --kernel $(B)/kernel.elf \
	    --out $(B)/bench/driver.json $(ARGS)

.PHONY: bench-driver
