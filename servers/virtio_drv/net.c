/* SPDX-License-Identifier: ISC
 *
 * Virtio network devices: see net.h. Called by virtio_drv.c. Refuses legacy devices and whatever a
 * device offers, configures or uses that contradicts the specification (virtio 1.1; the section is
 * named at each step).
 */
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "servers/virtio_drv/net.h"

enum { QUEUE_RX = 0, QUEUE_TX = 1 }; /* 5.1.2 */

enum {
    MTU_MIN = 68,          /* bytes, 5.1.4.1 */
    CONFIG_READS_MAX = 8,  /* a configuration that changes as often in a row is refused */
    QUEUE_ENTRIES_MIN = 4, /* one frame to send */
};

static const struct {
    uint8_t bit;
    char name[11]; /* empty: not worth a line in the log */
} wanted[] = {
    {VIRTIO_NET_F_CSUM, "csum"},
    {VIRTIO_NET_F_GUEST_CSUM, "guest_csum"},
    {VIRTIO_NET_F_MTU, ""},
    {VIRTIO_NET_F_MAC, ""},
    {VIRTIO_NET_F_MRG_RXBUF, "mrg_rxbuf"},
    {VIRTIO_NET_F_STATUS, ""},
    {VIRTIO_RING_F_EVENT_IDX, "event_idx"},
    {VIRTIO_F_VERSION_1, ""},
    {VIRTIO_F_ACCESS_PLATFORM, "iommu"},
    {VIRTIO_F_ORDER_PLATFORM, ""}, /* our barriers do for real hardware too (6.1) */
};
enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };

static uint64_t feature_bit(uint32_t feature)
{
    return 1ull << feature;
}

/* Without the right to read the receive pool there are no headers to learn anything from. */
static uint64_t features_usable(const struct pool *rx_pool)
{
    uint64_t usable = 0;
    for (uint32_t i = 0; i < WANTED; i++)
        usable |= feature_bit(wanted[i].bit);
    if (!(rx_pool->rights & POOL_READ))
        usable &= ~(feature_bit(VIRTIO_NET_F_GUEST_CSUM) | feature_bit(VIRTIO_NET_F_MRG_RXBUF));
    return usable;
}

void net_features_text(const struct net *net, char text[NET_FEATURES_TEXT])
{
    for (uint32_t i = 0; i < WANTED; i++) {
        if (!wanted[i].name[0] || !net_has(net, wanted[i].bit))
            continue;
        *text++ = ' ';
        size_t length = strlen(wanted[i].name);
        memcpy(text, wanted[i].name, length);
        text += length;
    }
    *text = 0;
}

static enum error net_refuse(struct net *net, const char *why)
{
    net->fault = why;
    return ERROR_BAD_STATE;
}

