# SPDX-License-Identifier: ISC
#
# Motet: everything is built into build/. `make help` lists the targets.

ifeq ($(origin CC),default)
CC := gcc
endif
LD      := ld
OBJCOPY := objcopy
PYTHON  := /usr/bin/python3
B       := build

IMAGE ?= dns
PORT  ?= 5353
ZONES ?= zones
ACCEL ?= tcg
MACHINE ?= pc
MEDIUM  ?= elf
FIRMWARE ?=
MEMORY  ?=
QEMU    ?= qemu-system-x86_64
APPEND  ?=
TRACE   ?=
IOMMU   ?= off

WARN   := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow
DEPS    = -MMD -MP
INC    := -I. -Iinclude
BARE   := -std=c17 -Os -ffreestanding -fbuiltin -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector \
          -fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections -fdata-sections \
          -fcf-protection=none $(WARN) $(INC)
# With DEBUG=1 the dear assertions too (kernel/panic.h, libos/assert.h), in a folder of their own.
ifeq ($(DEBUG),1)
B    := build/debug
BARE += -DMOTET_DEBUG
endif
KERNEL_FLAGS = $(BARE) -mcmodel=kernel -mno-red-zone -fno-omit-frame-pointer
USER_FLAGS   = $(BARE)
HOST_FLAGS   := -std=c17 -D_GNU_SOURCE -DMOTET_DEBUG -g -O1 $(WARN) $(INC)
SANITIZE     := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TOOL_FLAGS   := -std=c17 -D_GNU_SOURCE -g -O2 $(WARN) $(INC)

# `make V=1` shows the commands themselves.
ifeq ($(V),1)
Q :=
SAY := @:
else
Q := @
SAY := @printf '  %-8s %s\n'
endif

# Flags that only one of the compilers knows.
cc_flag = $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null 2>/dev/null && echo $(1))

# --- what is built from what -------------------------------------------------------------------

SHARED_C := libos/format.c libos/error.c libos/error_name.c
KERNEL_C := $(wildcard kernel/*.c kernel/arch/x86_64/*.c) libos/format.c libos/string.c
KERNEL_S := $(wildcard kernel/arch/x86_64/*.S)
KERNEL_O := $(KERNEL_C:%.c=$(B)/kernel/%.o) $(KERNEL_S:%.S=$(B)/kernel/%.o)

LIBOS_C  := $(filter-out libos/start.c,$(wildcard libos/*.c libos/virtio/*.c libos/driver/*.c)) $(wildcard ipc/*.c)
LIBOS_O  := $(LIBOS_C:%.c=$(B)/target/%.o)

SERVER_DIRS := $(wildcard servers/* tests/servers/*)
SERVERS  := $(notdir $(SERVER_DIRS))
SERVER_O  = $(SERVERS:%=$(B)/target/%.o) $(INIT_PARTS:%=$(B)/target/init_%.o)

IMAGES   := $(basename $(notdir $(wildcard images/*.conf)))
TEST_IMAGES := $(basename $(notdir $(wildcard tests/images/*.conf)))

UNIT_C   := $(wildcard tests/unit/*_test.c)
UNITS    := $(UNIT_C:tests/unit/%.c=$(B)/unit/%)
# Portable sources, compiled for the host under sanitizers: one archive each, since kernel and user
# level each have their own way to end.
HOST_USER_C   := $(filter-out libos/kernel_x86_64.c libos/start.c libos/program.c libos/string.c,$(wildcard libos/*.c libos/virtio/*.c)) \
                 $(wildcard ipc/*.c) $(filter-out servers/init/%,$(wildcard servers/*/*.c)) \
                 servers/init/settings.c servers/init/mmio_word.c servers/init/blocks.c servers/init/backtrace_words.c
