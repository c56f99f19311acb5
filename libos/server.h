/* SPDX-License-Identifier: ISC
 *
 * What a server is to its libOS. A server exports one symbol, `motet_server_NAME`, of this type; it
 * has no writable static data (tools/compose refuses it): everything it remembers is one struct of
 * `state_size` bytes, zeroed before `start` and passed to each entry point.
 *
 * The loop (libos/loop.c) calls the entry points; `receive` also another server of the domain, by
 * conn_send. None is re-entered, nor called while another entry point of the same server runs:
 *
 *   start      once. Not OK: the domain reports it and stops.
 *   signal     an interrupt or control signal came: `bits` are relative to the device, see device.h
 *   receive    one message from a connection, in private memory. Returns false when it can't
 *              be taken now (no room for what it leads to): it stays in the queue, and with it
 *              everything behind it on that connection, until the next round.
 *   deadline   the time set with domain_set_deadline has passed
 *   batch_end  after start, after each round in which anything happened, and when a connection that
 *              was full has room again: flush what was gathered
 *
 *   message    one message to the domain's own port: a fault of a domain that this one pages for
 *              (libos/paging.h)
 *
 *   reclaim    the supervisor wants memory back, and all that is held of the heap is allocated:
 * free what can be done without, now. What isn't given may be taken by force (docs/paging.md)
 *
 * reclaim, message, signal and batch_end may be NULL, and so may receive in a server without ports
 * and deadline if none is ever set.
 */
#ifndef MOTET_LIBOS_SERVER_H
#define MOTET_LIBOS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/conn.h"
#include "ipc/pool.h"
#include "motet/error.h"
#include "motet/msg.h"

struct domain; /* libos/domain.h */

enum { SERVER_MAGIC = 0x746f4d73, SERVER_ABI = 3 };

/* A port that the server declares; the manifest connects each client port to a server port. */
struct server_port {
    const char *name;     /* what the manifest calls it */
    const char *protocol; /* NETDEV_PROTOCOL, ... */
    uint32_t version;
    uint32_t role; /* enum conn_role */
};

struct server {
    uint32_t magic; /* SERVER_MAGIC */
    uint32_t abi;   /* SERVER_ABI */
    const char *name;
    const char *version;  /* for people: up to 15 characters; NULL: none */
    uint64_t state_size;  /* bytes */
    uint64_t stack_bytes; /* what its deepest call path needs */
    const struct server_port *ports;
    uint64_t port_count;
    const char *const *settings; /* boot settings it understands; '#' stands for a number */
    uint64_t setting_count;
    const char *const *counters; /* names, at most 23 characters each */
    uint64_t counter_count;

    enum error (*start)(void *state, struct domain *domain);
    void (*signal)(void *state, uint32_t device, uint32_t bits);
    bool (*receive)(void *state, struct conn *conn, const struct msg *m);
    void (*deadline)(void *state);
    void (*batch_end)(void *state);
    void (*message)(void *state, const struct msg *m);
    void (*reclaim)(void *state);
};

/* Once per server, beside its descriptor: puts it into the table of its domain's servers, which
 * libos/domain.ld gathers. */
#define SERVER_EXPORT(descriptor)                                                                  \
    __attribute__((section(".motet.servers"),                                                      \
                   used)) static const struct server *const descriptor##_entry = &descriptor

/* The descriptor of the server `name`, whose state is `type`, with an array of its counters' names;
 * what follows goes into it. */
#define SERVER(name_, type, counter_names, ...)                                                    \
    extern const struct server motet_server_##name_;                                               \
    const struct server motet_server_##name_ = {.magic = SERVER_MAGIC,                             \
                                                .abi = SERVER_ABI,                                 \
                                                .name = #name_,                                    \
                                                .state_size = sizeof(type),                        \
                                                .counters = counter_names,                         \
                                                .counter_count = sizeof(counter_names) /           \
                                                                 sizeof(*(counter_names)),         \
                                                __VA_ARGS__};                                      \
    SERVER_EXPORT(motet_server_##name_)

#endif
