/* SPDX-License-Identifier: ISC
 *
 * Interrupts become bits of a port's pending word. A level-triggered pin is masked when it is
 * delivered, since only its driver can silence the device, and unmasked by irq_ack. The table is
 * the machine's, of fixed size: one entry per vector that devices may use.
 */
#ifndef KERNEL_IRQ_H
#define KERNEL_IRQ_H

#include "kernel/cap.h"

struct port;

struct irq_vector {
    struct port *port; /* NULL: not bound */
    uint8_t bit;
    bool taken;  /* a capability for it exists */
    bool routed; /* from an I/O APIC input, `pin` */
    bool level;  /* which is level-triggered */
    uint8_t pin;
};

/* What a vector from IRQ_VECTOR_FIRST to IRQ_VECTOR_LAST is used for: to look at, for checks. */
const struct irq_vector *irq_vector(uint64_t vector);

/* Delivers a vector; those bound to nothing are counted. */
void irq_deliver(uint64_t vector);

/* Binds the capability's vector to bit `bit` of `port`. */
enum error irq_bind(struct cap *irq, struct port *port, uint64_t bit, uint64_t pin);

/* Unmasks a level-triggered pin. ERROR_BAD_STATE for any other interrupt. */
enum error irq_ack(struct cap *irq);

/* Whether a vector may be derived: in range and not taken. Marks it taken. */
enum error irq_take(uint64_t vector);

/* The capability of a vector is gone / a port is gone: nothing is delivered any more. */
void irq_release(uint64_t vector);
void irq_forget_port(const struct port *port);

#endif