HOST_KERNEL_C := $(wildcard kernel/*.c) $(addprefix kernel/arch/x86_64/,paging.c dmar.c) \
                 $(addprefix kernel/arch/sim/,machine.c arena.c check.c iommu.c check_dma.c check_paging.c check_trace.c check_step.c no_hooks.c)

# Drivers' library.
HOST_USER_C   += $(wildcard libos/driver/*.c)

.PHONY: all run test images bench setup help clean servers compose format lint
all: images

help:
	@echo "make run [IMAGE=dns] [PORT=5353]   boot an image in QEMU; Ctrl-C ends it"
	@echo "make run MACHINE=microvm           or q35; MEDIUM=img, uefi, iso (docs/boot.md)"
	@echo "make run TRACE=FILE                with the kernel's trace; T dumps it (docs/trace.md)"
	@echo "make run IMAGE=dns-managed         with a control channel: motet ps, ... (docs/control.md)"
	@echo "make run IOMMU=on                  on q35 with VT-d (docs/iommu.md)"
	@echo "make test [ONLY=word]              everything that must hold"
	@echo "make test-server SERVER=name       one server's tests only"
	@echo "make sim [SEED=n] [RUNS=n] [ARGS=...]   the image in the simulator, invariants after each step"
	@echo "         [FAST=1 | ASAN=1]         in other builds of it: docs/simulator.md"
	@echo "make images [ZONES=DIR]            build all images into build/images/"
	@echo "make faults                        flip bits of running servers, 100,000 in the simulator, 1,000 in QEMU"
	@echo "make demo-swap                     netd replaced while it serves: a new version, a bad one, a crash"
	@echo "make check-images                  check all manifests (tools/compose --check)"
	@echo "make usertests [ONLY=name]         each misbehaviour in a domain of its own, in QEMU"
	@echo "make explore [SECONDS=3600]        search the states that a tiny machine can reach"
	@echo "make model                         the protocol of channels in all its states, by Spin (docs/model.md)"
	@echo "make bugs                          bugs planted in the kernel: are they found?"
	@echo "make fuzz [TARGET=name] [SECONDS=3600]   libFuzzer targets; make fuzz-bugs: planted bugs"
	@echo "make oracle [SEED=n] [ZONES=n | MINUTES=n]   dnsd beside NSD and Knot on random zones"
	@echo "make bench [ONLY=name]             measure; figures into build/bench/"
	@echo "make bench-ipc                     messages beside function calls (docs/ipc-cost.md)"
	@echo "make setup                         install missing Debian packages (packages.txt)"
	@echo "make ... DEBUG=1                   the same with dear assertions, in build/debug/"
	@echo "make format, make lint, make clean"

# --- setup ---------------------------------------------------------------------------------------

setup:
	@tests/setup install

# Everything else needs the packages: looked for before any rule runs, so that it is right for -j too.
ifneq ($(filter-out setup help clean,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell tests/setup check >&2 && echo complete),complete)
$(error packages are missing, see above; `make setup` tries again)
endif
endif

# --- kernel --------------------------------------------------------------------------------------

BUILD_ID := $(shell git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)
$(B)/kernel/build_id.c: FORCE
	@mkdir -p $(@D)
	@echo 'extern const char kernel_build[]; const char kernel_build[] = "$(BUILD_ID)";' > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

$(B)/kernel/build_id.o: $(B)/kernel/build_id.c
	$(SAY) CC $@
	$(Q)$(CC) $(KERNEL_FLAGS) -c $< -o $@

$(B)/kernel/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(KERNEL_FLAGS) $(DEPS) -c $< -o $@

$(B)/kernel/%.o: %.S
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(KERNEL_FLAGS) $(DEPS) -c $< -o $@

KERNEL_LD := $(LD) -nostdlib -z max-page-size=16 -z noexecstack --no-warn-rwx-segments \
             --gc-sections --build-id=none -T kernel/arch/x86_64/kernel.ld

# The kernel without a composition: for sizes and for naming addresses.
$(B)/kernel.elf: $(KERNEL_O) $(B)/kernel/build_id.o kernel/arch/x86_64/kernel.ld
	$(SAY) LD $@
	$(Q)$(KERNEL_LD) -o $@ $(KERNEL_O) $(B)/kernel/build_id.o

# These define memcpy and the like: their loops mustn't become calls of themselves.
$(B)/kernel/libos/string.o $(B)/target/libos/string.o: BARE += -fno-builtin \
    $(call cc_flag,-fno-tree-loop-distribute-patterns)

# What every message passes through is worth some bytes; functions marked RARE are not.
HOT := $(B)/target/ipc/channel.o $(patsubst %,$(B)/target/libos/%.o,loop channels direct driver/netdev) \
       $(patsubst %,$(B)/target/servers/%.o,virtio_drv/frames e1000_drv/e1000_drv) \
       $(patsubst %,$(B)/kernel/kernel/%.o,syscall fastpath port thread space invoke \
         arch/x86_64/cpu)
$(HOT): BARE += -O2 -falign-functions=1 -falign-loops=1 \
    $(call cc_flag,-falign-jumps=1)

# --- servers -------------------------------------------------------------------------------------

$(B)/target/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(USER_FLAGS) $(DEPS) -c $< -o $@

$(B)/target/libos.a: $(LIBOS_O)
	$(Q)rm -f $@
	$(SAY) AR $@
	$(Q)ar rcs $@ $^

$(B)/target/start.o: $(B)/target/libos/start.o
	$(Q)cp $< $@

# A server is partially linked and exports one symbol, its descriptor.
define server_rule
$(B)/target/$(1).o: $$(patsubst %.c,$(B)/target/%.o,$$(wildcard $(filter %/$(1),$(SERVER_DIRS))/*.c))
	$$(SAY) SERVER $$@
	$$(Q)$(LD) -r -o $$@.all $$^
	$$(Q)$(OBJCOPY) --keep-global-symbol=motet_server_$(1) $$@.all $$@
	$$(Q)rm $$@.all
endef
$(foreach server,$(filter-out init,$(SERVERS)),$(eval $(call server_rule,$(server))))

# init in pieces: init.o is in every image, init_PART.o where the manifest needs it (compose's
# find_init). What they call each other isn't hidden; nobody else is linked with them.
INIT_PARTS   := heaps devices msi isa control swap backtrace
INIT_heaps   := heaps blocks
INIT_devices := devices dma mmio mmio_word pci
INIT_msi     := pci_msi
INIT_isa     := isa
INIT_control := control restart
INIT_swap    := bodies swap swap_bodies
INIT_backtrace := backtrace backtrace_words
INIT_always  := $(filter-out $(foreach part,$(INIT_PARTS),$(INIT_$(part))),$(basename $(notdir $(wildcard servers/init/*.c))))
define init_rule
$(B)/target/$(1).o: $(2:%=$(B)/target/servers/init/%.o)
	$$(SAY) SERVER $$@
	$$(Q)$(LD) -r -o $$@ $$^
endef
$(eval $(call init_rule,init,$(INIT_always)))
$(foreach part,$(INIT_PARTS),$(eval $(call init_rule,init_$(part),$(INIT_$(part)))))

servers: $(SERVER_O) $(B)/target/libos.a $(B)/target/start.o

# --- host tools ----------------------------------------------------------------------------------

COMPOSE_C := $(wildcard tools/composer/*.c) libos/error.c libos/error_name.c
ZONEC_C   := $(wildcard tools/zonec/*.c) servers/dnsd/zone_checksum.c servers/dnsd/name.c

$(B)/tools/obj/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(TOOL_FLAGS) $(DEPS) -c $< -o $@

$(B)/tools/compose: $(COMPOSE_C:%.c=$(B)/tools/obj/%.o)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -lconfig

$(B)/tools/zonec: $(ZONEC_C:%.c=$(B)/tools/obj/%.o)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -lldns -lcrypto

$(B)/tools/callref: $(B)/tools/obj/tools/callref.o
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^

TRACE_C := $(wildcard tools/trace/*.c) libos/trace_text.c libos/format.c
$(B)/tools/trace: $(TRACE_C:%.c=$(B)/tools/obj/%.o)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^

CONTROL_C := $(wildcard tools/control/*.c) libos/crc.c libos/error.c libos/error_name.c
$(B)/tools/motet: $(CONTROL_C:%.c=$(B)/tools/obj/%.o)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -lcrypto

# The tables of docs/kernel.md, after a change of calls.def or errors.def.
reference: $(B)/tools/callref
	@tools/update-reference $<

compose: $(B)/tools/compose

# For tools/compose: builds the servers NEEDED and prints, as the last line, what to call compose with.
# With a name among them that isn't a server's all are built, so that compose can say which there are.
COMPOSE_NEEDS := $(filter $(B)/target/init%.o,$(SERVER_O)) $(patsubst %,$(B)/target/%.o, \
                   $(if $(filter-out $(SERVERS),$(NEEDED)),$(SERVERS),$(NEEDED)))
compose-options: $(COMPOSE_NEEDS) $(B)/target/libos.a $(B)/target/start.o $(B)/zones.zdb
	@echo "--objects $(abspath $(B))/target --libos $(abspath $(B))/target/libos.a" \
	    "--script $(CURDIR)/libos/domain.ld --file zones=$(abspath $(B))/zones.zdb"

check-images:
	@tools/compose --check

# --- images --------------------------------------------------------------------------------------

ZONE_FILES := $(wildcard $(ZONES)/*.zone)
$(B)/zones.zdb: $(B)/tools/zonec $(ZONE_FILES) $(B)/zones.list
	$(SAY) ZONES $@
	$(Q)$(B)/tools/zonec -o $@ $(ZONE_FILES)

# Another ZONES= is another database, though no file is newer.
$(B)/zones.list: FORCE
	@mkdir -p $(@D)
	@test -n "$(ZONE_FILES)" || { echo "no ORIGIN.zone files in $(ZONES)" >&2; exit 1; }
	@echo "$(ZONE_FILES)" > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

# A program alone, to be swapped in: build/programs/IMAGE/DOMAIN.elf; build/programs/IMAGE/DOMAIN-SERVER.elf
# with another object (servers/SERVER or tests/servers/SERVER) in the place of the domain's only server.
$(B)/programs/%.elf: $(B)/tools/compose $(SERVER_O) $(B)/target/libos.a $(B)/target/start.o \
                     libos/domain.ld $(wildcard images/*.conf tests/images/*.conf images/*.parts tests/images/*.parts)
	@mkdir -p $(@D)
	$(SAY) PROGRAM $@
	$(Q)$(B)/tools/compose --program $(word 1,$(subst -, ,$(*F))) -o $@ --objects $(B)/target \
	    --libos $(B)/target/libos.a $(if $(word 2,$(subst -, ,$(*F))),--server \
	    $(word 1,$(subst -, ,$(*F)))=$(B)/target/$(word 2,$(subst -, ,$(*F))).o) \
	    $(firstword $(wildcard images/$(*D).conf tests/images/$(*D).conf) images/$(*D).conf)

# Versions of netd that tests and `make demo-swap` swap in: tests/servers/ttl/whole.h.
SWAP_VERSIONS := ttl crash hang fall stall late late_hang newer flip
SWAP_PROGRAMS := $(SWAP_VERSIONS:%=$(B)/programs/dns-managed/netd-%.elf)

vpath %.conf images tests/images
PARTS := $(wildcard images/*.parts) # included by manifests
# With the bundle come the programs of domains that can be swapped: build/programs/IMAGE/DOMAIN.elf.
$(B)/images/%.bundle $(B)/images/%.map.json: %.conf $(PARTS) $(B)/tools/compose $(SERVER_O) \
                $(B)/target/libos.a $(B)/target/start.o $(B)/zones.zdb libos/domain.ld
	@mkdir -p $(@D) $(B)/programs
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $(B)/images/$*.bundle --map $(B)/images/$*.map.json \
	    --objects $(B)/target --libos $(B)/target/libos.a --file zones=$(B)/zones.zdb \
	    --programs $(B)/programs/$* $<

$(B)/images/%.image.o: $(B)/images/%.bundle
	$(Q)$(OBJCOPY) -I binary -O elf64-x86-64 -B i386:x86-64 \
	    --rename-section .data=.image,alloc,load,readonly,data,contents $< $@

$(B)/images/%.elf: $(B)/images/%.image.o $(KERNEL_O) $(B)/kernel/build_id.o \
                   kernel/arch/x86_64/kernel.ld
	$(SAY) LD $@
	$(Q)$(KERNEL_LD) -s -o $@ $(KERNEL_O) $(B)/kernel/build_id.o $<

include boot/boot.mk

images: $(IMAGES:%=$(B)/images/%.elf) $(MEDIA) $(B)/kernel.elf $(B)/tools/trace $(B)/tools/motet

test-images: $(TEST_IMAGES:%=$(B)/images/%.elf)

# --- running -------------------------------------------------------------------------------------

# MEDIUM: elf, img, uefi (NAME-uefi.img) or iso.
BOOTED = $(B)/images/$(IMAGE)$(if $(filter uefi,$(MEDIUM)),-uefi.img,.$(MEDIUM))
# Devices that the image drives: a line of its manifest, "# QEMU: -device X ...".
DEVICES = $(shell sed -n 's/^\# QEMU: *//p' $(wildcard images/$(IMAGE).conf tests/images/$(IMAGE).conf))
# The network card that it drives, if that isn't a virtio one: "# QEMU card: NAME".
CARD = $(shell sed -n 's/^\# QEMU card: *//p' $(wildcard images/$(IMAGE).conf tests/images/$(IMAGE).conf))
# What it serves, if that isn't DNS: "# Service: UDP PORT".
SERVICE = $(shell sed -n 's/^\# Service: UDP *//p' $(wildcard images/$(IMAGE).conf tests/images/$(IMAGE).conf))
run: $(BOOTED) $(B)/tools/motet
	@exec tools/run-image $(if $(DEVICES),--devices "$(DEVICES)") $(CARD:%=--card %) $(SERVICE:%=--service %) --image $< --port $(PORT) --accel $(ACCEL) --machine $(MACHINE) --iommu $(IOMMU) \
	    $(FIRMWARE:%=--firmware %) $(MEMORY:%=--memory %) $(TRACE:%=--trace %) --append "$(APPEND)"

include tools/sim/sim.mk

# --- tests ---------------------------------------------------------------------------------------

$(B)/host/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(HOST_FLAGS) -DMOTET_HOST $(SANITIZE) $(DEPS) -c $< -o $@

$(B)/host/user.a: $(HOST_USER_C:%.c=$(B)/host/%.o)
	$(Q)rm -f $@
	$(SAY) AR $@
	$(Q)ar rcs $@ $^

$(B)/host/kernel.a: $(HOST_KERNEL_C:%.c=$(B)/host/%.o)
	$(Q)rm -f $@
	$(SAY) AR $@
	$(Q)ar rcs $@ $^

FAKES_C := $(filter-out %_test.c tests/unit/kernel_%,$(wildcard tests/unit/*.c))
$(B)/host/fakes.a: $(FAKES_C:%.c=$(B)/host/%.o)
	$(SAY) AR $@
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# Tests named kernel_* link the kernel's archive, compose_*, dns_* and zone_* also those of the host
# tools, all others the user level's.
$(B)/unit/kernel_%: $(B)/host/tests/unit/kernel_%.o $(B)/host/tests/unit/kernel_machine.o $(B)/host/kernel.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka

HOST_COMPOSE_C := $(filter-out %/main.c,$(wildcard tools/composer/*.c))
$(B)/host/compose.a: $(HOST_COMPOSE_C:%.c=$(B)/host/%.o)
	$(SAY) AR $@
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(B)/unit/compose_%: $(B)/host/tests/unit/compose_%.o $(B)/host/compose.a $(B)/host/user.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka -lconfig

HOST_ZONEC_C := $(filter-out %/main.c,$(wildcard tools/zonec/*.c))
$(B)/host/zonec.a: $(HOST_ZONEC_C:%.c=$(B)/host/%.o)
	$(SAY) AR $@
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

define dns_test_rule
$(B)/unit/$(1)_%: $(B)/host/tests/unit/$(1)_%.o $(B)/host/zonec.a $(B)/host/user.a
	@mkdir -p $$(@D)
	$$(SAY) LINK $$@
	$$(Q)$$(CC) $$(SANITIZE) -o $$@ $$^ -lcmocka -lldns -lcrypto
endef
$(foreach kind,dns zone,$(eval $(call dns_test_rule,$(kind))))

# Servers' tests run in a domain that is a fake; the libOS's own run the real one.
define server_test_rule
$(B)/unit/$(1)_%: $(B)/host/tests/unit/$(1)_%.o $(B)/host/fakes.a $(B)/host/user.a
	@mkdir -p $$(@D)
	$$(SAY) LINK $$@
	$$(Q)$$(CC) $$(SANITIZE) -o $$@ $$^ -lcmocka
endef
$(foreach server,netd virtio dnsd control driver,$(eval $(call server_test_rule,$(server))))

# NAME_server_test, of any server: make prefers this rule, whose % is shorter, to those above.
$(B)/unit/%_server_test: $(B)/host/tests/unit/%_server_test.o $(B)/host/fakes.a $(B)/host/user.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka

# Beside another implementation of signatures.
$(B)/unit/loader_sign_test: $(B)/host/tests/unit/loader_sign_test.o $(B)/host/user.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka -lcrypto

# NAME_swapped_test: with what the servers hand over, which nothing in the archive asks for.
SWAP_O := $(patsubst %.c,$(B)/host/%.o,$(wildcard servers/*/swap.c))
SWAP_O := $(filter-out $(B)/host/servers/init/%,$(SWAP_O))
$(B)/unit/%_swapped_test: $(B)/host/tests/unit/%_swapped_test.o $(SWAP_O) $(B)/host/fakes.a $(B)/host/user.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka

$(B)/unit/%: $(B)/host/tests/unit/%.o $(B)/host/user.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka -lpthread

include tests/explore/explore.mk
include tests/bugs/bugs.mk
include tests/fuzz/fuzz.mk
include tests/usertests/usertests.mk
include tests/oracle/oracle.mk
include tests/model/model.mk
include tests/cpus/cpus.mk

units: $(UNITS)

# What the tests look at beside the images themselves.
debug-images:
	@$(MAKE) --no-print-directory DEBUG=1 build/debug/images/dns.elf build/debug/kernel.elf

test: images test-images units $(SWAP_PROGRAMS) $(B)/tools/callref debug-images sim-programs \
      usertests-programs $(B)/explore/explore $(EXPLORE_UNSOUND) bug-programs fuzzers fuzz-bug-programs oracle-programs cpus-programs \
      ipc-programs $(B)/images/driver-wire.elf $(B)/programs/dns-managed/netd-crash.elf
	@$(PYTHON) tests/run.py --build $(B) $(if $(ONLY),--only "$(ONLY)")

# One server's tests only: its unit tests, and those of the image of its name, if there is one.
SERVER_UNITS := $(filter $(B)/unit/$(SERVER)_%,$(UNITS))
SERVER_TESTS := $(patsubst $(B)/unit/%_test,unit/%,$(SERVER_UNITS)) \
                $(patsubst tests/system/test_%.py,system/%,$(wildcard tests/system/test_$(SERVER).py))
test-server: $(if $(SERVER),$(SERVER_UNITS) $(patsubst %,$(B)/images/%.elf,$(filter $(SERVER),$(IMAGES))))
	@test -n "$(strip $(SERVER_TESTS))" || { echo "SERVER=$(SERVER): no tests of that server" >&2; exit 1; }
	@$(PYTHON) tests/run.py --build $(B) $(SERVER_TESTS:%=--suite %)

# The DNS image with 10,000 records, for what depends on their number.
$(B)/bench/10k/example.net.zone: bench/zone.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) bench/zone.py 10000 > $@

