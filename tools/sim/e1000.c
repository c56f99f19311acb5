/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's other network card: Intel's, a device (device.h) with the model of the
 * unit tests and nothing but a pin to interrupt by. Frames that it is shown it sends later, some at
 * a time; of those that it has received it says so later.
 *
 * It lies in what a driver can notice: a frame that a driver is told of is one that it gave a
 * buffer for, so that whoever goes on after a lie can.
 */
#include <linux/virtio_ids.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "tools/sim/device.h"

enum {
    BAR_BYTES = 0x10000,
    SENT_MOST = 8, /* frames at once */
    ENTRY_BYTES = sizeof(struct rx_entry),
};

static uint8_t sent[FAKE_E1000_FRAME];

static bool is_receiving(const struct machine_device *d)
{
    return d->e1000.rx_control & RX_ENABLE;
}

/* --- frames --- */

static void e1000_receive(struct machine_device *d, const struct frame *frame)
{
    if (!is_receiving(d))
        return;
    device_tempt(d);
    const uint32_t causes = d->e1000.causes;
    if (!fake_e1000_receive(&d->e1000, frame->bytes, frame->length, frame->length,
                            RX_DONE | RX_END)) {
        world.count.congested++;
        d->e1000.causes |= CAUSE_RX_OVERRUN;
        return;
    }
    d->e1000.causes = causes;
    device_later(d, EVENT_RECEIVED);
}

static bool e1000_rests(const struct machine_device *d, uint32_t *posted)
{
    const struct fake_e1000 *e1000 = &d->e1000;
    if (!is_receiving(d) || d->due >> EVENT_RECEIVED & 1 || fake_e1000_interrupts(e1000))
        return false;
    *posted = e1000->rx_tail - e1000->rx_head;
    if (e1000->rx_tail < e1000->rx_head)
        *posted += e1000->rx_bytes / ENTRY_BYTES;
    return true;
}

static bool is_sending(const struct machine_device *d)
{
    return (d->e1000.tx_control & TX_ENABLE) && d->e1000.tx_head != d->e1000.tx_tail;
}

static void frames_send(struct machine_device *d)
{
    uint32_t frames = 1 + (uint32_t)random_below(SENT_MOST), length;
    while (frames-- && (length = fake_e1000_transmit(&d->e1000, sent))) {
        device_tempt(d);
        network_carry(sent, length, false);
    }
}

/* --- lies --- */

enum {
    LIE_LENGTH,
    LIE_PARTS, /* a frame that goes on in the next buffer */
    LIE_LINK,
    LIE_CAUSES,
    LIE_SENT, /* a frame that it hasn't sent */
    LIES
};

static void lie_about_a_frame(struct machine_device *d, uint32_t length, uint8_t status)
{
    uint8_t bytes[64];
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)random_below(256);
    fake_e1000_receive(&d->e1000, bytes, sizeof(bytes), length, status);
}

static void e1000_mischief(struct machine_device *d)
{
    if (!is_receiving(d))
        return;
    world.count.lies++;
    switch (random_below(LIES)) {
    case LIE_LENGTH:
        lie_about_a_frame(d, (uint32_t)random_below(random_below(2) ? 65536 : 20),
                          RX_DONE | RX_END);
        break;
    case LIE_PARTS:
        lie_about_a_frame(d, 64, RX_DONE);
        break;
    case LIE_LINK:
        fake_e1000_set_link(&d->e1000, random_below(2));
        break;
    case LIE_CAUSES:
        d->e1000.causes |= (uint32_t)random_below(0x20000);
        break;
    default:
        fake_e1000_transmit(&d->e1000, sent);
    }
}

static void e1000_honest(struct machine_device *d)
{
    fake_e1000_set_link(&d->e1000, true);
}

/* --- the device --- */

static void e1000_event(struct machine_device *d, enum event_kind kind)
{
    if (kind == EVENT_RECEIVED)
        d->e1000.causes |= CAUSE_RX;
    else
        frames_send(d);
    if (is_sending(d))
        device_later(d, EVENT_TAKE);
}

static void e1000_written(struct machine_device *d)
{
    if (is_sending(d))
        device_later(d, EVENT_TAKE);
}

static struct device_model *e1000_model(struct machine_device *d)
{
    return &d->e1000.model;
}

static uint32_t e1000_messages(struct machine_device *d)
{
    (void)d;
    return 0; /* it has its pin */
}

static bool e1000_pin(const struct machine_device *d)
{
    return fake_e1000_interrupts(&d->e1000);
}

static void e1000_start(struct machine_device *d)
{
    fake_e1000_init(&d->e1000, &d->function.device);
    fake_e1000_grant_at(&d->e1000, SIM_MEMORY_FIRST, sim_memory, sim_pages * PAGE_BYTES);
}

static const struct device_interface e1000_interface = {
    .registers = {.bytes = BAR_BYTES},
    .start = e1000_start,
    .model = e1000_model,
    .written = e1000_written,
    .messages = e1000_messages,
    .pin = e1000_pin,
    .event = e1000_event,
    .mischief = e1000_mischief,
    .honest = e1000_honest,
};

extern const struct device_kind e1000_kind;
const struct device_kind e1000_kind = {
    .interface = &e1000_interface,
    .vendor = 0x8086,
    .id = 0x100e,
    .type = VIRTIO_ID_NET,
    .receive = e1000_receive,
    .rests = e1000_rests,
};
