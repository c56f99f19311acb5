/* SPDX-License-Identifier: ISC
 *
 * The half of libos/kernel.h that is the processor's: for a domain on x86-64. Called by the loop.
 */
#include "ipc/barrier.h"
#include "libos/kernel.h"

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
