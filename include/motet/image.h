/* SPDX-License-Identifier: ISC
 *
 * The composition: what tools/compose made of a manifest, and all that the kernel and init go by.
 * It is one page-aligned block inside the image's ELF (its own PT_LOAD segment): this header, then
 * tables, then page-aligned contents. The kernel checks header and checksum and starts the domain
 * numbered 0 (init); init builds the others. Offsets are bytes from the header.
 *
 * Invariants, which compose guarantees and the checksum keeps: tables lie inside `size` (the kernel
 * checks that too); every index is below its count; contents are page-aligned; no two mappings of a
 * domain overlap. init relies on them.
 */
#ifndef MOTET_IMAGE_H
#define MOTET_IMAGE_H

#include <stdint.h>

enum {
    IMAGE_VERSION = 8,
    IMAGE_NAME_BYTES = 16,
    IMAGE_DOMAINS_MAX = 40,
    IMAGE_REGIONS_MAX = 512, /* as many as init's tables hold */
    IMAGE_PAGE = 4096,
    IMAGE_SYMBOL_BYTES = 64,
};

#define IMAGE_MAGIC 0x314745544f4d5f5full /* "__MOTEG1" */

struct image_table {
    uint32_t offset;
    uint32_t count;
};

struct image_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes; /* sizeof(struct image_header): where the checksum begins */
    uint64_t size;         /* bytes in all, a multiple of a page */
    uint64_t checksum;     /* image_checksum of all behind the header */
    char name[IMAGE_NAME_BYTES];
    struct image_table domains;     /* struct image_domain; [0] is init */
    struct image_table regions;     /* struct image_region */
    struct image_table mappings;    /* struct image_mapping, grouped by region */
    struct image_table connections; /* struct image_connection */
    struct image_table devices;     /* struct image_device */
    struct image_table strings;     /* count bytes of terminated strings */
    uint32_t controller;            /* the domain that init answers (motet/control.h); 0: none */
    uint16_t loader;                /* the domain that looks at new programs; 0: none is swapped */
    uint16_t staging_region;        /* where the controller puts them; with a loader */
};

/* FNV-1a over little-endian 64-bit words: detects a damaged or truncated image at three
 * instructions per word; no protection against intent. `bytes` is a multiple of 8. */
static inline uint64_t image_checksum(const void *start, uint64_t bytes)
{
    const uint64_t *word = start;
    uint64_t sum = 0xcbf29ce484222325ull;
    for (uint64_t i = 0; i < bytes / 8; i++)
        sum = (sum ^ word[i]) * 0x100000001b3ull;
    return sum;
}

struct image_domain {
    char name[IMAGE_NAME_BYTES];
    uint64_t entry;          /* first instruction */
    uint64_t stack_top;      /* initial stack pointer */
    uint32_t start;          /* offset of its struct start_page template, 0 for init */
    uint32_t start_bytes;    /* how much of it isn't zero at the end */
    uint32_t table_slots;    /* capability slots wanted, a multiple of 64 */
    uint16_t start_region;   /* index of the region that becomes its start page */
    uint16_t log_region;     /* one page of struct log_page */
    uint16_t counter_region; /* one page of struct counter_page */
    uint8_t priority;        /* 1 (lowest) to 62; init has 63 */
    uint8_t restarts_most;   /* in a row; 0: once stopped it stays so */
    uint32_t settings;   /* offset of "key\0...\0\0": settings its servers declare; '#': a number */
    uint32_t servers;    /* offset of "name\0...\0\0": its servers in link order */
    uint32_t budget;     /* microseconds that it may run in each period; 0: no budget */
    uint32_t period;     /* microseconds */
    uint32_t pager_slot; /* first of the pager's capabilities (enum pager_slot), in its table */
    uint64_t pager_entry;  /* of the pager thread in the domain itself; 0: it has none */
    uint64_t pager_stack;  /* that thread's initial stack pointer */
    uint64_t heap_address; /* a multiple of a block */
    uint16_t heap_blocks;  /* 0: no heap */
    uint16_t heap_kept;    /* of them, blocks that are the domain's own: never asked back */
    uint16_t pager;        /* the domain whose server serves the heap; 0: its own thread */
    uint8_t
        pager_priority; /* just above the domain's, so that it is told before the domain goes on */
    uint8_t reserved2;
    uint32_t fault_slot; /* of its own table: where its faults go */
    uint32_t trace_page; /* where it has the kernel's trace: pages behind its start page; 0: not */
    uint32_t
        watch_page;   /* the controller's: where it has the others' logs and counters, likewise */
    uint32_t symbols; /* offset of its program's struct image_symbols; 0: none */
    /* Of a domain that can be swapped, and of its second body, which is a domain of its own behind
     * all that aren't: with the same name, addresses, capability slots, port, rings, pools and log;
     * with a start page, program, stack, private memory and counters of its own. */
    uint16_t body;             /* the other body; 0: it can't be swapped */
    uint16_t program_region;   /* its text, IMAGE_COPY */
    uint16_t constants_region; /* likewise */
    uint16_t state_region;     /* where state is handed over: both bodies have it */
    uint8_t second;            /* 1: it is the second body; not started, until it is swapped in */
    uint8_t files;           /* of its start page's files, those that can be replaced, a bit each */
    uint16_t file_region[4]; /* START_FILES_MAX; IMAGE_COPY: this body's own; 0: not replaced */
    uint32_t version;        /* offset of the program's version, for people */
    uint32_t watchdog;       /* microseconds that it may run without waiting; 0: as long as it
                                likes */
};

