/* SPDX-License-Identifier: ISC
 *
 * A domain's first instruction: the kernel starts the thread here with its stack set and the start
 * page's address as the argument. The rest is libos/run.c.
 */
#include "libos/state.h"

/* Those that compose had the linker take; the others are at address 0. */
#pragma weak channel_transport
#pragma weak direct_transport
#pragma weak domain_restarts
#pragma weak domain_swap

/* libos/domain.ld: the descriptors' addresses, in link order. */
extern const struct server *const __servers_start[], *const __servers_end[];

_Noreturn void _start(const struct start_page *start);

void _start(const struct start_page *start)
{
    const struct linked linked = {
        .servers = __servers_start,
        .count = (uint64_t)(__servers_end - __servers_start),
        .transport = {[START_CHANNEL] = &channel_transport, [START_DIRECT] = &direct_transport},
        .restarts = &domain_restarts,
        .swaps = &domain_swap,
    };
    domain_run(start, &linked);
}
