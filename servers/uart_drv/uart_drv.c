/* SPDX-License-Identifier: ISC
 *
 * uart_drv: drives a serial port of a PC (16550: PC16550D's data sheet), at 115,200 bits per
 * second. libos/driver/console.c has the client's side. docs/uart_drv.md.
 *
 * The port's line is edge-triggered, and the device holds it as long as any cause that is enabled
 * is there. So each round ends with all causes disabled and those that matter enabled again: what
 * came meanwhile makes an edge. What can't be dealt with is not enabled: bytes that the client has
 * no room for stay in the device, which tells the other end by RTS; "nothing waits to be sent" is
 * of interest only while something does.
 */
#include "libos/driver/console.h"
#include "servers/uart_drv/registers.h"

enum {
    OUT_BYTES = 256,    /* to send: some messages of CONSOLE_DATA_MAX */
    DIVISOR = 1,        /* of 115,200 */
    LOOP_NS = 10000000, /* a byte takes 87 us */
    GONE = 0xff,        /* no status has all bits: without parity none is ever wrong */
    TEST_BYTES = 4,
};

struct uart_drv {
    struct driver driver;
    struct console console;
    struct uart_registers registers;
    bool damaged;            /* the next byte in the device is */
    uint32_t first, waiting; /* out[first], and how many from there on, round the end */
    uint8_t out[OUT_BYTES];
};

enum { COUNT_OVERRUNS = CONSOLE_COUNTERS, COUNT_DAMAGED, COUNTERS };

static struct uart_drv *uart_of(struct driver *driver)
{
    return (struct uart_drv *)driver;
}

/* To read the status forgets errors: they are remembered here. */
static uint8_t status_read(struct uart_drv *uart)
{
    const uint8_t status = uart_read_status(&uart->registers);
    if (status == GONE) {
        driver_fail(&uart->driver, "it is gone: all its status bits are set");
        return 0;
    }
    if (status & UART_OVERRUN)
        uart->driver.counters[COUNT_OVERRUNS]++;
    uart->damaged |= (status & UART_DAMAGED) != 0;
    return status;
}

/* A byte that came damaged is none. */
static uint32_t uart_read(struct driver *driver, uint8_t *bytes, uint32_t most)
{
    struct uart_drv *uart = uart_of(driver);
    uint32_t count = 0;
    for (uint32_t i = 0; i < most && status_read(uart) & UART_RECEIVED; i++) {
        bytes[count] = uart_read_data(&uart->registers);
        if (uart->damaged)
            driver->counters[COUNT_DAMAGED]++;
        else
            count++;
        uart->damaged = false;
    }
    return count;
}

static bool uart_write(struct driver *driver, const uint8_t *bytes, uint32_t count)
{
    struct uart_drv *uart = uart_of(driver);
    if (count > OUT_BYTES - uart->waiting)
        return false;
    for (uint32_t i = 0; i < count; i++)
        uart->out[(uart->first + uart->waiting++) % OUT_BYTES] = bytes[i];
    return true;
}

static const struct console_ops console_ops = {.write = uart_write, .read = uart_read};

/* What waits goes to the device: a FIFO full, when it is empty. */
static void uart_transmit(struct uart_drv *uart)
{
    while (uart->waiting && status_read(uart) & UART_EMPTY)
        for (uint32_t i = 0; i < UART_FIFO_BYTES && uart->waiting; i++) {
            uart_write_data(&uart->registers, uart->out[uart->first]);
            uart->first = (uart->first + 1) % OUT_BYTES;
            uart->waiting--;
        }
}

static void uart_enable(const struct uart_drv *uart)
{
    const bool room = conn_room(uart->console.conn);
    uart_write_modem(&uart->registers,
                     UART_MODEM_CONNECTS | (room ? UART_MODEM_READY : UART_MODEM_TERMINAL_READY));
    uart_write_interrupts(&uart->registers, 0);
    uart_write_interrupts(&uart->registers, (room ? UART_ON_RECEIVED | UART_ON_DAMAGED : 0) |
                                                (uart->waiting ? UART_ON_EMPTY : 0));
}