/* 3.1.1, steps 1 to 3: reset, "we have noticed the device", "we know how to drive it". */
static enum error net_greet(struct net *net)
{
    if (!virtio_reset(&net->virtio))
        return net_refuse(net, "it doesn't reset");
    virtio_add_status(&net->virtio, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    virtio_add_status(&net->virtio, VIRTIO_CONFIG_S_DRIVER);
    return OK;
}

/* 3.1.1, steps 4 to 6: the features that both sides have; the device may still say no. */
static enum error net_negotiate(struct net *net)
{
    net->features = virtio_offered(&net->virtio) & features_usable(net->rx_pool);
    if (!net_has(net, VIRTIO_F_VERSION_1))
        return net_refuse(net, "it doesn't offer VERSION_1");
    virtio_accept(&net->virtio, net->features);
    virtio_add_status(&net->virtio, VIRTIO_CONFIG_S_FEATURES_OK);
    if (!(virtio_status(&net->virtio) & VIRTIO_CONFIG_S_FEATURES_OK))
        return net_refuse(net, "it refuses our features");
    return OK;
}

static uint16_t config_read16(const struct net *net, size_t field)
{
    const struct virtio_region *config = &net->virtio.config;
    return device_read16(config->bar, config->offset + (uint32_t)field);
}

#define CONFIG(field) offsetof(struct virtio_net_config, field)

/* The fields that the negotiated features make valid (5.1.4). */
static uint32_t config_bytes(const struct net *net)
{
    if (net_has(net, VIRTIO_NET_F_MTU))
        return CONFIG(mtu) + sizeof(uint16_t);
    if (net_has(net, VIRTIO_NET_F_STATUS))
        return CONFIG(status) + sizeof(uint16_t);
    return net_has(net, VIRTIO_NET_F_MAC) ? ETH_ALEN : 0;
}

static void config_read_once(struct net *net)
{
    const struct virtio_region *config = &net->virtio.config;
    if (net_has(net, VIRTIO_NET_F_MAC))
        for (uint32_t i = 0; i < ETH_ALEN; i++)
            net->mac[i] = device_read8(config->bar, config->offset + i);
    if (net_has(net, VIRTIO_NET_F_STATUS))
        net->link_up = config_read16(net, CONFIG(status)) & VIRTIO_NET_S_LINK_UP;
    if (net_has(net, VIRTIO_NET_F_MTU))
        net->mtu = config_read16(net, CONFIG(mtu));
}

/* 2.4.1: several fields belong together only if the generation was the same before and after. */
static bool config_read(struct net *net)
{
    for (uint32_t i = 0; i < CONFIG_READS_MAX; i++) {
        uint32_t generation = virtio_generation(&net->virtio);
        config_read_once(net);
        if (virtio_generation(&net->virtio) == generation)
            return true;
    }
    return false;
}

static enum error net_configure(struct net *net, uint64_t random)
{
    memcpy(net->mac, &random, ETH_ALEN);
    net->mac[0] = (net->mac[0] & 0xfc) | 2; /* one host, locally administered (IEEE 802, 8.4) */
    net->link_up = true;                    /* without STATUS it always is (5.1.4.2) */
    net->mtu = ETH_DATA_LEN;
    if (config_bytes(net) > net->virtio.config.length)
        return net_refuse(net, "its configuration is too short");
    if (!config_read(net))
        return net_refuse(net, "its configuration doesn't keep still");
    if (net->mtu < MTU_MIN)
        return net_refuse(net, "its MTU is impossible");
    if (net->mac[0] & 1)
        return net_refuse(net, "its MAC address is a group's");
    /* 5.1.6.3.1: a frame that can't be spread must fit one buffer. */
    if (!net_has(net, VIRTIO_NET_F_MRG_RXBUF) &&
        net->rx_pool->buffer_size < NET_HEADER_BYTES + ETH_HLEN + (uint32_t)net->mtu)
        return net_refuse(net, "its MTU is larger than a receive buffer, and it can't merge them");
    return OK;
}

static uint32_t align(uint32_t bytes)
{
    return (bytes + VIRTQUEUE_ALIGN - 1) & ~(uint32_t)(VIRTQUEUE_ALIGN - 1);
}

/* The largest power of two up to both. */
static uint32_t entries_choose(uint32_t entries, uint32_t offered)
{
    while (entries > offered)
        entries /= 2;
    return entries;
}

struct net_layout net_layout(uint32_t rx_entries, uint32_t tx_entries)
{
    struct net_layout layout = {.tx = align(virtqueue_bytes(rx_entries))};
    layout.headers = layout.tx + align(virtqueue_bytes(tx_entries));
    layout.bytes = layout.headers + (tx_entries >> NET_TX_SHIFT) * NET_HEADER_BYTES;
    return layout;
}

/* Lays both queues and the transmit headers out in the memory; all of it is cleared, so a restart
 * is a first start. */
static enum error net_place_queues(struct net *net, const struct net_setup *setup)
{
    uint32_t rx = entries_choose(NET_RX_ENTRIES, virtio_queue_size(&net->virtio, QUEUE_RX));
    uint32_t tx = entries_choose(NET_TX_ENTRIES, virtio_queue_size(&net->virtio, QUEUE_TX));
    if (rx < QUEUE_ENTRIES_MIN || tx < QUEUE_ENTRIES_MIN)
        return net_refuse(net, "its queues are missing or too small");
    while (net_layout(rx, tx).bytes > setup->bytes && rx > QUEUE_ENTRIES_MIN &&
           tx > QUEUE_ENTRIES_MIN)
        rx /= 2, tx /= 2;
    const struct net_layout layout = net_layout(rx, tx);
    if (layout.bytes > setup->bytes)
        return net_refuse(net, "pool \"queues\" has too small buffers (16 KiB are enough)");
    memset(setup->memory, 0, setup->bytes);
    bool event_idx = net_has(net, VIRTIO_RING_F_EVENT_IDX);
    virtqueue_init(&net->rx, setup->memory, rx, 0, event_idx);
    virtqueue_init(&net->tx, setup->memory + layout.tx, tx, NET_TX_SHIFT, event_idx);
    net->headers = (void *)(setup->memory + layout.headers);
    return OK;
}

/* What stays the same in each descriptor is written once: the device only reads them. */
static void net_fill_descriptors(struct net *net, const struct net_setup *setup)
{
    for (uint32_t i = 0; i < net->rx.ring.num; i++)
        net->rx.ring.desc[i] =
            (struct vring_desc){.len = net->rx_pool->buffer_size, .flags = VRING_DESC_F_WRITE};
    for (uint32_t slot = 0; slot < net->tx.slots; slot++) {
        struct vring_desc *chain = virtqueue_chain(&net->tx, slot);
        uint64_t offset = (uint64_t)((uint8_t *)&net->headers[slot] - setup->memory);
        for (uint32_t i = 0; i < NET_TX_CHAIN; i++)
            chain[i].next = (uint16_t)((slot << NET_TX_SHIFT) + i + 1);
        chain[0].addr = setup->physical + offset;
        chain[0].len = NET_HEADER_BYTES;
        chain[0].flags = VRING_DESC_F_NEXT;
    }
}

static bool net_start_queue(struct net *net, const struct net_setup *setup, uint16_t index,
                            uint16_t vector)
{
    const struct vring *ring = index == QUEUE_RX ? &net->rx.ring : &net->tx.ring;
    uint64_t base = setup->physical - (uintptr_t)setup->memory;
    struct virtio_queue queue = {.index = index,
                                 .size = (uint16_t)ring->num,
                                 .vector = vector,
                                 .desc = base + (uintptr_t)ring->desc,
                                 .avail = base + (uintptr_t)ring->avail,
                                 .used = base + (uintptr_t)ring->used};
    return virtio_queue_start(&net->virtio, &queue,
                              index == QUEUE_RX ? &net->rx_doorbell : &net->tx_doorbell);
}

/* 3.1.1, step 7: interrupts and queues (4.1.5.1). With fewer than three vectors the last ones are
 * shared. */
static enum error net_connect(struct net *net, const struct net_setup *setup)
{
    enum error error = net_place_queues(net, setup);
    if (error != OK)
        return error;
    net_fill_descriptors(net, setup);
    uint8_t last = (uint8_t)(setup->device->vectors - 1);
    net->config_vector = last < 2 ? last : 2;
    if (!virtio_set_config_vector(&net->virtio, net->config_vector) ||
        !net_start_queue(net, setup, QUEUE_RX, 0) ||
        !net_start_queue(net, setup, QUEUE_TX, last < 1 ? last : 1))
        return net_refuse(net, "it refuses a queue or an interrupt vector");
    return OK;
}

enum error net_start(struct net *net, const struct net_setup *setup)
{
    memset(net, 0, sizeof(*net));
    net->number = setup->number;
    net->rx_pool = setup->rx_pool;
    net->sendable = setup->sendable;
    const char *why = virtio_find(&net->virtio, setup->device, VIRTIO_ID_NET);
    if (why)
        return net_refuse(net, why);
    enum error error = net_greet(net);
    if (error == OK)
        error = net_negotiate(net);
    if (error == OK)
        error = net_configure(net, setup->random);
    if (error == OK)
        error = net_connect(net, setup);
    if (error != OK) {
        virtio_add_status(&net->virtio, VIRTIO_CONFIG_S_FAILED); /* 3.1.1, last sentence */
        return error;
    }
    virtio_add_status(&net->virtio, VIRTIO_CONFIG_S_DRIVER_OK); /* step 8 */
    net->state = NET_RUNNING;
    return OK;
}

bool net_link_changed(struct net *net)
{
    if (virtio_status(&net->virtio) & VIRTIO_CONFIG_S_NEEDS_RESET) {
        net->fault = "it asks for a reset"; /* 2.1.2 */
        return false;
    }
    if (!net_has(net, VIRTIO_NET_F_STATUS))
        return false;
    /* One 16-bit field: read at once (2.4.1). */
    bool up = config_read16(net, CONFIG(status)) & VIRTIO_NET_S_LINK_UP;
    bool changed = up != net->link_up;
    net->link_up = up;
    return changed;
}

/* Reads what the header before a frame says (5.1.6.4). It is the device's memory: each field is
 * read once. False: it contradicts the used ring, which has all buffers of a frame at once. */
static bool net_rx_begin(struct net *net, uint32_t index)
{
    net->parts_left = 1;
    net->part_flags = 0;
    if (!net->rx_pool->base)
        return true;
    const uint8_t *buffer = net->rx_pool->base + (uint64_t)index * net->rx_pool->buffer_size;
    const struct virtio_net_hdr_v1 *header = (const void *)buffer;
    const uint8_t vouched = VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID;
    if (net_has(net, VIRTIO_NET_F_GUEST_CSUM) &&
        __atomic_load_n(&header->flags, __ATOMIC_RELAXED) & vouched)
        net->part_flags = NETDEV_RX_CSUM_OK;
    if (net_has(net, VIRTIO_NET_F_MRG_RXBUF))
        net->parts_left = __atomic_load_n(&header->num_buffers, __ATOMIC_RELAXED);
    return net->parts_left && net->parts_left <= virtqueue_pending(&net->rx) + 1;
}

bool net_rx_take(struct net *net, struct netdev_rx *rx)
{
    struct virtqueue_used used;
    if (!virtqueue_take(&net->rx, &used))
        return false;
    *rx = (struct netdev_rx){
        .interface = net->number,
        .data = {.pool = net->rx_pool->number, .index = (uint16_t)used.token},
    };
    uint32_t skip = net->parts_left ? 0 : NET_HEADER_BYTES;
    if (used.length <= skip || used.length > net->rx_pool->buffer_size ||
        (skip && !net_rx_begin(net, used.token))) {
        virtqueue_fail(&net->rx, "it received a frame of impossible length");
        return true;
    }
    net->parts_left--;
    rx->flags = net->part_flags;
    if (net->parts_left)
        rx->flags |= NETDEV_RX_CONTINUES;
    rx->data.offset = (uint16_t)skip;
    rx->data.length = (uint16_t)(used.length - skip);
    return true;
}

/* Writes the segments' descriptors; returns the frame's length in bytes, 0 if one is refused. */
static uint32_t net_tx_gather(const struct net *net, const struct netdev_tx *tx,
                              struct vring_desc *desc)
{
    uint32_t length = 0;
    if (!tx->segments || tx->segments > NETDEV_TX_SEGMENTS)
        return 0;
    for (uint32_t i = 0; i < tx->segments; i++, desc++) {
        const struct buffer_ref *ref = &tx->segment[i];
        const struct pool *pool = net->sendable[ref->pool % NET_POOLS];
        if (pool_ref_check(pool, *ref) != OK || !ref->length)
            return 0;
        desc->addr = pool_device_address(pool, *ref);
        desc->len = ref->length;
        desc->flags = VRING_DESC_F_NEXT;
        length += ref->length;
    }
    desc[-1].flags = 0;
    return length;
}

/* Tells the device what to do to the frame (5.1.6.2). The header's other fields stay zero. */
static bool net_tx_header(const struct net *net, const struct netdev_tx *tx, uint32_t length,
                          struct virtio_net_hdr_v1 *header)
{
    header->flags = 0;
    if (!tx->flags)
        return true;
    if (tx->flags != NETDEV_TX_CSUM || !net_has(net, VIRTIO_NET_F_CSUM) ||
        (uint32_t)tx->csum_start + tx->csum_offset + sizeof(uint16_t) > length)
        return false;
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->csum_start = tx->csum_start;
    header->csum_offset = tx->csum_offset;
    return true;
}

bool net_tx_put(struct net *net, const struct netdev_tx *tx)
{
    uint32_t slot = virtqueue_next_slot(&net->tx);
    uint32_t length = net_tx_gather(net, tx, virtqueue_chain(&net->tx, slot) + 1);
    if (length < ETH_HLEN || length > ETH_HLEN + (uint32_t)net->mtu ||
        !net_tx_header(net, tx, length, &net->headers[slot]))
        return false;
    virtqueue_put(&net->tx, tx->cookie);
    return true;
}

bool net_rx_publish(struct net *net)
{
    if (!virtqueue_publish(&net->rx))
        return false;
    virtio_notify(&net->virtio, net->rx_doorbell, QUEUE_RX);
    return true;
}

bool net_tx_publish(struct net *net)
{
    if (!virtqueue_publish(&net->tx))
        return false;
    virtio_notify(&net->virtio, net->tx_doorbell, QUEUE_TX);
    return true;
}

/* Sent frames needn't interrupt: they are taken back with whatever happens next. Only when more
 * than half of the slots are out, one interrupt is asked for when three quarters of those are used.
 * So no more than half of the slots' buffers ever wait for something to happen: a pool with more
 * buffers than that can't run dry on an idle machine. */
bool net_tx_settle(struct net *net)
{
    uint16_t outstanding = virtqueue_outstanding(&net->tx);
    if (outstanding <= net->tx.slots / 2) {
        if (!net->tx_waiting)
            virtqueue_disarm(&net->tx);
        return false;
    }
    if (virtqueue_armed(&net->tx))
        return false;
    return virtqueue_arm(&net->tx, (uint16_t)(outstanding - outstanding / 4));
}

bool net_fail(struct net *net)
{
    net->state = NET_BROKEN;
    net->link_up = false;
    net->fault = net_fault(net);
    virtqueue_fail(&net->rx, net->fault);
    virtqueue_fail(&net->tx, net->fault);
    return virtio_reset(&net->virtio);
}

bool net_rx_abandon(struct net *net, uint32_t *index)
{
    return virtqueue_abandon(&net->rx, index);
}

bool net_tx_abandon(struct net *net, uint32_t *cookie)
{
    return virtqueue_abandon(&net->tx, cookie);
}
