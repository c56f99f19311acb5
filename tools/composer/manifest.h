/* SPDX-License-Identifier: ISC
 *
 * The manifest as a checked struct: what the text alone can tell. docs/compose.md has every key.
 * What depends on the servers (ports, protocols, sizes) is checked in check.c after linking.
 */
#ifndef COMPOSE_MANIFEST_H
#define COMPOSE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/start.h"
#include "libos/state.h"
#include "motet/image.h"
#include "motet/swap.h"
#include "tools/composer/report.h"

/* Bounds of the tables below; the first four follow from what a start page holds. */
enum {
    SERVERS_MAX = DOMAIN_SERVERS_MAX, /* of one domain */
    CONNECTIONS_MAX = IMAGE_DOMAINS_MAX * START_CONNS_MAX / 2,
    POOLS_MAX = 128, /* numbers have 8 bits */
    CLAIMS_MAX = START_DEVICES_MAX,
    SETTINGS_MAX = 32,
    PARTS_MAX = IMAGE_DOMAINS_MAX,  /* servers with what belongs to them */
    RIGHTS_MAX = IMAGE_DOMAINS_MAX, /* on one pool */
    PRIORITY_MIN = 1,
    PRIORITY_MAX = 62,          /* init has 63 */
    ENDPOINT_PARTS_MAX = 3,     /* DOMAIN.SERVER.PORT */
    STACK_MAX = 1024 * 1024,    /* bytes; deeper call paths are a mistake */
    POOL_SIZE_MAX = 512 * 4096, /* bytes: one page object */
};

/* One end of a connection. `port` is text until check.c looks it up. */
struct endpoint {
    const char *text;
    char parts[ENDPOINT_PARTS_MAX][64];
    char port_name[64];
    uint32_t domain; /* index in manifest.domains */
    uint32_t server; /* which of the domain's */
    uint32_t port;   /* index in the server's ports, set by check.c */
};

struct manifest_connection {
    struct place at;
    struct endpoint client, server;
    uint32_t slots;
    uint32_t rate; /* messages per second in one direction, 0: not stated */
};

/* Between two servers of one domain. */
static inline bool is_direct(const struct manifest_connection *connection)
{
    return connection->client.domain == connection->server.domain;
}

static inline const char *transport_name(const struct manifest_connection *connection)
{
    return is_direct(connection) ? "direct" : "channel";
}

struct isa_device;

struct manifest_claim {
    struct place at;
    const char *server_name;
    const char *pci; /* or virtio, or isa */
    uint32_t virtio; /* device type, 0: none */
    const char *isa_name;
    const struct isa_device *isa; /* NULL: none, or it was reported */
    uint32_t server;
    uint16_t vendor, id, id_last;
    uint32_t most, vectors;
    bool required;
    bool contained;
};

struct manifest_file {
    struct place at;
    uint32_t server; /* whose: index in its domain, or START_EVERY_SERVER */
    char name[START_NAME_BYTES];
    const char *file; /* the name on the command line: --file FILE=PATH */
    bool reload;      /* it can be replaced while the image runs */
    uint64_t room;    /* bytes, with reload */
};

struct manifest_text {
    struct place at;
    const char *text;
};

/* A domain; also what belongs to a server wherever it lives (an element of `servers`), which its
 * domain then takes over. */
struct manifest_domain {
    struct place at;
    char name[IMAGE_NAME_BYTES];
    uint32_t priority;
    uint64_t stack;       /* bytes, 0: what its servers declare */
    uint32_t table_slots; /* 0: as many as needed */
    uint32_t watchdog;    /* microseconds that it may run without waiting, 0: as long as it likes */
    uint32_t budget;      /* microseconds in each period, 0: as many as there are */
    uint32_t period;      /* microseconds */
    uint64_t heap;        /* bytes, 0: none */
    uint64_t heap_kept;   /* of them, bytes that the domain always has */
    const char *pager_name;
    uint32_t pager;   /* the domain that serves the heap, 0: its own thread; set by heaps_check */
    bool trace;       /* it can read the kernel's trace */
    uint32_t restart; /* so often in a row it begins anew; 0: never */
    bool control;     /* it is the controller: motet/control.h */
    bool loader;      /* it looks at new programs: motet/swap.h */
    bool swap;        /* it can be replaced while it runs: then it has a room for each of these, in
                         bytes, which swaps_check fills in where the manifest doesn't */
    uint64_t text_room, constants_room, state_room;
    struct manifest_text servers[SERVERS_MAX];
    uint64_t server_stack[SERVERS_MAX]; /* bytes, 0: what the server declares */
    uint32_t server_count;
    struct manifest_claim claims[CLAIMS_MAX];
    uint32_t claim_count;
    struct manifest_file files[START_FILES_MAX];
    uint32_t file_count;
    struct manifest_text settings[SETTINGS_MAX]; /* "key=value" */
    uint32_t setting_count;
};

struct manifest_right {
    struct place at;
    const char *domain_name, *server_name; /* one of them */
    const char *may;                       /* letters of r, w, d */
    char name[START_NAME_BYTES];           /* what the server, or the domain, calls the pool */
    uint32_t domain;
    uint32_t server; /* index in the domain, or START_EVERY_SERVER */
    uint8_t rights;  /* enum pool_rights */
};

struct manifest_pool {
    struct place at;
    char name[START_NAME_BYTES];
    uint32_t buffers, size;
    const char *owner_name; /* a server or a domain */
    uint32_t owner;         /* domain */
    uint32_t rate;          /* buffers that are used per second, 0: not stated */
    struct manifest_right rights[RIGHTS_MAX];
    uint32_t right_count;
};

/* domains[0] is init, which no manifest mentions. */
struct manifest {
    struct config_t *text; /* which the names below lie in */
    struct place at;
    const char *image_text;
    char image[IMAGE_NAME_BYTES];
    uint64_t memory; /* bytes that the machine may be expected to have, 0: not stated */
    struct place memory_at;
    struct manifest_domain parts[PARTS_MAX]; /* `servers` */
    uint32_t part_count;
    struct manifest_domain domains[IMAGE_DOMAINS_MAX];
    uint32_t domain_count;
    uint32_t controller; /* the domain with `control`; 0: none */
    bool restarts;       /* some domain has `restart` */
    uint32_t loader;     /* the domain with `loader`; 0: none */
    bool swaps;          /* some domain has `swap` */
    bool symbols;        /* the image has its programs' functions by name */
    uint64_t staging;    /* bytes for what is swapped in, with swaps */
    struct place staging_at;
    const char *swap_key_text; /* NULL: programs are swapped in signed or not */
    struct place swap_key_at;
    uint8_t swap_key[SWAP_KEY_BYTES];
    struct manifest_connection connections[CONNECTIONS_MAX];
    uint32_t connection_count;
    struct manifest_pool pools[POOLS_MAX];
    uint32_t pool_count;
};

/* Reads and checks the file; its text stays in memory, for the names that the struct points to.
 * False when anything was reported. `manifest` is zeroed by the caller. */
bool manifest_read(struct manifest *manifest, const char *path);

/* Gives the text back, whether it was read well or not. */
void manifest_free(struct manifest *manifest);

#endif
