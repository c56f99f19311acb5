/* SPDX-License-Identifier: ISC
 *
 * What holds in the whole system between two kernel entries, as code: called by tests after every
 * step. Walks everything there is and panics at the first thing that is wrong.
 */
#ifndef KERNEL_SIM_CHECK_H
#define KERNEL_SIM_CHECK_H

#include "kernel/captable.h"
#include "kernel/space.h"

/* Forgets what was remembered of an earlier machine. Afterwards sim.flushed is in use. */
void check_reset(void);

/* The same for another state of the same machine, of SIM_PAGES pages, at less cost. */
void check_other_state(void);

/* `first`: the first capability of the derivation list. `table`: the one table that isn't made
 * from untyped memory, where the roots are.
 *
 *  - capabilities: the list is well-formed, it and the slots in use are the same set, nobody has
 *    more rights than its parent, children are part of the parent's object;
 *  - memory: no page is in two objects; new pages are cleared; what is in no object any more is
 *    filled with garbage and poisoned, so that a use after free is found;
 *  - threads, ports, spaces, tables: everything is in exactly the lists it should be in;
 *  - interrupts: a vector has one owner, and is bound to a live port or to nothing; a pin is open
 *    only for a bound vector;
 *  - DMA: tables say what capabilities say, a device is assigned to one space, and nothing that an
 *    IOMMU may remember has become anything else;
 *  - the CPU: the best thread runs, timer and slice are set when they must be;
 *  - the trace: check_trace.h.
 */
void check_all(const struct cap *first, const struct captable *table);

/* The same after one more kernel entry, at less cost: a build with hooks (hooks.h) knows what the
 * kernel wrote. If that was threads, ports and its own variables only, nothing else can have become
 * wrong, and these are looked at; else everything is. A build without hooks checks everything. */
void check_changed(const struct cap *first, const struct captable *table);

/* The kernel reads or writes that page of the arena: panics if it is a domain's, while watched. */
void check_kernel_access(uint64_t index);
void check_watch(bool watched);

/* Checks come late, not after each kernel entry: then new pages may have been written to. */
void check_late(bool late);

/* Used by check_all (check_paging.c): present entries of a space are exactly what its capabilities
 * say, and no translation that the processor may remember is out of date. */
void check_paging_reset(void);

/* Whether the pages of a mapped page capability are mapped with exactly these rights. */
void check_mapped(const struct cap *page, uint8_t rights);
void check_space_entries(const struct space *space);
void check_translations(const struct space *running);

/* The same for DMA spaces (check_dma.c): check_dma_begin, each of them, then check_dma. */
void check_dma_reset(void);
void check_dma_begin(void);
void check_dmaspace_entries(const struct space *space);
void check_dma(void);

#endif