$(B)/bench/10k.zdb: $(B)/bench/10k/example.net.zone $(B)/tools/zonec
	$(SAY) ZONES $@
	$(Q)$(B)/tools/zonec -o $@ $<

$(B)/images/dns-10k.bundle: images/dns.conf $(PARTS) $(B)/tools/compose $(SERVER_O) $(B)/target/libos.a \
                $(B)/target/start.o $(B)/bench/10k.zdb libos/domain.ld
	@mkdir -p $(@D)
	$(SAY) COMPOSE $@
	$(Q)$(B)/tools/compose -o $@ --map $(B)/images/dns-10k.map.json --objects $(B)/target \
	    --libos $(B)/target/libos.a --file zones=$(B)/bench/10k.zdb $<

include bench/kernel/kernel.mk
include bench/ipc/ipc.mk
include bench/driver/driver.mk
include bench/triad/triad.mk

BENCH_RUNS ?= 5
BENCHES := $(or $(ONLY),dns kernel sim ipc restart driver)
bench: $(if $(filter-out kernel sim ipc restart swap includeos driver,$(BENCHES)),bench-dns) $(if $(filter kernel,$(BENCHES)),bench-kernel) \
       $(if $(filter sim,$(BENCHES)),bench-sim) $(if $(filter ipc,$(BENCHES)),bench-ipc) \
       $(if $(filter restart,$(BENCHES)),bench-restart) $(if $(filter swap,$(BENCHES)),bench-swap) \
       $(if $(filter includeos,$(BENCHES)),bench-includeos) $(if $(filter driver,$(BENCHES)),bench-driver)
