/* SPDX-License-Identifier: ISC
 *
 * A domain's first instruction: the kernel starts the thread here with its stack set and the start
 * page's address as the argument. The rest is libos/run.c.
 */
#include "libos/state.h"

/* libos/domain.ld: the descriptors' addresses, in link order. */
extern const struct server *const __servers_start[], *const __servers_end[];

_Noreturn void _start(const struct start_page *start);

void _start(const struct start_page *start)
{
    domain_run(start, __servers_start, (uint64_t)(__servers_end - __servers_start));
}
