/* SPDX-License-Identifier: ISC
 *
 * See fake_uart.h. Numbers are the data sheet's, not the driver's names for them.
 */
#include "tests/unit/fake_uart.h"

#include <assert.h>
#include <string.h>

enum { NONE = 0x01, LINE_STATUS = 0x06, RECEIVED = 0x04, EMPTY = 0x02 };

/* The first cause, in the order of table III. */
static uint8_t cause(const struct fake_uart *uart)
{
    if ((uart->enabled & 0x04) && ((uart->status & 0x1e) || (uart->rx.count && uart->rx.error[0])))
        return LINE_STATUS;
    if ((uart->enabled & 0x01) && uart->rx.count)
        return RECEIVED;
    return (uart->enabled & 0x02) && uart->sent ? EMPTY : NONE;
}

/* OUT2 connects the line; in the loop it doesn't. */
static void line_update(struct fake_uart *uart)
{
    const bool high =
        cause(uart) != NONE && (uart->modem & 0x08) && !(uart->modem & 0x10) && !uart->absent;
    if (high && !uart->high)
        uart->edges++;
    uart->high = high;
}

static void push(struct fake_uart *uart, struct fake_uart_fifo *fifo, uint8_t byte, uint8_t error)
{
    if (fifo->count == FAKE_UART_FIFO) {
        uart->status |= 0x02;
        uart->lost++;
        return;
    }
    fifo->byte[fifo->count] = byte;
    fifo->error[fifo->count++] = error;
}

static uint8_t pop(struct fake_uart_fifo *fifo)
{
    const uint8_t byte = fifo->byte[0];
    assert(fifo->count);
    fifo->count--;
    memmove(fifo->byte, fifo->byte + 1, fifo->count);
    memmove(fifo->error, fifo->error + 1, fifo->count);
    return byte;
}

static uint8_t received_take(struct fake_uart *uart)
{
    const uint8_t byte = pop(&uart->rx);
    if (uart->noise) {
        uart->noise--;
        push(uart, &uart->rx, 0, 0x08);
    }
    return byte;
}

static uint8_t status_take(struct fake_uart *uart)
{
    uint8_t status = uart->status | (uart->rx.count ? 0x01 | uart->rx.error[0] : 0);
    if (!uart->tx.count)
        status |= 0x60;
    uart->status = 0;
    uart->rx.error[0] = 0;
    return status;
}

static uint32_t uart_get(struct fake_uart *uart, uint32_t offset)
{
    const bool divisor = uart->line & 0x80;
    uint8_t was;
    switch (offset) {
    case 0:
        return divisor ? uart->divisor[0] : uart->rx.count ? received_take(uart) : 0;
    case 1:
        return divisor ? uart->divisor[1] : uart->enabled;
    case 2:
        was = cause(uart);
        if (was == EMPTY)
            uart->sent = false;
        return was | (uart->fifo_on && !uart->no_fifo ? 0xc0u : 0);
    case 3:
        return uart->line;
    case 4:
        return uart->modem;
    case 5:
        return status_take(uart);
    case 7:
        return uart->scratch;
    default:
        return 0;
    }
}

static void send(struct fake_uart *uart, uint8_t byte)
{
    uart->sent = false;
    if (!(uart->modem & 0x10)) {
        assert(uart->tx.count < FAKE_UART_FIFO); /* more than it has room for */
        push(uart, &uart->tx, byte, 0);
        return;
    }
    if (!uart->deaf)
        push(uart, &uart->rx, uart->mad ? byte ^ 1 : byte, 0);
    uart->sent = true;
}

static void fifo_control(struct fake_uart *uart, uint8_t value)
{
    uart->fifo_on = value & 0x01;
    if (value & 0x02)
        uart->rx.count = 0;
    if (value & 0x04)
        uart->tx.count = 0;
}

static void uart_put(struct fake_uart *uart, uint32_t offset, uint8_t value)
{
    const bool divisor = uart->line & 0x80;
    if (offset <= 1 && divisor) {
        uart->divisor[offset] = value;
        return;
    }
    switch (offset) {
    case 0:
        send(uart, value);
        break;
    case 1: /* what is newly enabled and there already, interrupts */
        if (value & ~uart->enabled & 0x02)
            uart->sent = !uart->tx.count;
        uart->enabled = value & 0x0f;
        break;
    case 2:
        fifo_control(uart, value);
        break;
    case 3:
        uart->line = value;
        break;
    case 4:
        uart->modem = value & 0x1f;
        break;
    case 7:
        uart->scratch = value;
        break;
    default:
        assert(!"a register that is read-only");
    }
}

static uint32_t uart_in(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_uart *uart = (struct fake_uart *)model;
    assert(offset < 8 && bytes == 1);
    if (uart->absent)
        return 0xff;
    uint32_t value = uart_get(uart, offset);
    line_update(uart);
    return value;
}

static void uart_out(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct fake_uart *uart = (struct fake_uart *)model;
    assert(offset < 8 && bytes == 1 && value < 256);
    if (uart->absent)
        return;
    uart_put(uart, offset, (uint8_t)value);
    line_update(uart);
}

void fake_uart_init(struct fake_uart *uart)
{
    memset(uart, 0, sizeof(*uart));
    uart->model = (struct device_model){uart_in, uart_out};
    uart->enabled = 0x0f;
    uart->modem = 0x0b;
    fake_uart_come(uart, 'x', 0x08);
    uart->edges = 0;
}

void fake_uart_come(struct fake_uart *uart, uint8_t byte, uint8_t error)
{
    push(uart, &uart->rx, byte, error);
    line_update(uart);
}

uint32_t fake_uart_go(struct fake_uart *uart, uint8_t *bytes, uint32_t most)
{
    uint32_t count = 0;
    while (count < most && uart->tx.count)
        bytes[count++] = pop(&uart->tx);
    if (count && !uart->tx.count)
        uart->sent = true;
    line_update(uart);
    return count;
}
