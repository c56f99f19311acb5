/* SPDX-License-Identifier: ISC
 *
 * A server for tests that was granted the second serial port, and reaches for all others with what
 * it has: every port, in every width, by every capability slot that it may hold, and for a larger
 * range to be cut out of its own. It counts what was refused and what was not; where ports were
 * read that aren't its own it says ACCEPTED, which tests look for.
 */
#include "libos/domain.h"
#include "libos/ports.h"
#include "libos/server.h"
#include "libos/syscall.h"

enum {
    PORTS = 0x10000,
    SLOTS = 64,
    SLOT_NEW = 60,
    STEP = 4096, /* ports in a round: others run in between */
    SCRATCH = 7, /* a register that holds what is written (PC16550D, 8.8) */
};

struct port_thief {
    struct domain *domain;
    struct device_bar own;
    uint32_t next;
    uint64_t refused, granted;
};

static bool is_own(const struct port_thief *thief, uint64_t port, uint32_t bytes)
{
    return port >= thief->own.ports.first &&
           port + bytes <= thief->own.ports.first + thief->own.size;
}

static void result(struct port_thief *thief, enum error error, bool allowed, const char *what,
                   uint64_t port)
{
    if (error)
        thief->refused++;
    else
        thief->granted++;
    if (allowed != (error == OK))
        domain_log(thief->domain, "%s: %s port 0x%lx: %s", allowed ? "REFUSED" : "ACCEPTED", what,
                   (unsigned long)port, error_name(error));
}

static void reach(struct port_thief *thief, uint64_t port)
{
    const uint32_t slot = thief->own.ports.slot;
    for (uint32_t bytes = 0; bytes <= 5; bytes++) {
        const bool allowed = (bytes == 1 || bytes == 2 || bytes == 4) && is_own(thief, port, bytes);
        result(thief, sys_invoke(slot, OPERATION_ioport_in, port, bytes, 0, 0, 0, NULL), allowed,
               "in", port);
        if (!allowed)
            result(thief, sys_invoke(slot, OPERATION_ioport_out, port, bytes, 0, 0, 0, NULL), false,
                   "out", port);
    }
    result(thief, sys_invoke(slot, OPERATION_ioport_derive, port, 1, SLOT_NEW, 0, 0, NULL), false,
           "derive", port);
}

/* By capabilities that are for something else, or none. */
static void other_slots(struct port_thief *thief)
{
    for (uint64_t slot = 0; slot < SLOTS; slot++)
        if (slot != thief->own.ports.slot)
            result(thief,
                   sys_invoke(slot, OPERATION_ioport_in, thief->own.ports.first, 1, 0, 0, 0, NULL),
                   false, "another slot", slot);
    result(thief,
           sys_invoke(thief->own.ports.slot, OPERATION_ioport_in, UINT64_MAX, 1, 0, 0, 0, NULL),
           false, "in", UINT64_MAX);
}

static void go_on(void *state)
{
    struct port_thief *thief = state;
    for (uint32_t i = 0; i < STEP; i++)
        reach(thief, thief->next++);
    if (thief->next < PORTS) {
        domain_set_deadline(thief->domain, domain_time(thief->domain) + 1);
        return;
    }
    other_slots(thief);
    port_write(&thief->own, SCRATCH, 1, 0x5a);
    domain_log(thief->domain, "granted %lu, refused %lu, its own holds 0x%x, beside it is 0x%x",
               (unsigned long)thief->granted, (unsigned long)thief->refused,
               port_read(&thief->own, SCRATCH, 1),
               port_read(&thief->own, (uint32_t)thief->own.size, 1));
}

static enum error start(void *state, struct domain *domain)
{
    struct port_thief *thief = state;
    const struct device *device = domain_device(domain, 0);
    thief->domain = domain;
    thief->own = device->bar[0];
    domain_log(domain, "ports 0x%x, %lu of them, %u vectors", thief->own.ports.first,
               (unsigned long)thief->own.size, device->vectors);
    domain_set_deadline(domain, 1);
    return OK;
}

extern const struct server motet_server_port_thief;
const struct server motet_server_port_thief = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "port_thief",
    .state_size = sizeof(struct port_thief),
    .stack_bytes = 1024,
    .start = start,
    .deadline = go_on,
};
SERVER_EXPORT(motet_server_port_thief);
