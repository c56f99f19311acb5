/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's network card, a device (device.h) with the network behind it, and the one
 * that is virtio's.
 */
#include <linux/virtio_ids.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "tools/sim/virtio.h"

enum { QUEUE_TX = 1 };

static struct fake_frame sent;

static void nic_start(struct machine_device *d)
{
    if (!world.options.card_merge)
        d->virtio.offered &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
}

/* --- frames to the machine --- */

bool nic_is_there(void)
{
    return device_card();
}

void nic_receive(const struct frame *frame)
{
    struct machine_device *d = device_card();
    if (d)
        d->kind->receive(d, frame);
}

bool nic_rests(uint32_t *posted)
{
    const struct machine_device *d = device_card();
    return d && !world.count.lies && d->kind->rests(d, posted);
}

static void virtio_nic_receive(struct machine_device *d, const struct frame *frame)
{
    if (!virtio_ready(d, NIC_RECEIVE))
        return;
    function_repeat(&d->function);
    device_tempt(d);
    if (!fake_virtio_receive(&d->virtio, frame->bytes, frame->length, 0)) {
        world.count.congested++;
        return;
    }
    device_later(d, EVENT_RECEIVED);
}

static bool virtio_nic_rests(const struct machine_device *d, uint32_t *posted)
{
    const struct fake_queue *queue = &d->virtio.queue[NIC_RECEIVE];
    if (!virtio_ready(d, NIC_RECEIVE) || d->due >> EVENT_RECEIVED & 1 || queue->undecided ||
        d->function.lost)
        return false;
    const struct vring_avail *available = phys_to_virt(queue->avail);
    *posted = (uint16_t)(available->idx - queue->used_index);
    return true;
}

/* --- frames from it --- */

/* The driver left the checksum to the card (virtio 1.1, 5.1.6.2). */
static void checksum_complete(struct fake_frame *frame)
{
    uint32_t start = frame->header.csum_start, at = start + frame->header.csum_offset;
    if (!(frame->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || at + 2 > frame->length)
        return;
    uint32_t checksum = ~internet_sum(frame->data + start, frame->length - start, 0) & 0xffff;
    frame->data[at] = (uint8_t)(checksum >> 8);
    frame->data[at + 1] = (uint8_t)checksum;
}

static void nic_take(struct machine_device *d, const struct fake_chain *chain)
{
    fake_virtio_gather(&d->virtio, chain, &sent);
    checksum_complete(&sent);
    network_carry(sent.data, sent.length, false);
}

static uint32_t nic_finish(struct machine_device *d, const struct fake_chain *chain)
{
    (void)d;
    (void)chain;
    return 0; /* of a frame that was sent nothing is written */
}

/* --- lies --- */

/* Its address and its largest frame aren't what they were; the driver is told of a change. */
static void lie_about_configuration(struct machine_device *d)
{
    d->virtio.config.mac[random_below(6)] ^= (uint8_t)(1 + random_below(255));
    d->virtio.config.mtu = (uint16_t)random_below(65536);
    d->virtio.restless = (uint32_t)random_below(20);
    fake_virtio_set_link(&d->virtio, random_below(2));
}

enum { LIE_BUFFERS, LIE_LINK, LIE_CONFIGURATION, LIES };

static void nic_lie(struct machine_device *d, uint32_t n)
{
    if (n == LIE_BUFFERS)
        d->virtio.num_buffers_lie = (uint32_t)random_below(70000);
    else if (n == LIE_LINK)
        fake_virtio_set_link(&d->virtio, random_below(2));
    else
        lie_about_configuration(d);
}

static void nic_honest(struct machine_device *d)
{
    d->virtio.num_buffers_lie = d->virtio.restless = 0;
}

extern const struct virtio_kind nic_kind;
const struct virtio_kind nic_kind = {
    .device = {.interface = &virtio_interface,
               .vendor = 0x1af4,
               .id = 0x1041, /* modern */
               .type = VIRTIO_ID_NET,
               .vectors = 3,
               .hears_others = true,
               .receive = virtio_nic_receive,
               .rests = virtio_nic_rests},
    .queues = FAKE_QUEUES,
    .requests = QUEUE_TX,
    .lies = LIES,
    .at_once = true,
    .start = nic_start,
    .take = nic_take,
    .finish = nic_finish,
    .lie = nic_lie,
    .honest = nic_honest,
};
