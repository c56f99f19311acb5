/* SPDX-License-Identifier: ISC
 *
 * 16550 output (PC16550D data sheet), and the ways to end a machine.
 */
#include "kernel/arch/x86_64/uart.h"

#include "kernel/arch.h"
#include "kernel/arch/x86_64/instructions.h"

enum {
    UART_DATA = 0x3f8,
    UART_INTERRUPTS = 0x3f9,
    UART_FIFO = 0x3fa,
    UART_LINE = 0x3fb,
    UART_MODEM = 0x3fc,
    UART_STATUS = 0x3fd,
    UART_EMPTY = 0x20,
    DEBUG_EXIT = 0xf4,
    DEBUG_EXIT_PANIC = 0x7f, /* QEMU's exit status becomes 255 */
    RESET_CONTROL = 0xcf9,
    KEYBOARD_COMMAND = 0x64,
    WAIT_LOOKS = 100000, /* a dead port must not hang the kernel */
};

void uart_start(void)
{
    out8(UART_INTERRUPTS, 0);
    out8(UART_LINE, 0x80); /* divisor latch */
    out8(UART_DATA, 1);    /* 115200 baud */
    out8(UART_INTERRUPTS, 0);
    out8(UART_LINE, 0x03); /* 8 bits, no parity, 1 stop bit */
    out8(UART_FIFO, 0x07); /* on and cleared */
    out8(UART_MODEM, 0x0b);
}

static void put(char c)
{
    for (int i = 0; i < WAIT_LOOKS && !(in8(UART_STATUS) & UART_EMPTY); i++)
        ;
    out8(UART_DATA, (uint8_t)c);
}

void arch_console_write(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            put('\r');
        put(*text);
    }
}

void machine_reset(void)
{
    out8(DEBUG_EXIT, DEBUG_EXIT_PANIC);
    out8(RESET_CONTROL, 0x06);
    out8(KEYBOARD_COMMAND, 0xfe);
    /* A machine that knows none of these: an exception without a table to handle it. */
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_gates = {0, 0};
    for (;;)
        __asm__ volatile("cli; lidt %0; int3" : : "m"(no_gates));
}
