/* SPDX-License-Identifier: ISC
 *
 * The start page: what a domain is told when it starts, mapped read-only at START_ADDRESS, which is
 * the thread's first argument. tools/
 * compose writes it from the manifest; init adds what only the running machine knows (physical
 * addresses, devices, boot settings). One page: compose refuses what doesn't fit.
 */
#ifndef MOTET_LIBOS_START_H
#define MOTET_LIBOS_START_H

#include <stdint.h>

#include "libos/device.h"

enum {
    START_MAGIC = 0x74725453, /* "STrt" */
    START_VERSION = 4,
    START_NAME_BYTES = 16, /* names of connections, pools and files, terminated */
    START_CONNS_MAX = 16,
    START_POOLS_MAX = 16,
    START_FILES_MAX = 4,
    START_DEVICES_MAX = 4,
    START_PAGED_MAX = 4,       /* domains that this one pages for */
    START_SETTING_BYTES = 512, /* "key=value\0key=value\0\0" */
    TRACE_PAGES_MAX = 512,     /* of addresses kept for the kernel's trace */
};

/* Every domain's address space begins with these; everything else compose places behind the image.
 */
#define START_ADDRESS      0x400000ull /* start page, read-only */
#define KERNEL_INFO_OFFSET 0x1000ull   /* behind it: the kernel's information page, read-only */
#define IMAGE_ADDRESS      0x402000ull /* the linked image: text, then constants */

/* The first bytes of private memory are the libOS's own; the servers' states follow in link order,
 * each on a cache line of its own. compose allots them, libos/start.c relies on them. */
enum { LIBOS_PRIVATE_BYTES = 4096, STATE_ALIGN = 64 };

/* Where the n-th server's state of `size` bytes ends, if the one before ended at `end`. */
static inline uint64_t state_end(uint64_t end, uint64_t size)
{
    return end + ((size + STATE_ALIGN - 1) & ~(uint64_t)(STATE_ALIGN - 1));
}

/* Capability slots that every domain has; compose numbers the others from SLOT_FIRST_FREE. */
enum {
    SLOT_OWN_PORT = 1,   /* wait */
    SLOT_SUPERVISOR = 2, /* send and signal to init; faults go there too */
    SLOT_FIRST_FREE = 3,
};

/* Bits of the pending word: connections use bit (number mod 48), interrupts the 12 above, control
 * the last four. */
enum { SIGNAL_CONNS = 48, SIGNAL_IRQ_FIRST = 48, SIGNAL_IRQS = 12, SIGNAL_CONTROL_FIRST = 60 };

/* Control bits, from SIGNAL_CONTROL_FIRST on. */
enum {
    CONTROL_BIT_RECLAIM = 0, /* docs/paging.md */
    CONTROL_BIT_REST = 1,    /* docs/swap.md: come to rest, your state is wanted */
};

/* init has no start page: the kernel gives it zeroed memory and a stack at fixed places, low enough
 * to share one page table with its image. The page below the stack is never mapped. */
#define INIT_PRIVATE_ADDRESS 0x480000ull
#define INIT_STACK_ADDRESS   0x491000ull
enum { INIT_PRIVATE_BYTES = 16 * 1024, INIT_STACK_BYTES = 8 * 1024 };
_Static_assert(INIT_PRIVATE_ADDRESS + INIT_PRIVATE_BYTES < INIT_STACK_ADDRESS, "a page between");

/* Why a body of a domain that can be swapped begins. */
enum start_swaps {
    START_LIVES,      /* as any domain */
    START_TAKES_OVER, /* from the other body, which is at rest: its state is there */
    START_REHEARSES,  /* the same with a copy of the state, while the other body serves: it gets as
                         far as that it could begin, tells so, and is stopped */
};

enum { START_EVERY_SERVER = 255 }; /* in the place of a server's number */

enum start_transport {
    START_CHANNEL, /* to another domain */
    START_DIRECT,  /* to another server of this domain */
    START_TRANSPORTS
};