bench-kernel: $(B)/images/kbench.elf $(B)/images/hostile.elf $(B)/images/usertests.elf $(B)/kernel.elf
	@$(KERNEL_BENCH)

# Bits of running servers flip, in the simulator and in QEMU: docs/faults.md.
faults: $(B)/sim/checked/sim $(B)/images/dns_restart.bundle $(B)/images/dns-managed.elf $(B)/tools/motet
	@MOTET_BUILD=$(abspath $(B)) $(PYTHON) tests/faults/sim.py $(FAULTS_SIM:%=--faults %)
	@MOTET_BUILD=$(abspath $(B)) $(PYTHON) tests/faults/qemu.py $(FAULTS_QEMU:%=--faults %)

demo-swap: $(B)/images/dns-managed.elf $(B)/tools/motet $(SWAP_PROGRAMS)
	@$(PYTHON) bench/demo_swap.py --image $(B)/images/dns-managed.elf --motet $(B)/tools/motet \
	    --new $(B)/programs/dns-managed/netd-ttl.elf --bad $(B)/programs/dns-managed/netd-crash.elf \
	    --out $(B)/demo/swap.svg

bench-swap: $(B)/images/dns-managed.elf $(B)/tools/motet
	@$(PYTHON) bench/swap.py --image $(B)/images/dns-managed.elf --motet $(B)/tools/motet \
	    --programs $(B)/programs/dns-managed --out $(B)/bench/swap.json --runs $(BENCH_RUNS) \
	    $(if $(SWAPS),--swaps $(SWAPS))

