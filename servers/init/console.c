/* SPDX-License-Identifier: ISC
 *
 * The console: the first serial port (16550), by way of the I/O port capability. init is its one
 * owner; all text passes through here.
 */
#include <stdarg.h>

#include "libos/format.h"
#include "libos/kernel.h"
#include "libos/syscall.h"
#include "libos/uart_16550.h"
#include "servers/init/init.h"

enum {
    UART = 0x3f8,
    UART_PIN = 4,      /* I/O APIC input of ISA interrupt 4 */
    WAIT_LOOKS = 1000, /* a dead port doesn't stop init */
    LINE_BYTES = 256,
    DEBUG_EXIT = 0xf4, /* QEMU's isa-debug-exit, if the machine has it */
    RESET_CONTROL = 0xcf9,
};

static uint64_t port_in(uint64_t port)
{
    struct invoked result = {{0}};
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_in, port, 1, 0, 0, 0, &result);
    return result.a[0];
}

static void port_out(uint64_t port, uint64_t value)
{
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, port, 1, value, 0, 0, NULL);
}

static void write_text(const char *text)
{
    unsigned room = 0;
    for (; *text; text++) {
        for (int i = 0; room == 0 && i < WAIT_LOOKS; i++)
            if (port_in(UART + UART_STATUS) & UART_EMPTY)
                room = UART_FIFO_BYTES;
        port_out(UART + UART_DATA, (uint8_t)*text);
        if (room)
            room--;
    }
}

void console_start(struct init *init)
{
    uint32_t irq = slot_new(init);
    uint32_t vector = init->next_vector++;
    enum error error = sys_invoke(INIT_IRQS, OPERATION_irq_derive, vector, irq, 0, 0, 0, NULL);
    if (!error)
        error = sys_invoke(irq, OPERATION_irq_bind, init->port, CONSOLE_BIT, UART_PIN, 0, 0, NULL);
    if (error)
        console_print("init: no console input: %s", error_text(error));
    port_out(UART + UART_FIFO, UART_FIFO_ON);
    port_out(UART + UART_MODEM, UART_MODEM_READY | UART_MODEM_CONNECTS);
    port_out(UART + UART_INTERRUPTS, UART_ON_RECEIVED);
}

int console_read(void)
{
    if (!(port_in(UART + UART_STATUS) & UART_RECEIVED))
        return -1;
    return (int)port_in(UART + UART_DATA);
}

void console_line(const char *name, const char *line)
{
    write_text(name);
    write_text(": ");
    write_text(line);
    write_text("\r\n");
    if (console_keep)
        console_keep(name, line);
}

void console_print(const char *text, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, text);
    format(line, sizeof(line), text, arguments);
    va_end(arguments);
    write_text(line);
    write_text("\r\n");
    if (console_keep)
        console_keep(NULL, line);
}

void init_fail(const char *text, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, text);
    format(line, sizeof(line), text, arguments);
    va_end(arguments);
    console_line("init: boot failed", line);
    port_out(DEBUG_EXIT, 1);
    port_out(RESET_CONTROL, 0x06);
    kernel_stop(STOP_INIT);
}
