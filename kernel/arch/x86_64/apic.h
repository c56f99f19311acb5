/* SPDX-License-Identifier: ISC
 *
 * Local APIC (SDM volume 3, 10) as timer and end of interrupts; I/O APIC (82093AA) for pins.
 */
#ifndef KERNEL_APIC_H
#define KERNEL_APIC_H

#include <stdint.h>

#define APIC_PHYSICAL   0xfee00000ull
#define IOAPIC_PHYSICAL 0xfec00000ull

enum { VECTOR_TIMER = 0x20, VECTOR_SPURIOUS = 0xff };

void apic_start(void);
void apic_end_of_interrupt(void);

#endif
