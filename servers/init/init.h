/* SPDX-License-Identifier: ISC
 *
 * init, the root server: builds the domains that the composition lists, brokers devices, owns the
 * console, and hears of every fault. It is declared trusted: it parses nothing but what compose
 * wrote, the boot settings and PCI configuration space. If it dies, the machine ends.
 */
#ifndef SERVERS_INIT_H
#define SERVERS_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/counters.h"
#include "libos/log.h"
#include "libos/start.h"
#include "libos/trace.h"
#include "motet/abi.h"
#include "motet/control.h"
#include "motet/image.h"
#include "motet/msg.h"
#include "motet/swap.h"
#include "servers/init/blocks.h"
#include "servers/init/settings.h"

enum {
    CONSOLE_BIT = 60, /* of init's pending word; domains use the bits of their numbers */
    DMA_BIT = 61,     /* a device reached for what it may not */
};

/* Where init maps what it needs to reach: behind the image's tables. */
#define LOG_WINDOW     0x50000000ull /* per domain: log page, counter page */
#define SCRATCH_WINDOW 0x51000000ull /* one thing at a time */
#define TRACE_WINDOW   0x52000000ull /* TRACE_PAGES_MAX: the kernel's trace, read-only */
/* In images where a domain can be swapped, PAGE_RUN_MAX pages each, whose page tables are there. */
#define COPY_FROM_WINDOW (SCRATCH_WINDOW + 0x400000ull)
#define COPY_TO_WINDOW   (SCRATCH_WINDOW + 0x800000ull)

/* A domain as init holds it: slots of init's own table. Of a domain with two bodies the entry under
 * its own number is the body that runs, whichever that is, and what the bodies share; under the
 * second body's number is the spare one's captable, space, thread and start page (swap_bodies.c).
 */
struct child {
    uint32_t captable, space, thread, port;
    uint32_t start_slot;                   /* page capability of its start page */
    uint32_t irq_bits;                     /* of its pending word, given to devices so far */
    uint32_t dmaspace;                     /* 0: it claims no devices, or there is no IOMMU */
    uint16_t sources[START_DEVICES_MAX];   /* with a dmaspace: who its devices are to the IOMMU */
    uint8_t masters_stopped;               /* a bit for each of them */
    uint8_t devices;                       /* entries of its start page in use */
    bool stopped;                          /* it faulted or failed */
    struct log_reader log;                 /* what has been printed */
    uint32_t pager, pager_port;            /* of its own pager thread; 0: it has none */
    uint32_t block_wanted;                 /* of its heap, while heaps.waiting has its bit */
    uint32_t blocks_returned, blocks_lost; /* so far */
};

/* heaps.c. Invariant: a victim has been asked, and hasn't answered, exactly until `deadline`. */
struct heaps {
    struct block_table blocks;
    uint32_t slot[HEAP_BLOCKS_IMAGE_MAX]; /* of init's table: each block's untyped memory */
    uint64_t waiting;                     /* domains whose pager waits for a block */
    uint64_t asked;                       /* domains that were asked for the current request */
    uint32_t current;  /* the domain whose request it is, if `waiting` has its bit */
    uint32_t victim;   /* asked and not heard of; 0: nobody */
    uint64_t deadline; /* clock tick: then it is taken by force */
};