struct start_conn {
    char name[START_NAME_BYTES];
    uint64_t mine;     /* channel: ring region that this domain writes; direct: private memory for
                          the messages to this end */
    uint64_t theirs;   /* channel: ring region that the peer writes; read-only here */
    uint32_t slots;    /* entries per direction, a power of two */
    uint32_t doorbell; /* channel: capability slot, signal wakes the peer */
    uint8_t bit;       /* channel: the peer's doorbell sets this bit of our pending word */
    uint8_t role;      /* enum conn_role */
    uint8_t server;    /* which of the domain's servers, in link order */
    uint8_t port;      /* which of its ports */
    uint16_t instance; /* among the connections to that port */
    uint8_t transport; /* enum start_transport */
    uint8_t peer;      /* direct: the other end's place among the domain's connections */
};

struct start_pool {
    char name[START_NAME_BYTES];
    uint64_t base;     /* 0: not mapped here */
    uint64_t physical; /* filled in by init; 0 without dma */
    uint32_t buffers;
    uint32_t buffer_size;
    uint8_t rights; /* enum pool_rights: the domain's, whoever of its servers they are drawn for */
    uint8_t number; /* image-wide; a pool that several servers have is here for each of them */
    uint8_t server; /* whose name it is, or START_EVERY_SERVER */
    uint8_t reserved[5];
};

struct start_file {
    char name[START_NAME_BYTES];
    uint64_t address;
    uint32_t size;  /* bytes */
    uint8_t server; /* whose it is, or START_EVERY_SERVER */
    uint8_t reserved[3];
};

struct start_device {
    struct device device; /* filled in by init */
    uint32_t irq_bit;     /* vector v sets bit irq_bit + v of the pending word */
    uint16_t server;      /* which of the domain's servers */
    uint16_t irq_slot;    /* level-triggered pin: capability to acknowledge with; else 0 */
};

/* The domain's heap; its pager thread is started with the start page as argument, as the domain's
 * own thread is. */
struct start_heap {
    uint64_t address; /* 0: no heap */
    uint64_t state;   /* struct heap (libos/heap.h) in memory of its own; 0: another domain's pager
                         serves this heap */
    uint32_t blocks;  /* of HEAP_BLOCK_BYTES */
    uint32_t slot;    /* of the pager's capabilities: enum pager_slot */
};

/* A domain that this one pages for. */
struct start_paged {
    char name[START_NAME_BYTES];
    uint64_t address; /* of its heap, in its space */
    uint32_t blocks;
    uint32_t slot;   /* enum pager_slot */
    uint16_t domain; /* its number: faults carry the badge 1 << domain */
    uint16_t reserved[3];
};

struct start_page {
    uint32_t magic;
    uint32_t version;
    uint64_t private_address; /* zeroed memory, written by this domain alone: libOS and states */
    uint64_t private_bytes;
    uint64_t log_address;      /* struct log_page, see libos/log.h */
    uint64_t counters_address; /* struct counter_page, see libos/counters.h */
    char name[START_NAME_BYTES];
    uint16_t domain; /* number in the image */
    uint8_t conns, pools, files, devices, paged;
    uint8_t restarting; /* 1: some domain of the image begins anew when it has stopped */
    struct start_conn conn[START_CONNS_MAX];
    struct start_pool pool[START_POOLS_MAX];
    struct start_file file[START_FILES_MAX];
    struct start_device device[START_DEVICES_MAX];
    struct start_heap heap;
    struct start_paged paged_domain[START_PAGED_MAX];
    char settings[START_SETTING_BYTES];
    uint64_t trace_address; /* struct trace_header, filled in by init; 0: no trace, or no right */
    uint64_t watch_address; /* the controller's: log and counter page of each domain, filled in by
                               init; 0: it isn't the controller */
    uint32_t watched;       /* domains, init included */
    uint32_t restarts;      /* how often the domain was begun anew, by init's count */
    uint64_t state_address; /* of a domain that can be swapped: where its state is handed over; 0:
                               it can't be */
    uint32_t state_bytes;
    uint32_t swaps;           /* init, each time: enum start_swaps */
    uint64_t staging_address; /* the controller's, to write, and the loader's, to read: a new
                                 program or file, piece by piece; 0: there is none */
    uint32_t staging_bytes;
    uint32_t staged;       /* the loader's, init each time: bytes of the program */
    uint32_t staged_for;   /* the loader's, likewise: the number of the domain */
    uint32_t staged_check; /* the loader's, likewise: its CRC-32, as the host has it */
};
_Static_assert(sizeof(struct start_page) <= 4096, "one page");

#endif
