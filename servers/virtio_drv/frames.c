/* SPDX-License-Identifier: ISC
 *
 * What a virtio network card's driver does for each frame (virtio 1.1, sections 5.1.6.2
 * to 5.1.6.4), compiled for speed. Called by virtio_drv.c. Refuses frames of impossible length.
 */
#include "motet/rare.h"
#include "servers/virtio_drv/virtio_drv.h"

/* Receiving */

/* Reads what the header before a frame says (5.1.6.4). It is the device's memory: each field is
 * read once. False: it contradicts the used ring, which has all buffers of a frame at once. */
static bool rx_begin(struct card *card, uint32_t index)
{
    const struct pool *rx = card->net->rx;
    const uint8_t vouched = VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID;
    card->parts_left = 1;
    card->part_flags = 0;
    if (!rx->base)
        return true;
    const struct virtio_net_hdr_v1 *header =
        (const void *)(rx->base + (uint64_t)index * rx->buffer_size);
    if (card_has(card, VIRTIO_NET_F_GUEST_CSUM) &&
        __atomic_load_n(&header->flags, __ATOMIC_RELAXED) & vouched)
        card->part_flags = NETDEV_RX_CSUM_OK;
    if (card_has(card, VIRTIO_NET_F_MRG_RXBUF))
        card->parts_left = __atomic_load_n(&header->num_buffers, __ATOMIC_RELAXED);
    return card->parts_left && card->parts_left <= virtqueue_pending(&card->rx.ring) + 1;
}

/* Hands over what is waiting in the receive queue. False: there isn't room for all of it. */
static bool rx_hand_over(struct card *card)
{
    struct netdev *net = card->net;
    struct virtqueue_used used;
    uint32_t room = 0;
    do {
        if (!room && !(room = netdev_room(net)))
            return false;
        if (!virtqueue_take(&card->rx.ring, &used))
            return true;
        const uint32_t skip = card->parts_left ? 0 : HEADER_BYTES;
        if (used.length <= skip || used.length > net->rx->buffer_size ||
            (skip && !rx_begin(card, used.token))) {
            virtqueue_fail(&card->rx.ring, "it received a frame of impossible length");
            return true;
        }
        card->parts_left--;
        netdev_received(net, card->interface, (uint16_t)used.token, (uint16_t)skip,
                        (uint16_t)(used.length - skip),
                        card->part_flags | (card->parts_left ? NETDEV_RX_CONTINUES : 0));
        room--;
    } while (virtqueue_waiting(&card->rx.ring));
    return true;
}

static void rx_refill(struct card *card)
{
    struct dma_segment segment = {.bytes = card->net->rx->buffer_size};
    uint16_t index;
    while (!virtqueue_full(&card->rx.ring) && netdev_buffer(card->net, card->interface, &index)) {
        segment.address = netdev_buffer_address(card->net, index);
        virtqueue_describe(virtqueue_put(&card->rx.ring, index), segment, VRING_DESC_F_WRITE);
    }
    card->driver.counters[RX_NOTIFIES] += virtio_device_show(&card->rx);
}

/* Empties the receive queue, without interrupts, and then asks for the next one. Without room the
 * frames stay with the device and the interrupt stays off: the client's doorbell brings us back. */
void frames_receive(struct card *card)
{
    struct virtqueue *ring = &card->rx.ring;
    do {
        if (!virtqueue_waiting(ring))
            continue; /* to the condition */
        virtqueue_disarm(ring);
        if (!rx_hand_over(card))
            break;
    } while (virtqueue_arm(ring, 1));
    DEBUG_ASSERT(virtqueue_check(ring));
    if (ring->fault)
        driver_fail(&card->driver, ring->fault);
    else
        rx_refill(card);
}

/* Sending */

/* Sent frames needn't interrupt: they are taken back with whatever happens next. Only when more
 * than half of the slots are out, one interrupt is asked for when three quarters of those are used.
 * So no more than half of the slots' buffers ever wait for something to happen: a pool with more
 * buffers than that can't run dry on an idle machine. True: there is something to take already. */
static bool tx_settle(struct card *card)
{
    struct virtqueue *ring = &card->tx.ring;
    const uint16_t outstanding = virtqueue_outstanding(ring);
    if (outstanding <= ring->slots / 2) {
        if (!card->tx_waiting)
            virtqueue_disarm(ring);
        return false;
    }
    return !virtqueue_armed(ring) && virtqueue_arm(ring, (uint16_t)(outstanding - outstanding / 4));
}

/* What a quick device has sent at once waits for the next round: to say so now would wake the
 * client for nothing else. */
void frames_send(struct card *card)
{
    struct virtqueue_used used;
    do {
        while (virtqueue_take(&card->tx.ring, &used))
            netdev_sent(card->net, (uint8_t)used.token);
        card->driver.counters[TX_NOTIFIES] += virtio_device_show(&card->tx);
    } while (tx_settle(card));
    DEBUG_ASSERT(virtqueue_check(&card->tx.ring));
    if (card->tx.ring.fault)
        driver_fail(&card->driver, card->tx.ring.fault);
}

_Static_assert((int)NETDEV_TX_CSUM == VIRTIO_NET_HDR_F_NEEDS_CSUM, "what both say of a frame");

/* False: the frame is held back until one fits. */
RARE static bool tx_make_room(struct card *card)
{
    card->tx_waiting = true;
    frames_send(card);
    return driver_runs(&card->driver) && !virtqueue_full(&card->tx.ring);
}

/* The header says what to do to the frame (5.1.6.2). */
static bool tx_put(const struct netdev_frame *frame)
{
    struct card *card = (struct card *)frame->driver;
    const struct netdev_tx *tx = frame->tx;
    struct virtio_net_hdr_v1 *header = &card->headers[frame->place];
    if (virtqueue_full(&card->tx.ring) && !tx_make_room(card))
        return false;
    card->tx_waiting = false;
    header->flags = (uint8_t)tx->flags;
    header->csum_start = tx->csum_start;
    header->csum_offset = tx->csum_offset;
    const uint64_t at = card->headers_address + frame->place * sizeof(*header);
    struct vring_desc *desc = virtqueue_put(&card->tx.ring, frame->place);
    virtqueue_describe(desc, (struct dma_segment){at, HEADER_BYTES}, VRING_DESC_F_NEXT);
    for (uint32_t i = 0; i < tx->segments; i++)
        virtqueue_describe(++desc, frame->segment[i], VRING_DESC_F_NEXT);
    desc->flags = 0;
    return true;
}

bool frames_message(void *state, struct conn *conn, const struct msg *m)
{
    struct netdev *net = &((struct virtio_drv *)state)->net;
    struct netdev_frame frame;
    return !netdev_receive(net, conn, m, &frame) || netdev_put(net, &frame, tx_put(&frame));
}