static void uart_round(struct driver *driver)
{
    struct uart_drv *uart = uart_of(driver);
    if (driver_runs(driver))
        uart_transmit(uart);
    console_round(driver, &uart->console);
    if (driver_runs(driver))
        uart_enable(uart);
}

/* What it wants is looked at in each round anyway. */
static void uart_interrupt(struct driver *driver, uint32_t vector)
{
    (void)driver;
    (void)vector;
}

/* No interrupt, and it is connected to none. */
static bool uart_silence(struct driver *driver)
{
    const struct uart_registers *registers = &uart_of(driver)->registers;
    uart_write_line(registers, UART_LINE_8N1); /* not the divisor in the interrupts' place */
    uart_write_interrupts(registers, 0);
    uart_write_modem(registers, 0);
    return uart_read_interrupts(registers) == 0;
}

static bool is_there(const struct uart_registers *registers)
{
    uart_write_scratch(registers, 0x5a);
    if (uart_read_scratch(registers) != 0x5a)
        return false;
    uart_write_scratch(registers, 0xa5);
    return uart_read_scratch(registers) == 0xa5;
}

/* What it sends comes back, while it is told so (8.6). */
static bool loop_test(struct uart_drv *uart)
{
    static const uint8_t test[TEST_BYTES] = {0x00, 0xff, 0x5a, 0xa5};
    const struct uart_registers *registers = &uart->registers;
    bool good = true;
    uart_write_modem(registers, UART_MODEM_LOOP);
    for (uint32_t i = 0; i < TEST_BYTES && good; i++) {
        uart_write_data(registers, test[i]);
        good = DRIVER_WAIT(&uart->driver, LOOP_NS, uart_read_status(registers) & UART_RECEIVED) &&
               uart_read_data(registers) == test[i];
    }
    uart_write_modem(registers, 0);
    return good;
}

static void speed_set(const struct uart_registers *registers)
{
    uart_write_line(registers, UART_LINE_8N1 | UART_LINE_DIVISOR);
    uart_write_data(registers, DIVISOR);
    uart_write_interrupts(registers, 0); /* its upper half */
    uart_write_line(registers, UART_LINE_8N1);
}

static enum error uart_open_console(struct driver *driver)
{
    return console_open(driver, &uart_of(driver)->console, &console_ops);
}

static enum error uart_start(struct driver *driver)
{
    struct uart_drv *uart = uart_of(driver);
    const uint8_t fifo = UART_FIFO_ON | UART_FIFO_CLEAR | UART_FIFO_HALF;
    enum error error = uart_open(&uart->registers, driver, 0, 0);
    if (error != OK)
        return error;
    if (!uart_silence(driver) || !is_there(&uart->registers))
        return driver_refuse(driver, "nobody answers at its ports (QEMU: a second -serial)");
    speed_set(&uart->registers);
    uart_write_fifo(&uart->registers, fifo);
    if ((uart_read_fifo(&uart->registers) & UART_FIFO_IS_ON) != UART_FIFO_IS_ON)
        return driver_refuse(driver, "it is older than a 16550A: it has no FIFO");
    if (!loop_test(uart))
        return driver_refuse(driver, "what it sends doesn't come back in its self-test");
    uart_write_fifo(&uart->registers, fifo); /* nothing of the test, nor of an earlier life */
    uart->damaged = false;
    uart->first = uart->waiting = 0;
    uart_enable(uart);
    return OK;
}

static bool uart_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct uart_drv *uart = state;
    (void)conn; /* there is one */
    return console_receive(&uart->driver, &uart->console, m);
}

static const struct driver_ops ops = {
    .what = "serial port (manifest: isa = \"com2\")",
    .vendor = DEVICE_VENDOR_PNP,
    .id = 0x0501, /* PNP0501: a 16550A */
    .vectors = 1,
    .open = uart_open_console,
    .start = uart_start,
    .interrupt = uart_interrupt,
    .round = uart_round,
    .silence = uart_silence,
};

static const char *const counters[COUNTERS] = {
    CONSOLE_COUNTER_NAMES, [COUNT_OVERRUNS] = "rx_overruns", [COUNT_DAMAGED] = "rx_damaged"};

DRIVER(uart_drv, struct uart_drv, ops, counters, .ports = console_ports, .port_count = 1,
       .receive = uart_receive);
