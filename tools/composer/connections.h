/* SPDX-License-Identifier: ISC
 *
 * Connections of a layout: rings, doorbells and signal bits between domains; inside a domain
 * queues in its private memory, and nothing that anybody else could reach. For layout.c.
 */
#ifndef COMPOSE_CONNECTIONS_H
#define COMPOSE_CONNECTIONS_H

#include "tools/composer/layout.h"

/* The number of each connection's ring regions; unused for those inside a domain. */
struct ring_regions {
    uint32_t requests[CONNECTIONS_MAX], replies[CONNECTIONS_MAX];
};

void add_rings(struct composition *c, struct ring_regions *rings);

/* Both ends of each connection in their start pages; doorbells take the domains' first slots. */
void add_ends(struct composition *c);

/* Bytes of domain d's private memory for the queues of its inner connections. */
uint64_t queue_bytes(const struct composition *c, uint32_t d);

/* Places those queues from `address` on. */
void place_queues(struct composition *c, uint32_t d, uint64_t address);

void map_rings(struct composition *c, uint32_t d, const struct ring_regions *rings);

#endif
