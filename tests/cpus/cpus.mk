# SPDX-License-Identifier: ISC
#
# Domains on CPUs with store buffers (docs/model.md): the production sources of channels and loop, and
# the same with what carries a label left out (tests/bugs/protocol/), each in a copy.

CPUS_INC   := -Itests/cpus/include
CPUS_FLAGS := -std=c17 -D_GNU_SOURCE -DMOTET_DEBUG -DMOTET_HOST -g -O1 $(WARN)
CPUS_SEEN  := ipc/channel.c libos/channels.c libos/loop.c # what the bugs are planted in
CPUS_C     := $(wildcard tests/cpus/*.c) $(addprefix libos/,domain.c heap.c counters.c log.c error.c error_name.c format.c)
CPUS_O     := $(CPUS_C:%.c=$(B)/cpus/%.o)

PROTOCOL_BUGS := $(basename $(notdir $(sort $(wildcard tests/bugs/protocol/*.patch))))

$(B)/cpus/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPUS_FLAGS) $(CPUS_INC) $(INC) $(DEPS) -c $< -o $@

$(B)/cpus/cpus: $(CPUS_O) $(CPUS_SEEN:%.c=$(B)/cpus/%.o)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^

$(B)/cpus/bugs/%/cpus: tests/bugs/protocol/%.patch $(B)/cpus/cpus
	$(SAY) BUG $@
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)cp -rp ipc libos include $(@D)
	$(Q)cd $(@D) && GIT_CEILING_DIRECTORIES=$(CURDIR)/$(B)/cpus/bugs git apply -p1 $(CURDIR)/$<
	$(Q)for file in $(CPUS_SEEN); do \
	    $(CC) $(CPUS_FLAGS) $(CPUS_INC) -I$(@D) -I$(@D)/include $(INC) -c $(@D)/$$file -o $(@D)/$$(basename $$file .c).o || exit 1; done
	$(Q)$(CC) -o $@ $(CPUS_O) $(@D)/*.o

cpus-programs: $(B)/cpus/cpus
	@$(MAKE) --no-print-directory -s -k $(PROTOCOL_BUGS:%=$(B)/cpus/bugs/%/cpus) || true

.PHONY: cpus-programs
