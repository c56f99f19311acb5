/* SPDX-License-Identifier: ISC
 *
 * A program: the servers of a domain, linked with their libOS. Domains with the same servers run
 * the same program and share its pages. What the servers declare is read from the linked file.
 */
#ifndef COMPOSE_PROGRAM_H
#define COMPOSE_PROGRAM_H

#include "libos/counters.h"
#include "libos/state.h"
#include "tools/composer/elf.h"
#include "tools/composer/manifest.h"

/* Bounds on what one server may declare. */
enum {
    PORTS_MAX = START_CONNS_MAX,
    PATTERNS_MAX = 32,                                /* settings it understands */
    PATTERN_BYTES_MAX = 63,                           /* of one of them */
    DOMAIN_COUNTERS_MAX = COUNTERS_MAX - COUNT_LIBOS, /* of all servers of a domain */
    VERSION_MAX = 15,                                 /* characters */
    STATE_MAX = 64 * 1024 * 1024,                     /* bytes; beyond lies a mistake in a sizeof */
};

struct program_server {
    const char *name;
    const char *version; /* NULL: none */
    uint64_t state_size, stack_bytes;
    struct program_port {
        const char *name, *protocol;
        uint32_t version, role;
    } ports[PORTS_MAX];
    uint32_t port_count;
    const char *settings[PATTERNS_MAX];
    uint32_t setting_count;
    uint32_t counter_count;
};

struct program {
    char name[(SERVERS_MAX + 1) * IMAGE_NAME_BYTES]; /* "netd", fused "netd+dnsd", "dnsd+pager" */
    char *path;                                      /* the linked file */
    struct elf elf;
    struct program_server servers[SERVERS_MAX];
    uint32_t server_count;
    uint64_t pager_entry; /* 0: without a pager */
};

/* Where to find what is linked; from the command line. */
struct link_paths {
    const char *objects;         /* directory of NAME.o and start.o */
    const char *libos;           /* libos.a */
    const char *script;          /* libos/domain.ld */
    const char *work;            /* directory for the linked files; exists */
    const char *const *replaced; /* "SERVER=OBJECT" in the place of SERVER.o; see program_link */
    size_t replaced_count;
};

/* Whether two domains have the same program: the same servers in the same order, at the same
 * addresses. */
bool domains_run_the_same(const struct manifest_domain *a, const struct manifest_domain *b);

/* Links and reads the program of domain d, with what all domains need that run it. What is
 * `replaced` is replaced in it. False: reported, at the domain's line. */
bool program_link(struct program *program, const struct manifest *manifest, uint32_t d,
                  const struct link_paths *paths);

/* The whole file in fresh memory; NULL: reported at `at`. */
uint8_t *file_load(const char *path, size_t *size, struct place at);

/* A string in fresh memory. */
__attribute__((format(printf, 1, 2))) char *text_format(const char *format, ...);

#endif
