/* SPDX-License-Identifier: ISC
 *
 * All of netd in one file, for versions of it that tests and demonstrations swap in: those differ
 * in what they define before, and say how they start. Included once in a program.
 */
#ifndef TESTS_SERVERS_TTL_WHOLE_H
#define TESTS_SERVERS_TTL_WHOLE_H

#include "libos/server.h"
#include "libos/swap.h"

/* Its own descriptor gets another name, and isn't exported. */
#undef SERVER_EXPORT
#define SERVER_EXPORT(descriptor)
#define motet_server_netd netd_usual
#include "servers/netd/netd.c"
#undef motet_server_netd

#include "servers/netd/arp.c"
#include "servers/netd/checksum.c"
#include "servers/netd/client.c"
#include "servers/netd/driver.c"
#include "servers/netd/icmp.c"
#include "servers/netd/input.c"
#include "servers/netd/interface.c"
#include "servers/netd/ipv4.c"
#include "servers/netd/output.c"
#define entry_find reassembly_entry_find /* arp.c has one too */
#include "servers/netd/reassembly.c"
#undef entry_find
#include "servers/netd/restarted.c"
#include "servers/netd/sockets.c"
#include "servers/netd/transmit.c"
#include "servers/netd/udp.c"

extern const struct server motet_server_netd;

#ifdef VARIANT_RECORDS /* of the variant's own */
#undef SERVER_SWAP
#define SERVER_SWAP(descriptor, ...) _Static_assert(sizeof(records), "the usual ones are left out")
#endif
#include "servers/netd/swap.c"

/* netd's descriptor with another version and these entry points. */
#define VARIANT(text, start_entry, receive_entry)                                                  \
    const struct server motet_server_netd = {                                                      \
        .magic = SERVER_MAGIC,                                                                     \
        .abi = SERVER_ABI,                                                                         \
        .name = "netd",                                                                            \
        .version = text,                                                                           \
        .state_size = sizeof(struct netd),                                                         \
        .stack_bytes = 2048,                                                                       \
        .ports = ports,                                                                            \
        .port_count = sizeof(ports) / sizeof(ports[0]),                                            \
        .settings = settings,                                                                      \
        .setting_count = sizeof(settings) / sizeof(settings[0]),                                   \
        .counters = counter_names,                                                                 \
        .counter_count = COUNTER_COUNT,                                                            \
        .start = start_entry,                                                                      \
        .signal = netd_signal,                                                                     \
        .receive = receive_entry,                                                                  \
        .deadline = netd_deadline,                                                                 \
        .batch_end = netd_batch_end,                                                               \
    };                                                                                             \
    __attribute__((section(".motet.servers"), used)) static const struct server *const entry =     \
        &motet_server_netd

#endif
