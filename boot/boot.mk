# SPDX-License-Identifier: ISC
#
# Boot media out of NAME.elf: NAME.img (raw disk, BIOS), NAME-uefi.img (raw disk, BIOS and UEFI),
# NAME.iso (CD or stick, BIOS and UEFI). Each prints its sizes.

PACK := boot/pack-lib.sh $(wildcard boot/grub/*)

$(B)/images/%-uefi.img: $(B)/images/%.elf boot/pack-uefi boot/pack-disk $(PACK)
	$(SAY) DISK $@
	$(Q)boot/pack-uefi $@ $<

$(B)/images/%.img: $(B)/images/%.elf boot/pack-disk $(PACK)
	$(SAY) DISK $@
	$(Q)boot/pack-disk $@ $<

$(B)/images/%.iso: $(B)/images/%.elf boot/pack-iso $(PACK)
	$(SAY) ISO $@
	$(Q)boot/pack-iso $@ $<

MEDIA := $(B)/images/dns.img $(B)/images/dns-uefi.img $(B)/images/dns.iso
