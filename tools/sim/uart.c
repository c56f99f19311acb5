/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's second serial port: the model of the unit tests, at 115,200 bits per
 * second, on an edge-triggered line. At its other end somebody sends back each byte that comes,
 * while RTS says that it may and the port has room: so of an honest line no byte is lost.
 *
 * It lies in what a driver can notice and a client is told of: bytes come damaged, or not at all,
 * or for nothing, or the port is gone.
 */
#include "kernel/arch/sim/machine.h"
#include "tests/unit/fake_uart.h"
#include "tools/sim/legacy.h"
#include "tools/sim/world.h"

enum {
    LINE = 3, /* of the interrupt controller */
    BYTE_TICKS = 87000,
    WIRE_BYTES = 512, /* on their way to the other end and back; then the port doesn't send */
    NOISE_MOST = 40,
    MODEM_RTS = 0x02,
    DAMAGED = 0x08, /* its stop bit is missing */
};

static struct fake_uart port;
static struct {
    uint8_t byte[WIRE_BYTES];
    uint32_t first, count;
    bool due; /* an event is on its way */
    bool damages;
} wire;

static bool is_heard(void)
{
    return (port.modem & MODEM_RTS) && wire.count && port.rx.count < FAKE_UART_FIFO;
}

static bool has_more(void)
{
    return (port.tx.count && wire.count < WIRE_BYTES) || is_heard();
}

/* What has changed interrupts, and goes on in a while. */
static void changed(void)
{
    if (port.edges && sim.pin[LINE].open)
        interrupt_raise((uint32_t)sim.pin[LINE].vector);
    port.edges = 0;
    if (wire.due || !has_more())
        return;
    wire.due = true;
    legacy_later(&uart_kind, BYTE_TICKS * (1 + random_below(FAKE_UART_FIFO)));
}

/* --- lies --- */

enum { LIE_DAMAGE, LIE_LOSS, LIE_NOISE, LIE_EDGE, LIE_GONE, LIES };

static void wire_drop(void)
{
    wire.first = (wire.first + 1) % WIRE_BYTES;
    wire.count--;
}

static void tempt(void)
{
    if (!chance(world.options.card_lies))
        return;
    world.count.lies++;
    switch (random_below(LIES)) {
    case LIE_DAMAGE:
        wire.damages = true;
        break;
    case LIE_LOSS:
        if (wire.count)
            wire_drop();
        break;
    case LIE_NOISE:
        port.noise = (uint32_t)random_below(NOISE_MOST);
        break;
    case LIE_EDGE:
        port.edges++;
        break;
    default:
        port.absent = true;
    }
}

static void uart_honest(void)
{
    port.absent = wire.damages = false;
    port.noise = 0;
}

/* --- the line --- */

static void bytes_go(void)
{
    uint8_t sent[FAKE_UART_FIFO];
    const uint32_t room = WIRE_BYTES - wire.count;
    const uint32_t count = fake_uart_go(&port, sent, room < sizeof(sent) ? room : sizeof(sent));
    for (uint32_t i = 0; i < count; i++)
        wire.byte[(wire.first + wire.count++) % WIRE_BYTES] = sent[i];
}

static void bytes_come(void)
{
    for (uint64_t most = 1 + random_below(FAKE_UART_FIFO); most && is_heard(); most--) {
        fake_uart_come(&port, wire.byte[wire.first], wire.damages ? DAMAGED : 0);
        wire.damages = false;
        wire_drop();
    }
}

static void uart_event(void)
{
    wire.due = false;
    tempt();
    bytes_go();
    bytes_come();
    changed();
}

/* --- ports --- */

static uint32_t uart_in(uint32_t offset)
{
    const uint32_t value = port.model.read(&port.model, offset, 1);
    changed();
    return value;
}

static void uart_out(uint32_t offset, uint32_t value)
{
    port.model.write(&port.model, offset, 1, value);
    changed();
}

static void uart_start(void)
{
    fake_uart_init(&port);
    wire.first = wire.count = 0;
    wire.due = wire.damages = false;
}

const struct legacy_kind uart_kind = {
    .port = 0x2f8,
    .ports = 8,
    .start = uart_start,
    .in = uart_in,
    .out = uart_out,
    .event = uart_event,
    .honest = uart_honest,
};