/* The functions of a program as the image has it, for people: by ascending offset, no offset twice.
 * Domains with the same program, and both bodies of one, have the same. */
struct image_symbol {
    uint32_t offset; /* from where the text begins */
    uint32_t name;   /* offset of a terminated string, at most IMAGE_SYMBOL_BYTES with its end */
};

struct image_symbols {
    uint32_t count;
    uint32_t text_bytes; /* of the program; offsets are below */
    struct image_symbol symbol[];
};

/* A heap is handed out and taken back in blocks, and mapped page by page. */
enum {
    HEAP_BLOCK_PAGES = 64,
    HEAP_BLOCK_BYTES = HEAP_BLOCK_PAGES * IMAGE_PAGE,
    HEAP_BLOCKS_MAX = 32,        /* of a domain: 8 MiB */
    HEAP_BLOCKS_IMAGE_MAX = 128, /* of all domains: init holds a slot for each */
};

/* What a pager holds, from its domain's `pager_slot` on. A domain with a pager thread of its own
 * has all of these in its table; a server that pages for another domain has the first three. */
enum pager_slot {
    PAGER_SLOT_SPACE,      /* the paged domain's: to map */
    PAGER_SLOT_THREAD,     /* its thread: to retry */
    PAGER_SLOT_SUPERVISOR, /* to init, with the paged domain's badge */
    PAGER_SLOT_PORT,       /* the pager thread's own: to wait, and for the domain to signal */
    PAGER_SLOT_DOMAIN,     /* the domain's port: to signal, control bit 0 */
    PAGER_SLOT_BLOCKS,     /* untyped memory, one slot per block */
    /* then one slot per page of the heap */
    PAGER_SLOTS_OUTSIDE = PAGER_SLOT_PORT, /* what a pager in another domain has */
};

static inline uint32_t pager_slots(uint32_t blocks)
{
    return PAGER_SLOT_BLOCKS + blocks * (1 + HEAP_BLOCK_PAGES);
}

enum image_region_kind {
    IMAGE_CONTENT, /* pages of this block, shared as they are, never written */
    IMAGE_MEMORY,  /* fresh zeroed pages, physically contiguous per 512 */
    IMAGE_COPY,    /* the same, at most 512, beginning with a copy of what is at `offset` */
};

struct image_region {
    uint32_t pages;
    uint32_t offset; /* IMAGE_CONTENT, IMAGE_COPY */
    uint32_t bytes;  /* IMAGE_COPY: of the copy; 0: nothing is copied */
    uint32_t first_mapping;
    uint16_t mappings;
    uint8_t kind;
    uint8_t reserved;
};

enum { IMAGE_READ = 1, IMAGE_WRITE = 2, IMAGE_EXECUTE = 4, IMAGE_DMA = 8 };

/* What one domain may do with a region. Without read, write or execute there is no address: the
 * domain holds the capability only (for dma). Runs of more than 512 pages take several slots. */
struct image_mapping {
    uint64_t address;
    uint32_t slot; /* first capability slot in the domain's table */
    uint16_t domain;
    uint8_t rights;
    uint8_t pool; /* 1 + index in the start page's pools whose `physical` init fills in; 0: none */
};

/* The doorbells of one connection; its rings are regions. */
struct image_connection {
    uint16_t client, server; /* domains */
    uint32_t client_slot;    /* client's capability that wakes the server */
    uint32_t server_slot;
    uint8_t client_bit; /* bit in the client's pending word */
    uint8_t server_bit;
    uint16_t reserved;
};

/* A claim on devices: all that match, in bus order, at most `most`. By PCI ids, or by virtio device
 * type, on whichever bus; or on the one legacy device at fixed ports, of which no other claim has
 * any. */
struct image_device {
    uint64_t address; /* where BARs are mapped, upwards */
    uint32_t slot;    /* first capability slot for BARs and interrupts */
    uint32_t slots;   /* how many it may use */
    uint16_t domain;
    uint16_t virtio;   /* VIRTIO_ID_...; 0: the PCI ids count */
    uint16_t vendor;   /* 0: neither do they */
    uint16_t id;       /* PCI device id; of a legacy device its PNP number */
    uint16_t id_last;  /* and up to this one */
    uint8_t most;      /* 1 to START_DEVICES_MAX */
    uint8_t vectors;   /* wanted, by MSI-X or MSI */
    uint8_t server;    /* which server of the domain */
    uint8_t required;  /* 1: booting without one is a failure */
    uint8_t contained; /* 1: not given unless an IOMMU contains it */
    uint8_t line;      /* of a legacy device: input of the I/O APIC, edge-triggered */
    uint16_t port;     /* its first */
    uint16_t ports;    /* how many; 0: no legacy device */
    uint32_t reserved;
};

#endif