struct init {
    const struct boot_page *boot;
    const struct image_header *image;
    const struct image_domain *domain; /* image->domains.count of them, 0 is init itself */
    const struct image_region *region;
    const struct image_mapping *mapping;
    uint32_t next_slot;
    uint32_t spare_slot;  /* always empty between steps */
    uint32_t spare_table; /* a page table that isn't used yet; 0: none */
    uint32_t next_vector;
    uint32_t strangers;      /* DMA faults of devices that nobody has */
    uint32_t port;           /* init's own */
    uint64_t heap_limit;     /* KiB for heaps at most, 0: as much as there is */
    uint64_t stats_interval; /* seconds between counter reports, 0: on demand only */
    uint32_t region_slots[IMAGE_REGIONS_MAX]; /* first page capability of each region */
    uint64_t logs;                            /* domains that have said something, a bit each */
    uint64_t logs_paid;                       /* clock tick: supervise.c, logs_print */
    uint32_t log_turn;                        /* the domain whose log was printed last */
    uint32_t trace_events;                    /* to record while tracing is on */
    bool traced, tracing;                     /* there is a ring; and it is being filled */
    struct child child[IMAGE_DOMAINS_MAX];
    struct heaps heaps;
    struct settings settings;
    /* control.c; behind all others, so that nobody else's code gets longer */
    uint32_t console_page;                     /* what was printed; 0: there is none */
    struct control_end end[IMAGE_DOMAINS_MAX]; /* why a domain stopped last */
    /* restart.c; likewise */
    struct restart {
        uint64_t due;   /* clock tick of the next restart, 0: none */
        uint64_t began; /* clock tick of the last one */
        uint32_t count; /* restarts since boot */
        uint8_t in_row; /* of them, without a steady time between */
        bool given_up;
    } restart[IMAGE_DOMAINS_MAX];
    /* swap.c, swap_bodies.c; likewise. By body: under the numbers of the image's tables. */
    struct bodies {
        uint64_t second;                     /* domains whose second body runs, a bit each */
        uint64_t entry[IMAGE_DOMAINS_MAX];   /* of the program in it; 0: the image's */
        uint32_t program[IMAGE_DOMAINS_MAX]; /* which one, by a number; 0: none yet */
        uint32_t programs;                   /* numbers given */
        char version[IMAGE_DOMAINS_MAX][PROGRAM_NAME_BYTES]; /* of the program in it; for people */
        uint16_t file[IMAGE_DOMAINS_MAX][START_FILES_MAX]; /* the region that it has as this file */
        uint32_t rest[IMAGE_DOMAINS_MAX];     /* a domain's: slot whose signal asks it to rest */
        uint32_t watch[2][IMAGE_DOMAINS_MAX]; /* counter pages as the controller's bodies have them
                                               */
    } bodies;
    struct swapping {
        uint64_t deadline;  /* clock tick at which the phase ends; 0: when something happens */
        uint64_t asked_at;  /* clock tick, RESTING */
        uint64_t rested;    /* likewise: no message was taken after it */
        uint32_t taken;     /* of a file, bytes that are in place */
        uint32_t check;     /* CRC-32 of those */
        uint32_t count;     /* done since boot */
        uint64_t probation; /* clock ticks */
        bool said;          /* PROBATION: that it was swapped */
        struct control_swap_begin asked;
        struct control_swap status;
    } swapping;
};

_Static_assert(sizeof(struct init) <= INIT_PRIVATE_BYTES, "compose gives init no more");

/* objects.c: making and mapping. All of them end the machine with a clear message when memory or
 * slots run out: init can't go on half built. */

/* Ends the machine with "WHAT of NAME: ERROR" unless the error is OK. */
void init_check(enum error error, const char *what, const char *name);

/* The next empty slot of init's table. */
uint32_t slot_new(struct init *init);

/* A new object in a new slot of init's table. */
uint32_t object_make(struct init *init, enum object type, uint64_t pages);

/* The same into a given slot, without an end: false if there is no such piece of memory left. */
bool object_try(struct init *init, enum object type, uint64_t pages, uint32_t slot);

/* All page tables of `space` on the way to an address, as far as they are missing. */
void tables_add(struct init *init, uint32_t space, uint64_t address);

/* A capability derived from the one in `slot`, in a new slot of init's table: a page has one
 * mapping per capability. `what` of `name` it is for is said on failure. */
uint32_t object_copy(struct init *init, uint32_t slot, uint8_t rights, const char *what,
                     const char *name);

/* A run of device memory at a physical address. 0 if no such address exists. */
uint32_t object_make_device(struct init *init, uint64_t address, uint64_t pages);

/* One page of device memory in the spare slot, mapped at `window` for init alone. False: no such
 * address exists. device_page_close takes it away again. */
bool device_page_open(struct init *init, uint64_t address, uint64_t window, uint8_t rights);
void device_page_close(struct init *init);

/* Pages of the image, in place. */
uint32_t object_from_image(struct init *init, uint64_t offset, uint64_t pages);

/* Pages of the image in the spare slot, mapped at `window` for init alone, until image_close. */
void image_open(struct init *init, uint64_t offset, uint64_t pages, uint64_t window);
void image_close(struct init *init);

/* Maps the page capability in `slot` into the space in slot `space`, with tables as needed. */
void object_map(struct init *init, uint32_t slot, uint32_t space, uint64_t address, uint8_t rights);

/* Copies a page capability and maps the copy; then the copy moves into table `captable` at `to`. */
void object_share(struct init *init, uint32_t slot, uint8_t rights, uint32_t space,
                  uint64_t address, uint32_t captable, uint32_t to);

/* build.c: domains out of the composition. */
void domains_build(struct init *init);
void domains_run(struct init *init);

/* Maps a domain's start page for writing / takes it away again. One at a time. */
struct start_page *start_page_open(struct init *init, uint32_t domain);
void start_page_close(struct init *init, uint32_t domain);

