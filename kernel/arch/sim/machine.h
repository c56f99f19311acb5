/* SPDX-License-Identifier: ISC
 *
 * A machine inside a host process: the kernel's entry points as functions, and what the kernel did
 * to the hardware, for tests to look at. User code doesn't run here: who drives the machine fills
 * in the running thread's registers.
 */
#ifndef KERNEL_SIM_MACHINE_H
#define KERNEL_SIM_MACHINE_H

#include <setjmp.h>

#include "kernel/arch.h"
#include "kernel/arch/sim/iommu.h"

enum {
    SIM_PINS = 24,         /* inputs of the I/O APIC */
    SIM_KERNEL_ENTRY = 96, /* what the kernel's half of a root table is filled with: not present */
    SIM_PANIC_BYTES = 256,
};

struct sim_machine {
    uint64_t timer;            /* when the timer will fire; 0: not set */
    uint64_t timer_sets;       /* how often the kernel set it */
    uint64_t timer_interrupts; /* how often it fired */
    struct thread *loaded;     /* whom the next return to user mode restores */
    struct sim_pin {
        uint64_t vector;
        bool level, open; /* open: not masked */
    } pin[SIM_PINS + 1];  /* the last one: the IOMMU's */
    struct sim_iommu iommu;
    uint64_t out_port, out_bytes, out_value; /* the last write to an I/O port */

    /* Translations are forgotten: of `pages` pages at `address`; 0 pages: all. May be NULL. */
    void (*flushed)(uint64_t address, uint64_t pages);

    /* Devices, for who drives the machine; NULL: an I/O port reads as its number. */
    uint64_t (*ioport_in)(uint64_t port, uint64_t bytes);
    void (*ioport_out)(uint64_t port, uint64_t bytes, uint64_t value);
    /* Fills what user code sees of a page of device memory. */
    void (*device_page)(void *page, uint64_t physical);

    /* Where a panic goes; NULL: it ends the process. */
    jmp_buf *panic;
};
extern struct sim_machine sim;

/* By the number that irq.bind knows. */
static inline struct sim_pin *sim_pin(uint64_t pin)
{
    return &sim.pin[pin == IRQ_PIN_IOMMU ? SIM_PINS : pin];
}

/* What the last panic said that went to sim.panic. */
extern char sim_panic_text[SIM_PANIC_BYTES];

/* A machine with so many pages (at most SIM_PAGES_MAX) that was just switched on: clock 1, memory
 * filled with garbage. */
void sim_reset(uint64_t pages);

/* The running thread executes `syscall`. */
void sim_syscall(void);

/* The running thread raises an exception. */
void sim_fault(uint64_t cause, uint64_t address, uint64_t error);

/* A device raises a vector. */
void sim_interrupt(uint64_t vector);

/* A device asserts an input of the I/O APIC. */
void sim_pin_assert(uint64_t pin);

/* Time passes; the timer fires when it is due, each time the kernel sets it. */
void sim_advance(uint64_t ticks);

#endif
