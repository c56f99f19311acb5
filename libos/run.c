/* SPDX-License-Identifier: ISC
 *
 * A domain's life: sets up the libOS in private memory, starts the servers that are linked in, and
 * loops. Without a start page or kernel information page that it understands it faults with a code
 * of libos/kernel.h; when a server doesn't start, the supervisor is told and the domain waits
 * forever.
 */
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/supervisor.h"

static _Noreturn void fail(struct libos *libos, enum error error, uint32_t server, const char *name)
{
    domain_log(&libos->domain[server], "%s: start failed: %s", name, error_name(error));
    kernel_signal(SLOT_SUPERVISOR);
    struct supervisor_failed failed = {.error = error, .server = server};
    struct msg m;
    msg_set(&m, SUPERVISOR_FAILED, &failed, sizeof(failed));
    kernel_report(&m);
    for (;;)
        kernel_wait(0, 0, &libos->message);
}

void domain_run(const struct start_page *start, const struct linked *linked)
{
    const struct kernel_info *info =
        (const struct kernel_info *)((uint64_t)start + KERNEL_INFO_OFFSET);
    if (start->magic != START_MAGIC || start->version != START_VERSION)
        kernel_stop(STOP_START_PAGE);
    if (info->magic != KERNEL_INFO_MAGIC || info->abi != ABI_VERSION)
        kernel_stop(STOP_KERNEL_INFO);

    struct libos *libos = (struct libos *)start->private_address;
    if (linked->restarts)
        linked->restarts->prepare(start);
    uint32_t server = 0;
    enum error error = domain_init(libos, start, info, linked);
    if (!error)
        error = loop_start(libos, &server);
    if (!error && libos->takes_over)
        error = libos->swaps->begin(libos, &server);
    else if (!error && linked->restarts)
        linked->restarts->begin(libos);
    if (error)
        fail(libos, error, server, linked->servers[server]->name);
    for (uint64_t pending = 0;;)
        pending = loop_round(libos, pending);
}
