/* SPDX-License-Identifier: ISC
 *
 * What kernel and user level agree on: numbers of calls, objects and operations (all from
 * calls.def), rights, the register convention, the kernel information page, and what init is given.
 *
 * Registers at `syscall` (rcx and r11 are the instruction's own):
 *
 *   rax  call                              -> error
 *   rdi  capability slot                   -> pending word (wait, send_wait)
 *   rsi  message header / operation        -> message header, 0: no message
 *   rdx r10 r8 r9 r12 r13  six words / a0..a5 -> six words / results in rdx r10 r8
 *   rbx  own port's slot (send_wait); slot to
 *        signal first, 0: none (wait)      -> badge of the message
 *   r14  two 32-bit slots: capabilities to send; for wait: where to receive
 *                                          -> which came: bit n for the n-th
 *   r15  deadline in clock ticks, 0: none
 *
 * No call takes a pointer. The header is the first 8 bytes of struct msg; op 0 isn't sent.
 */
#ifndef MOTET_ABI_H
#define MOTET_ABI_H

#include <stdint.h>

#include "motet/error.h"

enum { ABI_VERSION = 1 };

enum call {
#define CALL(name, ...) CALL_##name,
#include "motet/calls.def"
    CALL_COUNT
};

enum object {
#define OBJECT(name, ...) OBJECT_##name,
#include "motet/calls.def"
    OBJECT_COUNT
};

/* Numbered through all objects, so that a wrong object is a wrong type, not another operation. */
enum operation {
#define OPERATION(object, name, ...) OPERATION_##object##_##name,
#include "motet/calls.def"
    OPERATION_COUNT
};

enum right {
    RIGHT_NONE = 0,
    RIGHT_READ = 1u << 0,
    RIGHT_WRITE = 1u << 1,
    RIGHT_EXECUTE = 1u << 2,
    RIGHT_DMA = 1u << 3,
    RIGHT_SEND = 1u << 4,
    RIGHT_SIGNAL = 1u << 5,
    RIGHT_WAIT = 1u << 6,
    RIGHT_CONTROL = 1u << 7, /* operations on the object itself; minting from a port */
    RIGHT_ALL = 0xff,
};

enum {
    PAGE_BYTES = 4096,
    PAGE_RUN_MAX = 512, /* pages of one page object: 2 MiB bounds a map */
    CAPTABLE_PAGES_MAX = 64,
    SLOTS_PER_PAGE = 64,
    SPACE_PAGES = 2,    /* its header and its root table */
    DMASPACE_PAGES = 3, /* its header, its root table and the one table of the level below */
    DMASPACE_DEVICES = 16,
    PRIORITY_COUNT = 64, /* 0 to 63; higher runs first */
    DERIVATION_DEPTH_MAX = 32,
    PORT_QUEUE_SLOTS = 20,  /* messages that a port can hold */
    PORT_SHARES = 15,       /* senders with a reserved share; share 0 is no share */
    IRQ_PIN_LEVEL = 0x8000, /* irq.bind: the pin is level-triggered, active low (PCI) */
    IRQ_PIN_IOMMU = 0xff,   /* irq.bind: the IOMMU recorded a fault, and none was left before */
    IRQ_MESSAGE = 0xffff,   /* irq.bind: no pin, the device writes messages (MSI, MSI-X) */
};

/* What thread.info says. */
enum thread_state {
    THREAD_SUSPENDED,
    THREAD_READY,
    THREAD_RUNNING,
    THREAD_WAITING,
    THREAD_FAULTED,
    THREAD_EXHAUSTED, /* its budget is used up; ready again when its period ends */
};

/* Vectors that devices may use: irq.derive. */
enum {
    IRQ_VECTOR_FIRST = 0x30,
    IRQ_VECTOR_LAST = 0x6f, /* entry.S has that many entries */
};

/* User addresses: above the first page, below the half that the root table gives to users. */
#define USER_ADDRESS_FIRST 0x1000ull
#define USER_ADDRESS_END   0x400000000000ull

/* Addresses that devices use: 39 bits, which every IOMMU has. */
#define DMA_ADDRESS_END 0x8000000000ull

