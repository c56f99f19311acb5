/* SPDX-License-Identifier: ISC
 *
 * The composition: every region of memory, who may do what with it at which address and under which
 * capability slot, the doorbells, the start pages. Made from a checked manifest and its programs;
 * nothing here depends on the clock, the paths or the order of anything but the manifest.
 *
 * Addresses go upwards from the image's end with an unmapped page between two regions; slots from
 * SLOT_FIRST_FREE: doorbells, pages in order of address, devices.
 */
#ifndef COMPOSE_LAYOUT_H
#define COMPOSE_LAYOUT_H

#include "libos/start.h"
#include "motet/image.h"
#include "tools/composer/program.h"
#include "tools/composer/symbols.h"

enum {
    MAPPINGS_MAX = IMAGE_DOMAINS_MAX * 64, /* 9 of its own, 32 rings, 16 pools, 4 files */
    CONTENTS_MAX = IMAGE_DOMAINS_MAX * (2 + START_FILES_MAX) + 1,
    DEVICES_MAX = IMAGE_DOMAINS_MAX * CLAIMS_MAX,
    LABEL_BYTES = 96,

    STACK_MARGIN_BYTES = 4096, /* for the libOS below its servers' deepest call path */

    /* Slots per device beside one per vector: its BARs, and two more for those that are split by an
     * MSI-X table or larger than one page object. */
    DEVICE_PAGE_SLOTS = DEVICE_BARS + 2,

    /* Where the BARs of a domain's n-th claim (n > 0) are mapped; those of the first follow its
     * memory, which so shares its page table. */
    DEVICE_WINDOW_BYTES = 0x10000000,

    /* What a machine needs beside what init hands out: 384 KiB that aren't memory below 1 MiB, and
     * 256 KiB for the kernel's text, page tables and init's capability table. An estimate. */
    KERNEL_BYTES = 640 * 1024,
};

/* Bytes that the image carries: a program's text and constants, or a file. */
struct content {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t offset; /* in the block */
};

struct content_file {
    const char *name; /* as on the command line */
    const uint8_t *bytes;
    uint64_t size;
    uint64_t offset; /* in the block */
    uint32_t region; /* for those who have it for good; 0: nobody */
};

/* Where a program's contents lie and the regions that they make; text and constants may share the
 * page between them. */
struct program_regions {
    const struct program *program;
    uint64_t text_offset, rodata_offset;             /* in the block */
    struct symbol_table symbols;                     /* empty without symbols = true, and init's */
    uint32_t text, shared, rodata;                   /* regions */
    uint32_t text_pages, shared_pages, rodata_pages; /* 0: no such region; if the program can be
                                                        replaced, each domain has its own */
};

struct composed_domain {
    const struct program *program;
    const struct manifest_domain *drawn; /* of a second body, what the first one is */
    struct image_domain record;
    struct start_page page;
    uint32_t slots;         /* in use, from 0 */
    uint32_t device_slots;  /* of them */
    uint32_t trace_slots;   /* of init's table: its mapping of the trace */
    uint32_t watch_slots;   /* of init's table: what the controller sees of the others */
    uint32_t dma_runs;      /* runs of pages that its devices may reach */
    uint64_t cursor;        /* the next free address */
    uint64_t memory_pages;  /* start page, private, stack, log, counters */
    uint64_t tables;        /* page tables below the root */
    uint64_t object_pages;  /* capability table, space, page tables, thread, port */
    uint64_t last_table[2]; /* 2 MiB and 1 GiB unit that were last counted, plus 1 */
};

struct composition {
    const struct manifest *manifest;
    struct composed_domain domains[IMAGE_DOMAINS_MAX];
    uint32_t domain_count;
    uint32_t drawn_count;    /* of them, those that the manifest draws; then second bodies */
    uint32_t staging_region; /* 0: none */
    uint32_t swaps_region;   /* the loader's table; likewise */
    struct image_region regions[IMAGE_REGIONS_MAX];
    char labels[IMAGE_REGIONS_MAX][LABEL_BYTES];
    uint32_t region_count;
    struct image_mapping mappings[MAPPINGS_MAX]; /* grouped by region at the end */
    uint32_t mapping_region[MAPPINGS_MAX];
    uint32_t mapping_count;
    struct image_connection connections[CONNECTIONS_MAX]; /* by their number in the manifest */
    uint32_t channel_count; /* of them, between two domains; the others aren't in the image */
    struct image_device devices[DEVICES_MAX];
    uint32_t device_count;
    struct content contents[CONTENTS_MAX];
    uint32_t content_count;
    struct program_regions programs[IMAGE_DOMAINS_MAX];
    uint32_t program_count;
    struct content_file files[IMAGE_DOMAINS_MAX * START_FILES_MAX];
    uint32_t file_count;
    uint64_t content_pages;
    uint64_t tables_bytes; /* header, tables, strings, start pages; contents begin a page later */
    uint64_t block_bytes;  /* the whole */
    uint64_t memory_pages; /* regions of fresh memory, all */
    uint64_t object_pages; /* kernel objects, all */
    uint64_t needed_bytes; /* the smallest machine, by estimate */
};

/* Lays out everything. `files` and `file_count` of *composition are set by the caller, the rest is
 * zero. False: reported. */
bool layout_image(struct composition *composition, const struct manifest *manifest,
                  struct program *const programs[IMAGE_DOMAINS_MAX]);

/* Bytes of what stands before the contents: also how write.c places it. */
struct table_offsets {
    uint32_t domains, regions, mappings, connections, devices, strings, string_bytes;
    uint32_t starts[IMAGE_DOMAINS_MAX];
    uint32_t symbols[IMAGE_DOMAINS_MAX]; /* by program; 0: it has none */
    uint32_t end;
};
struct table_offsets table_offsets(const struct composition *composition);

/* Bytes of stack for the program's servers, each as given or (0) as it declares. Those that are
 * connected in the domain call each other: their paths may lie on top of each other. */
uint64_t servers_stack_bytes(const struct program *program, const uint64_t given[SERVERS_MAX],
                             bool connected);

/* Of the version that its first server declares, as a string; 0: none. */
uint32_t version_bytes(const struct program *program);

/* How much of a start page isn't zero at its end, a multiple of 8. */
uint32_t start_page_bytes(const struct start_page *page);

#endif
