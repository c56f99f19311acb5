/* SPDX-License-Identifier: ISC
 *
 * The serial port of a PC, a 16550: where its registers are, and what their bits mean (PC16550D's
 * data sheet, section 8). For init, whose console the first one is, and for servers/uart_drv.
 */
#ifndef MOTET_LIBOS_UART_16550_H
#define MOTET_LIBOS_UART_16550_H

/* Offsets from the first port. */
enum {
    UART_DATA = 0, /* with UART_LINE_DIVISOR: the divisor's lower half */
    UART_INTERRUPTS = 1,
    UART_DIVISOR_HIGH = UART_INTERRUPTS,
    UART_FIFO = 2, /* read: what interrupts */
    UART_LINE = 3,
    UART_MODEM = 4,
    UART_STATUS = 5,
    UART_SCRATCH = 7,
    UART_PORTS = 8,
};

enum {
    UART_ON_RECEIVED = 0x01, /* UART_INTERRUPTS */
    UART_ON_EMPTY = 0x02,
    UART_ON_DAMAGED = 0x04,

    UART_FIFO_ON = 0x01, /* UART_FIFO, written; without more: interrupts at each byte */
    UART_FIFO_CLEAR = 0x06,
    UART_FIFO_HALF = 0x80,  /* at eight bytes, or when no other comes */
    UART_FIFO_IS_ON = 0xc0, /* read */

    UART_LINE_8N1 = 0x03,
    UART_LINE_DIVISOR = 0x80,

    UART_MODEM_READY = 0x03, /* DTR, and RTS */
    UART_MODEM_TERMINAL_READY = 0x01,
    UART_MODEM_CONNECTS = 0x08, /* OUT2: the interrupt, on a PC */
    UART_MODEM_LOOP = 0x10,

    UART_RECEIVED = 0x01, /* UART_STATUS */
    UART_OVERRUN = 0x02,
    UART_DAMAGED = 0x1c, /* parity, framing, a break; of the next byte */
    UART_EMPTY = 0x20,   /* nothing waits to be sent */

    UART_FIFO_BYTES = 16,
};

#endif