bench-restart: $(B)/images/dns-managed.elf $(B)/tools/motet
	@$(PYTHON) bench/restart.py --image $(B)/images/dns-managed.elf --motet $(B)/tools/motet \
	    --out $(B)/bench/restart.json --runs $(BENCH_RUNS)

bench-dns: images $(B)/images/dns-10k.elf
	@$(PYTHON) bench/dns.py --image $(B)/images/dns.elf --image-10k $(B)/images/dns-10k.elf \
	    --out $(B)/bench/dns.json --runs $(BENCH_RUNS) --query-10k host9999.example.net \
	    $(foreach name,$(filter-out dns kernel sim ipc restart swap driver,$(ONLY)),--only $(name))

# --- upkeep --------------------------------------------------------------------------------------

SOURCES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
format:
	clang-format -i $(SOURCES)

# Left out: symbols of the linker script are no objects of C; assembly operands are used; assertions
# of cmocka end the function, which cppcheck doesn't know; faulty.c is there to do wrong.
CPPCHECK := cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
            --inline-suppr --std=c17 -I. -Iinclude --suppress=missingIncludeSystem \
            --suppress=comparePointers:kernel/arch/x86_64/main.c \
            --suppress=comparePointers:tools/sim/snapshot.c \
            --suppress=comparePointers:libos/start.c --suppress=comparePointers:libos/restart.c --suppress=comparePointers:tests/unit/fake_swap.c --suppress=comparePointers:libos/swap_state.c --suppress=constStatement:libos/syscall.h \
            --suppress=constStatement:tests/usertests/harness.c \
            --suppress=ctunullpointer:include/motet/msg.h \
            --suppress=ctunullpointer:libos/driver/ports.c \
            --suppress=nullPointerRedundantCheck:servers/netd/reassembly.c \
            --suppress=pointerOutOfBounds:tests/unit/dns_helper.h \
            --suppress=nullPointer:tests/servers/faulty/faulty.c \
            --suppress=nullPointer:tests/servers/hungry/hungry.c \
            --suppress=nullPointer:tests/unit/compose_symbols_test.c
lint:
	$(Q)clang-format --dry-run -Werror $(SOURCES)
	$(Q)$(CPPCHECK) $(filter %.c,$(SOURCES))

clean:
	rm -rf $(B)

FORCE:
.PHONY: FORCE compose-options check-images test-server bench-dns bench-kernel bench-restart bench-swap demo-swap faults units test-images reference debug-images
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