/* Whether the domain is there from boot on: no second body, nor the loader, which begins with each
 * swap. */
static inline bool begins_at_boot(const struct init *init, uint32_t domain)
{
    return !init->domain[domain].second && domain != init->image->loader;
}

/* Parts that compose links where the manifest needs them; elsewhere their functions are NULL. */
#define OPTIONAL __attribute__((weak))

/* heaps.c, blocks.c; where a domain has a heap: memory that comes when it is touched. heaps_build
 * is the last to make objects: what is left is for heaps. */
OPTIONAL void heaps_build(struct init *init);

/* A pager's words: it wants a block, it gives some back. Checked; other messages are ignored. */
OPTIONAL void heap_message(struct init *init, uint32_t domain, const struct msg *m);

/* The domain has stopped: its heap is free. */
OPTIONAL void heap_release(struct init *init, uint32_t domain);

/* The domain, which doesn't run, begins anew: with an empty heap, and a pager that knows of
 * nothing.
 */
OPTIONAL enum error heap_renew(struct init *init, uint32_t domain);

/* Takes by force what wasn't given in time. Returns the clock tick of the next deadline, 0: none.
 */
OPTIONAL uint64_t heaps_deadline(struct init *init);

/* A line about it on the console. */
OPTIONAL void heap_print(struct init *init, uint32_t domain);

static inline bool has_heaps(void)
{
    return heaps_build;
}

/* bodies.c, swap.c; where a domain can be swapped. Fills what has room for another program or file
 * with what the image has for it; makes the staging memory, which nobody has mapped yet: returns
 * init's slot. */
OPTIONAL void room_fill(struct init *init, const struct image_region *region, uint32_t slot);
/* The running body's text and constants are the image's again, if that is the program it runs:
 * whatever has befallen them. Of a program that came later there is no other copy. */
OPTIONAL void program_renew(struct init *init, uint32_t domain);
OPTIONAL uint32_t staging_build(struct init *init, const struct image_region *region);

/* A domain's counters, of the body that runs. */
static inline const struct counter_page *counters_of(uint32_t domain)
{
    return (const void *)(LOG_WINDOW + domain * 2 * PAGE_BYTES + PAGE_BYTES);
}

/* What a body has at an address, with those rights at least, and of which region: of its first
 * PAGE_RUN_MAX pages, which is what init has in one piece (region_slots). NULL: nothing. */
const struct image_mapping *mapping_at(const struct init *init, uint32_t body, uint64_t address,
                                       uint8_t rights, uint32_t *region);

/* Where a domain has its start page. */
uint64_t start_address(const struct init *init, uint32_t domain);

/* trace.c: the kernel's trace and counters. */
void trace_start(struct init *init);
void trace_switch(struct init *init);      /* on, off */
void trace_print(const struct init *init); /* the newest records */
void trace_dump(const struct init *init);  /* all, for tools/trace */
void kernel_counters_print(void);

/* devices.c, dma.c, mmio.c, mmio_word.c, pci.c, pci_msi.c; where a domain claims devices. */

/* What devices reach. dma_contained: there is an IOMMU. */
bool dma_contained(const struct init *init);
void dma_start(struct init *init);
OPTIONAL void dma_space_make(struct init *init, uint32_t domain);

/* Lets the domain's devices reach the pages of that capability, if they have a DMA space. */
OPTIONAL void dma_map(struct init *init, uint32_t slot, uint32_t domain);

/* The next device of the domain reaches its DMA space only. False: it must not be used. */
bool dma_assign(struct init *init, uint32_t domain, uint16_t source, const char *name);

/* Reports what devices did, and stops them. Returns when to look again, 0: when told. */
OPTIONAL uint64_t dma_faults(struct init *init);

/* pci.c: the function is a bus master no more. */
void pci_master_stop(uint16_t source);
OPTIONAL void pci_master_start(uint16_t source);

/* Gives the domains the devices that they claim. */
OPTIONAL void devices_grant(struct init *init);

static inline bool has_devices(void)
{
    return devices_grant;
}

/* boot_settings.c: reads them; copies those that a domain understands; names those nobody does. */
void boot_settings_read(struct init *init);
void boot_settings_give(struct init *init, uint32_t domain, struct start_page *start);
void boot_settings_report_unknown(const struct init *init);

/* console.c */
void console_start(struct init *init);
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);
void console_line(const char *name, const char *line);

/* The next byte that was typed, -1: none. */
int console_read(void);

/* The end: says why and resets. */
__attribute__((noreturn, format(printf, 1, 2))) void init_fail(const char *format, ...);

