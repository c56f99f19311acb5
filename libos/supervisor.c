/* SPDX-License-Identifier: ISC
 *
 * See supervisor.h.
 */
#include "libos/supervisor.h"

#include "libos/state.h"
#include "libos/syscall.h"

enum error supervisor_ask(struct domain *domain, const struct msg *m)
{
    (void)domain;
    return sys_send(SLOT_SUPERVISOR, m, 0);
}

/* Two pages for each domain, as init has them. */
static const void *page_of(struct domain *domain, uint32_t number, uint32_t which)
{
    const struct start_page *start = domain->libos->start;
    if (!start->watch_address || number >= start->watched)
        return NULL;
    return (const void *)(start->watch_address + (number * 2 + which) * (uint64_t)PAGE_BYTES);
}

const struct log_page *supervisor_log(struct domain *domain, uint32_t number)
{
    return page_of(domain, number, 0);
}

const struct counter_page *supervisor_counters(struct domain *domain, uint32_t number)
{
    return number ? page_of(domain, number, 1) : NULL;
}

void *supervisor_staging(struct domain *domain, uint32_t *bytes)
{
    *bytes = domain->libos->start->staging_bytes;
    return (void *)domain->libos->start->staging_address;
}

struct supervisor_staged supervisor_staged(struct domain *domain)
{
    const struct start_page *start = domain->libos->start;
    struct supervisor_staged staged = {NULL, start->staged, start->staged_check, start->staged_for};
    if (staged.bytes && staged.bytes <= start->staging_bytes)
        staged.program = (const uint8_t *)start->staging_address;
    return staged;
}

const struct kernel_info *supervisor_kernel(struct domain *domain)
{
    return domain->libos->info;
}
