/* SPDX-License-Identifier: ISC
 *
 * Interrupt vectors and where they are delivered. See irq.h.
 */
#include "kernel/irq.h"

#include "kernel/counters.h"
#include "kernel/port.h"

enum { VECTORS = IRQ_VECTOR_LAST - IRQ_VECTOR_FIRST + 1 };

static struct irq_vector vectors[VECTORS];

const struct irq_vector *irq_vector(uint64_t vector)
{
    return &vectors[vector - IRQ_VECTOR_FIRST];
}

void irq_deliver(uint64_t vector)
{
    struct irq_vector *v = NULL;
    if (vector >= IRQ_VECTOR_FIRST && vector <= IRQ_VECTOR_LAST)
        v = &vectors[vector - IRQ_VECTOR_FIRST];
    if (!v || !v->port) {
        arch_counters()->interrupts_unclaimed++;
        return;
    }
    if (v->level)
        arch_pin_mask(v->pin, true);
    port_signal(v->port, 1ull << v->bit);
}

/* A pin has one vector, also while it is masked. */
static bool pin_taken(uint64_t pin)
{
    for (int i = 0; i < VECTORS; i++)
        if (vectors[i].routed && vectors[i].pin == pin)
            return true;
    return false;
}

enum error irq_bind(struct cap *irq, struct port *port, uint64_t bit, uint64_t pin)
{
    if (bit > 63 || irq->number == 0)
        return ERROR_BAD_ARGUMENT;
    struct irq_vector *v = &vectors[irq->number - IRQ_VECTOR_FIRST];
    if (v->port)
        return ERROR_OCCUPIED;
    bool routed = pin != IRQ_MESSAGE, level = routed && (pin & IRQ_PIN_LEVEL);
    if (routed) {
        pin &= ~(uint64_t)IRQ_PIN_LEVEL;
        if (pin_taken(pin))
            return ERROR_OCCUPIED;
        enum error error = arch_pin_route(pin, irq->number, level);
        if (error)
            return error;
    }
    v->routed = routed;
    v->level = level;
    v->pin = (uint8_t)pin;
    v->port = port;
    v->bit = (uint8_t)bit;
    return OK;
}

enum error irq_ack(struct cap *irq)
{
    if (irq->number == 0 || !vectors[irq->number - IRQ_VECTOR_FIRST].level)
        return ERROR_BAD_STATE;
    arch_pin_mask(vectors[irq->number - IRQ_VECTOR_FIRST].pin, false);
    return OK;
}

enum error irq_take(uint64_t vector)
{
    if (vector < IRQ_VECTOR_FIRST || vector > IRQ_VECTOR_LAST)
        return ERROR_BAD_ARGUMENT;
    if (vectors[vector - IRQ_VECTOR_FIRST].taken)
        return ERROR_OCCUPIED;
    vectors[vector - IRQ_VECTOR_FIRST].taken = true;
    return OK;
}

/* The pin is masked: a level-triggered one that nobody hears would interrupt for ever, and any
 * other would reach whoever gets the vector next. */
static void unbind(struct irq_vector *v)
{
    if (v->routed)
        arch_pin_mask(v->pin, true);
    v->routed = v->level = false;
    v->port = NULL;
}

void irq_release(uint64_t vector)
{
    unbind(&vectors[vector - IRQ_VECTOR_FIRST]);
    vectors[vector - IRQ_VECTOR_FIRST].taken = false;
}

void irq_forget_port(const struct port *port)
{
    for (int i = 0; i < VECTORS; i++)
        if (vectors[i].port == port)
            unbind(&vectors[i]);
}
