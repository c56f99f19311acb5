/* SPDX-License-Identifier: ISC
 *
 * A domain's first instruction: the kernel starts the thread here with its stack set. Sets up the
 * libOS in private memory, starts the servers that are linked in, and loops. Without a start page
 * or kernel information page that it understands it faults with a code of libos/kernel.h; when a
 * server doesn't start, the supervisor is told and the domain waits forever.
 */
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/supervisor.h"

/* libos/domain.ld: the descriptors' addresses, in link order. */
extern const struct server *const __servers_start[], *const __servers_end[];

_Noreturn void _start(void);

static _Noreturn void fail(struct libos *libos, enum error error, uint32_t server)
{
    domain_log(&libos->domain[server], "%s: start failed: %s", __servers_start[server]->name,
               error_name(error));
    kernel_signal(SLOT_SUPERVISOR);
    struct supervisor_failed failed = {.error = error, .server = server};
    struct msg m;
    msg_set(&m, SUPERVISOR_FAILED, &failed, sizeof(failed));
    kernel_report(&m);
    for (;;)
        kernel_wait(0, 0, &libos->counters[COUNT_PORT_MESSAGES]);
}

void _start(void)
{
    const struct start_page *start = (const struct start_page *)START_ADDRESS;
    const struct kernel_info *info = (const struct kernel_info *)KERNEL_INFO_ADDRESS;
    if (start->magic != START_MAGIC || start->version != START_VERSION)
        kernel_stop(STOP_START_PAGE);
    if (info->magic != KERNEL_INFO_MAGIC || info->abi != ABI_VERSION)
        kernel_stop(STOP_KERNEL_INFO);

    struct libos *libos = (struct libos *)start->private_address;
    uint32_t server = 0;
    enum error error = domain_init(libos, start, info, __servers_start,
                                   (uint64_t)(__servers_end - __servers_start));
    if (!error)
        error = loop_start(libos, &server);
    if (error)
        fail(libos, error, server);
    for (uint64_t pending = 0;;)
        pending = loop_round(libos, pending);
}