/* The kernel's information page. */
static inline const struct kernel_info *kernel_info(void)
{
    return (const void *)(INIT_BOOT_ADDRESS + PAGE_BYTES);
}

/* supervise.c: the rest of init's life. */
__attribute__((noreturn)) void supervise(struct init *init);

/* A line that says which fault of a domain's body it was; then where it was, if the image can tell.
 */
void fault_print(const struct init *init, uint32_t body, const struct msg *m);

/* backtrace.c, which is linked only with symbols = true. */
OPTIONAL void backtrace_print(const struct init *init, uint32_t body, const struct msg *m);

/* Stops a domain that hasn't faulted, and says so. */
void domain_stop(struct init *init, uint32_t domain);

/* control.c, which is linked only where the manifest has a controller: else these are NULL. In the
 * order of their use: makes the page for what is printed; keeps a line in it; lets the kernel count
 * what a thread runs; gives the controller its pages; after each message to init: remembers why a
 * domain stopped, and answers the controller. */
OPTIONAL void control_begin(struct init *init);
OPTIONAL void console_keep(const char *name, const char *line);
OPTIONAL enum error control_account(const struct init *init, uint32_t domain, uint32_t thread);
OPTIONAL void control_give(struct init *init);
OPTIONAL void control_handle(struct init *init, uint32_t domain, const struct msg *m);

/* The body of a domain that runs, or would if the domain hadn't stopped; by its number in the
 * image's tables. */
static inline uint32_t body_of(const struct init *init, uint32_t domain)
{
    return init->bodies.second >> domain & 1 ? init->domain[domain].body : domain;
}

/* Domains, init included; second bodies are behind them, and nobody else's business. */
static inline uint32_t domains_shown(const struct init *init)
{
    uint32_t count = init->image->domains.count;
    while (init->domain[count - 1].second)
        count--;
    return count;
}

/* swap_bodies.c, swap.c, which are linked only where a domain can be swapped: else these are NULL.
 */
OPTIONAL void swap_begin(struct init *init);
/* A message of a body that isn't the domain's yet, by its badge's number. True: it was one, and is
 * dealt with. */
OPTIONAL bool swap_rehearsed(struct init *init, uint32_t number, const struct msg *m);
/* Whose message or signal it is, by its badge's number: the domain's whose running body that is;
 * 0: nobody's. */
OPTIONAL uint32_t swap_sender(const struct init *init, uint32_t number);
/* Signals about logs, by sender; each domain's two bodies share one log. */
OPTIONAL uint64_t swap_logs(const struct init *init, uint64_t pending);
/* The version of the program that a domain runs, for people. */
OPTIONAL const char *swap_version(const struct init *init, uint32_t domain);
OPTIONAL void swap_message(struct init *init, uint32_t domain, const struct msg *m);
/* The controller's; fills in the words of `reply`. */
OPTIONAL enum error swap_asked(struct init *init, uint16_t op, const struct msg *m,
                               struct msg *reply);
/* The domain can't be killed or restarted now. */
OPTIONAL bool swap_forbids(const struct init *init, uint32_t domain, uint16_t op);
/* The domain has stopped. True: that is the swap's business, and done. */
OPTIONAL bool swap_stopped(struct init *init, uint32_t domain);
/* Ends the phase whose time is over; returns when the next one's is, 0: never. */
OPTIONAL uint64_t swap_deadline(struct init *init);

/* restart.c, likewise. A domain has stopped: whether and when it begins anew. */
OPTIONAL void restart_consider(struct init *init, uint32_t domain);

/* A device of the domain reached for what it may not, and is a bus master no more: a driver that
 * may begin anew does, and with it the device. */
OPTIONAL void restart_after_dma(struct init *init, uint32_t domain);
/* Begins a domain anew, which has stopped or not. */
OPTIONAL enum error domain_restart(struct init *init, uint32_t domain);
/* Parts of that, which a swap does too. init holds a body as child `held`: the running one under
 * its domain's number, the spare one under the other (body_of, spare_of say which is which). */

/* Tells the body why it begins, and which life of the domain it is. */
void body_tell(struct init *init, uint32_t held, uint32_t domain, enum start_swaps why);
/* Sets its thread, which doesn't run, to the beginning of the program that `body` has. */
enum error body_set(struct init *init, uint32_t held, uint32_t body);
/* Both for the running body, and lets it go. */
enum error body_begin(struct init *init, uint32_t domain);
/* Begins those anew that are due; returns when the next one is, 0: none. */
OPTIONAL uint64_t restarts_deadline(struct init *init);

#endif
