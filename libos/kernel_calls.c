/* SPDX-License-Identifier: ISC
 *
 * The half of libos/kernel.h that is system calls: the same in a domain and in the simulator.
 * Called by the loop; thin, nothing is checked here.
 */
#include <stddef.h>

#include "libos/kernel.h"
#include "libos/start.h"
#include "libos/syscall.h"

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    struct received received;
    /* TIMEOUT needs no look of its own: nothing is pending then. */
    sys_wait(SLOT_OWN_PORT, doorbell, deadline, &received);
    if (received.msg.op)
        *message = received.msg;
    return received.pending;
}

void kernel_signal(uint64_t slot)
{
    sys_signal(slot); /* a dead peer isn't there to be rung: nothing to do about an error */
}

void kernel_acknowledge(uint64_t slot)
{
    sys_invoke(slot, OPERATION_irq_ack, 0, 0, 0, 0, 0, NULL);
}

void kernel_report(const struct msg *m)
{
    sys_send(SLOT_SUPERVISOR, m, 0);
}

uint32_t kernel_port_in(uint64_t slot, uint64_t port, uint32_t bytes)
{
    struct invoked result;
    enum error error = sys_invoke(slot, OPERATION_ioport_in, port, bytes, 0, 0, 0, &result);
    return error ? UINT32_MAX : (uint32_t)result.a[0];
}

void kernel_port_out(uint64_t slot, uint64_t port, uint32_t bytes, uint32_t value)
{
    sys_invoke(slot, OPERATION_ioport_out, port, bytes, value, 0, 0, NULL);
}
