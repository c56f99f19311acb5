/* SPDX-License-Identifier: ISC
 *
 * Domains that can be swapped, in a layout: rooms instead of a program's pages, memory for state
 * and for what is staged, the loader's table, second bodies. For layout.c.
 *
 * A second body is a copy of the first one's records, mappings and start page: same addresses, same
 * slots. What is private gets regions of its own.
 */
#ifndef COMPOSE_SWAP_LAYOUT_H
#define COMPOSE_SWAP_LAYOUT_H

#include "tools/composer/layout.h"

/* Staging memory, and the loader's table. False: reported. */
bool add_swap_shared(struct composition *c);

/* Text and constants of a domain that can be swapped; sets the cursor behind them. */
void map_rooms(struct composition *c, uint32_t d);

/* Memory of the domain for its file number `n`, which can be replaced. False: reported. */
bool add_file_room(struct composition *c, uint32_t d, uint32_t n, const struct content_file *file,
                   uint32_t *region);

/* Where state is handed over; the controller's and the loader's view of the staging memory; the
 * loader's table. */
void map_swap_memory(struct composition *c, uint32_t d);

/* Once all domains have their places. */
void add_second_bodies(struct composition *c);

#endif
