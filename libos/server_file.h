/* SPDX-License-Identifier: ISC
 *
 * struct server and struct server_port as they lie in a linked file, where pointers are addresses
 * in the domain: for who reads them there (tools/composer/, servers/loader/).
 */
#ifndef MOTET_LIBOS_SERVER_FILE_H
#define MOTET_LIBOS_SERVER_FILE_H

#include <stdint.h>

#include "libos/server.h"

struct server_record {
    uint32_t magic, abi;
    uint64_t name, version, state_size, stack_bytes;
    uint64_t ports, port_count;
    uint64_t settings, setting_count;
    uint64_t counters, counter_count;
    uint64_t start, signal, receive, deadline, batch_end, message, reclaim;
};
_Static_assert(sizeof(struct server_record) == sizeof(struct server), "as in libos/server.h");

struct port_record {
    uint64_t name, protocol;
    uint32_t version, role;
};
_Static_assert(sizeof(struct port_record) == sizeof(struct server_port), "as in libos/server.h");

#endif