/* iommu.fault: the IOMMU's own reason (VT-d specification, appendix A) in the low byte, with: */
enum dma_fault {
    DMA_FAULT_REASON = 0xff,
    DMA_FAULT_READ = 1u << 8, /* the device read, else it wrote */
    DMA_FAULT_LOST = 1u << 9, /* others were not recorded, for want of room */
};

/* Messages that the kernel sends to a fault port. */
enum kernel_op {
    KERNEL_FAULT = 0xff01, /* w: cause (enum fault_cause), address, instruction pointer, stack
                              pointer, error code, registers' rdi */
};

enum fault_cause {
    FAULT_PAGE = 14, /* the processor's exception numbers */
    FAULT_DIVIDE = 0,
    FAULT_INVALID_OPCODE = 6,
    FAULT_PROTECTION = 13,
    FAULT_STUCK = 31, /* reserved there: the thread ran too long without a wait (thread.budget) */
};

/* The kernel information page, read-only, in every domain. Time costs no entry:
 * ns = ((clock - clock_base) * clock_multiplier) >> 32, clock being the processor's TSC. */
struct kernel_info {
    uint32_t magic;
    uint32_t abi;
    uint64_t clock_base;       /* ticks at boot */
    uint64_t clock_frequency;  /* ticks per second */
    uint64_t clock_multiplier; /* nanoseconds per tick, 32 fraction bits */
    uint32_t cpus;
    uint32_t cpu_features; /* enum cpu_feature */
    uint64_t seed[2];      /* random bits gathered at boot; see docs/architecture.md */
    char build[32];        /* build ID, terminated */
};
enum { KERNEL_INFO_MAGIC = 0x6f666e49 };

enum cpu_feature {
    CPU_NX = 1u << 0,
    CPU_SMEP = 1u << 1,
    CPU_SMAP = 1u << 2,
    CPU_UMIP = 1u << 3,
    CPU_RDRAND = 1u << 4,
    CPU_PAGES_1G = 1u << 5,
};

/* What init starts with. */
enum init_slot {
    INIT_CAPTABLE = 1,
    INIT_SPACE,
    INIT_THREAD,
    INIT_IOPORTS,
    INIT_IRQS,
    INIT_INFO_PAGE, /* page, read */
    INIT_BOOT_PAGE, /* page, read: struct boot_page */
    INIT_IMAGE,     /* untyped: the image block, pages retyped from it keep their contents */
    INIT_TRACE,
    INIT_COUNTERS, /* pages, read: struct kernel_counters */
    INIT_UNTYPED,  /* the first of boot_page.untyped_count */
};

enum { BOOT_UNTYPED_MAX = 40, BOOT_COMMAND_LINE_BYTES = 2048 };

enum untyped_kind {
    UNTYPED_MEMORY, /* objects are cleared before use */
    UNTYPED_IMAGE,  /* pages only, at a given address, contents kept, never writable */
    UNTYPED_DEVICE, /* pages only, at a given address, mapped uncached, never cleared */
};

/* untyped.retype of untyped memory into a part of it: nothing but pages, and such memory, can be
 * made of that. So its holder can use it, and make no threads. */
enum { UNTYPED_PAGES_ONLY = 1 };

struct boot_untyped {
    uint64_t address;
    uint64_t pages;
    uint32_t kind; /* enum untyped_kind */
    uint32_t reserved;
};

/* Mapped read-only for init at INIT_BOOT_ADDRESS. */
struct boot_page {
    uint64_t image_address; /* physical */
    uint64_t image_pages;
    uint64_t memory_bytes; /* usable memory that the machine has */
    uint32_t untyped_count;
    uint32_t slots;           /* of init's capability table */
    uint32_t first_free_slot; /* from here on init's table is empty */
    uint32_t iommu_slot;      /* of the IOMMU's capability; 0: the machine has none */
    struct boot_untyped untyped[BOOT_UNTYPED_MAX];
    char command_line[BOOT_COMMAND_LINE_BYTES];
};
_Static_assert(sizeof(struct boot_page) <= PAGE_BYTES, "one page");

#define INIT_BOOT_ADDRESS  0x400000ull   /* where others have their start page */
#define INIT_IMAGE_ADDRESS 0x40000000ull /* the image's tables, read-only */

#endif
