/* SPDX-License-Identifier: ISC
 *
 * libos/kernel.h for a domain on x86-64. Called by the loop; thin, nothing is checked here.
 */
#include <stddef.h>

#include "ipc/barrier.h"
#include "libos/kernel.h"
#include "libos/start.h"
#include "libos/syscall.h"

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, uint64_t *messages)
{
    struct received received = {0};
    /* TIMEOUT needs no look of its own: nothing is pending then. */
    sys_wait(SLOT_OWN_PORT, doorbell, deadline, &received);
    *messages += received.msg.op != 0;
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

uint64_t kernel_clock(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t kernel_random(void)
{
    uint64_t value; /* the instruction sets it to 0 when it fails */
    __asm__ volatile("rdrand %0" : "=r"(value) : : "cc");
    return value;
}

void kernel_stop(uint64_t code)
{
    for (;;)
        __asm__ volatile("ud2" : : "D"(code));
}

void ring_fence(void)
{
    /* Any locked instruction empties the store buffer; this one touches nothing of use. */
    __asm__ volatile("lock orl $0, (%%rsp)" : : : "memory", "cc");
}
