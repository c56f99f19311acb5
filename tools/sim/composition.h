/* SPDX-License-Identifier: ISC
 *
 * Who is who in a simulated machine: from the image's tables and the kernel's objects to domains,
 * their memory and what their servers remember. Only looks.
 */
#ifndef TOOLS_SIM_COMPOSITION_H
#define TOOLS_SIM_COMPOSITION_H

#include "kernel/port.h"
#include "kernel/space.h"
#include "libos/start.h"
#include "motet/image.h"

/* A table of the image. */
const void *composition_table(struct image_table where);

/* Domains are numbered from 0 (init) to below this. */
uint32_t domain_count(void);
const struct image_domain *domain_at(uint32_t d);

/* Whether that body has the receive end of its domain's port: at most one of the two does. */
bool body_receives(uint32_t body);

/* Of a domain that can be swapped: the number of the body that has the receive end of its port; of
 * others its own. And the other way round. */
uint32_t domain_body(uint32_t d);
uint32_t body_domain(uint32_t body);

/* The domain that says whether a driver conforms: the first whose name ends in "_check"; 0: none.
 */
uint32_t domain_checking(void);

/* All capabilities there are. */
uint32_t capability_count(void);

/* The first capability of the derivation list. */
const struct cap *first_cap(void);

/* Which domain runs in this space (by the window of what is mapped there); 0: init. */
uint32_t space_domain(const struct space *space);
const char *space_name(const struct space *space);

/* The domain's thread; NULL: not made yet. */
const struct thread *domain_thread(uint32_t d);

/* The memory behind an address of a domain's window; NULL: not mapped. With `bytes`: NULL too if
 * that isn't one piece in the arena. */
const void *domain_memory(uint64_t address);
const void *domain_piece(uint64_t address, uint64_t bytes);

/* NULL: not mapped yet. */
const struct start_page *domain_start_page(uint32_t d);

#endif
