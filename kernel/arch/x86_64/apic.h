/* SPDX-License-Identifier: ISC
 *
 * Local APIC (SDM volume 3, 10) as timer and end of interrupts; I/O APIC (82093AA) for pins.
 *
 * The local APIC is driven as an x2APIC (by MSRs) where the processor has that, else through its
 * page of registers; the timer by TSC deadlines where it has those, else by counts.
 */
#ifndef KERNEL_APIC_H
#define KERNEL_APIC_H

#include <stdint.h>

#define APIC_PHYSICAL   0xfee00000ull
#define IOAPIC_PHYSICAL 0xfec00000ull
#define HPET_PHYSICAL   0xfed00000ull

/* Pages of device memory that memory.c maps for the kernel. */
enum device_page {
    DEVICE_PAGE_APIC,
    DEVICE_PAGE_IOAPIC,
    DEVICE_PAGE_HPET,
    DEVICE_PAGE_VTD, /* and behind it, one per unit */
};

enum { VECTOR_TIMER = 0x20, VECTOR_SPURIOUS = 0xff };

/* Chooses and starts the local APIC, masks whatever could interrupt. Its timer is one-shot. */
void apic_start(void);
void apic_end_of_interrupt(void);

/* The one-shot timer's count, for measuring its rate; 0 stops it. */
void apic_timer_count_set(uint32_t count);
uint32_t apic_timer_count(void);

/* Takes the timer into use: by deadlines if the processor has them, else with so many counts per
 * clock tick, 32 fraction bits. */
void apic_timer_choose(uint64_t counts_per_tick);

/* What was chosen, for the boot line. */
const char *apic_name(void);
const char *apic_timer_name(void);

#endif
