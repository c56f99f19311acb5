/* SPDX-License-Identifier: ISC
 *
 * Interrupt vectors and where they are delivered. See irq.h.
 */
#include "kernel/irq.h"

#include "kernel/arch.h"
#include "kernel/port.h"

enum { VECTORS = IRQ_VECTOR_LAST - IRQ_VECTOR_FIRST + 1 };

static struct {
    struct port *port; /* NULL: not bound */
    uint8_t bit;
    bool taken; /* a capability for it exists */
} vectors[VECTORS];

static uint64_t spurious;

void irq_deliver(uint64_t vector)
{
    if (vector < IRQ_VECTOR_FIRST || vector > IRQ_VECTOR_LAST ||
        !vectors[vector - IRQ_VECTOR_FIRST].port) {
        spurious++;
        return;
    }
    port_signal(vectors[vector - IRQ_VECTOR_FIRST].port,
                1ull << vectors[vector - IRQ_VECTOR_FIRST].bit);
}

enum error irq_bind(struct cap *irq, struct port *port, uint64_t bit, uint64_t pin)
{
    if (bit > 63 || irq->number == 0)
        return ERROR_BAD_ARGUMENT;
    uint64_t index = irq->number - IRQ_VECTOR_FIRST;
    if (vectors[index].port)
        return ERROR_OCCUPIED;
    if (pin != IRQ_MESSAGE) {
        enum error error = arch_pin_route(pin, irq->number);
        if (error)
            return error;
    }
    vectors[index].port = port;
    vectors[index].bit = (uint8_t)bit;
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

void irq_release(uint64_t vector)
{
    vectors[vector - IRQ_VECTOR_FIRST].port = NULL;
    vectors[vector - IRQ_VECTOR_FIRST].taken = false;
}

void irq_forget_port(const struct port *port)
{
    for (int i = 0; i < VECTORS; i++)
        if (vectors[i].port == port)
            vectors[i].port = NULL;
}
