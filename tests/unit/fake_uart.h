/* SPDX-License-Identifier: ISC
 *
 * A model of a 16550 for unit tests (PC16550D's data sheet): FIFOs, causes in their order of
 * priority, and a line that counts edges. A byte that waits to be read is one whose time-out has
 * passed.
 */
#ifndef MOTET_TESTS_FAKE_UART_H
#define MOTET_TESTS_FAKE_UART_H

#include <stdbool.h>

#include "libos/device.h"
#include "tests/unit/fake_ports.h"

enum { FAKE_UART_FIFO = 16 };

struct fake_uart_fifo {
    uint8_t byte[FAKE_UART_FIFO], error[FAKE_UART_FIFO]; /* bits of the line status */
    uint32_t count;
};

struct fake_uart {
    struct device_model model;
    struct fake_uart_fifo rx, tx;
    uint8_t enabled, line, modem, scratch, divisor[2];
    uint8_t status;                  /* errors that weren't read yet */
    bool fifo_on, sent;              /* sent: the transmitter has emptied, and nobody has looked */
    bool high;                       /* the interrupt line */
    uint32_t edges;                  /* since the test looked last */
    uint32_t lost;                   /* bytes that came while it was full */
    uint32_t noise;                  /* so many damaged bytes come, each when one was read */
    bool absent, no_fifo, deaf, mad; /* all ones; an older one; two faults of the loop test */
};

/* As a firmware may leave it: interrupts on, something in its FIFO. */
void fake_uart_init(struct fake_uart *uart);

/* The same, as the device's ports, those of COM2. */
static inline void fake_uart_attach(struct fake_uart *uart, struct device *device)
{
    fake_uart_init(uart);
    fake_ports_attach(&uart->model, device, 0x2f8, 8);
    device->id = 0x0501;
    device->vectors = device->pin = 1;
}

/* A byte comes, with error bits of the line status. A full FIFO loses it. */
void fake_uart_come(struct fake_uart *uart, uint8_t byte, uint8_t error);

/* The transmitter sends; how many bytes. */
uint32_t fake_uart_go(struct fake_uart *uart, uint8_t *bytes, uint32_t most);

#endif
