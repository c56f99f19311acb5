/* SPDX-License-Identifier: ISC
 *
 * What virtio_drv hands over when it is swapped (libos/swap.h). The devices run on, with their
 * queues in the pool "queues", which outlives the driver: they notice nothing. What the driver
 * knows of them is private, and moves. Each value is checked: a state that makes no sense is
 * refused.
 */
#include <string.h>

#include <linux/virtio_ids.h>

#include "libos/swap.h"
#include "libos/virtio/virtqueue_state.h"
#include "servers/virtio_drv/virtio_drv.h"

extern const struct server motet_server_virtio_drv;

struct saved_interface {
    uint64_t features;
    uint32_t rx_doorbell, tx_doorbell;
    uint16_t mtu, parts_left, part_flags;
    uint16_t spare;
    uint8_t mac[ETH_ALEN];
    uint8_t state; /* enum net_state */
    uint8_t device;
    uint8_t config_vector;
    uint8_t link_up, link_due, config_due, tx_waiting;
    uint8_t reserved[5];
    struct virtqueue_state rx, tx;
};

struct saved_interfaces {
    uint16_t count;
    uint16_t reserved[3];
    struct saved_interface interface[NETDEV_INTERFACES_MAX];
};

struct saved_frames {
    uint16_t outstanding, done_count;
    uint32_t done[NETDEV_TX_OUTSTANDING];
};

static void interface_save(const struct interface *interface, struct saved_interface *to)
{
    const struct net *net = &interface->net;
    *to = (struct saved_interface){.features = net->features,
                                   .rx_doorbell = net->rx_doorbell,
                                   .tx_doorbell = net->tx_doorbell,
                                   .mtu = net->mtu,
                                   .parts_left = net->parts_left,
                                   .part_flags = net->part_flags,
                                   .spare = interface->spare,
                                   .state = net->state,
                                   .device = interface->device,
                                   .config_vector = net->config_vector,
                                   .link_up = net->link_up,
                                   .link_due = interface->link_due,
                                   .config_due = interface->config_due,
                                   .tx_waiting = net->tx_waiting};
    memcpy(to->mac, net->mac, sizeof(to->mac));
    virtqueue_save(&net->rx, &to->rx);
    virtqueue_save(&net->tx, &to->tx);
}

static uint32_t interfaces_save(const void *state, void *to)
{
    const struct virtio_drv *drv = state;
    struct saved_interfaces *saved = to;
    saved->count = drv->interfaces;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        interface_save(&drv->interface[i], &saved->interface[i]);
    return sizeof(*saved);
}

static enum error queues_load(struct net *net, const struct net_setup *setup,
                              const struct saved_interface *from)
{
    const uint32_t rx = from->rx.size, tx = from->tx.size;
    if (rx > NET_RX_ENTRIES || tx > NET_TX_ENTRIES || rx < NET_TX_CHAIN || tx < NET_TX_CHAIN)
        return ERROR_BAD_ARGUMENT;
    const struct net_layout layout = net_layout(rx, tx);
    if (layout.bytes > setup->bytes)
        return ERROR_BAD_ARGUMENT;
    enum error error = virtqueue_load(&net->rx, setup->memory, rx, 0, &from->rx);
    if (!error)
        error = virtqueue_load(&net->tx, setup->memory + layout.tx, tx, NET_TX_SHIFT, &from->tx);
    net->headers = (void *)(setup->memory + layout.headers);
    return error;
}

static enum error net_load(struct net *net, const struct net_setup *setup,
                           const struct saved_interface *from)
{
    net->number = setup->number;
    net->rx_pool = setup->rx_pool;
    net->sendable = setup->sendable;
    if (virtio_find(&net->virtio, setup->device, VIRTIO_ID_NET) ||
        !virtio_doorbell_check(&net->virtio, from->rx_doorbell) ||
        !virtio_doorbell_check(&net->virtio, from->tx_doorbell) ||
        from->config_vector >= setup->device->vectors ||
        (from->state != NET_RUNNING && from->state != NET_BROKEN) ||
        ((from->rx.broken || from->tx.broken) && from->state == NET_RUNNING))
        return ERROR_BAD_ARGUMENT;
    net->features = from->features;
    net->rx_doorbell = from->rx_doorbell;
    net->tx_doorbell = from->tx_doorbell;
    net->mtu = from->mtu;
    net->parts_left = from->parts_left;
    net->part_flags = from->part_flags;
    memcpy(net->mac, from->mac, sizeof(net->mac));
    net->state = from->state;
    net->config_vector = from->config_vector;
    net->link_up = from->link_up != 0;
    net->tx_waiting = from->tx_waiting != 0;
    return queues_load(net, setup, from);
}

static enum error interfaces_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct virtio_drv *drv = state;
    const struct saved_interfaces *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved) || !saved->count || saved->count > NETDEV_INTERFACES_MAX ||
        saved->count > drv->queues->buffers)
        return ERROR_BAD_ARGUMENT;
    drv->interfaces = saved->count;
    for (uint16_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        const struct saved_interface *one = &saved->interface[i];
        struct interface *interface = &drv->interface[i];
        interface->spare = one->spare;
        interface->device = one->device;
        interface->link_due = one->link_due != 0;
        interface->config_due = one->config_due != 0;
        if (i >= saved->count)
            continue;
        const struct device *device = domain_device(drv->domain, one->device);
        struct net_setup setup = interface_setup(drv, i, device);
        enum error error = device ? net_load(&interface->net, &setup, one) : ERROR_NOT_FOUND;
        if (error)
            return error;
    }
    return OK;
}

static uint32_t frames_save(const void *state, void *to)
{
    const struct virtio_drv *drv = state;
    struct saved_frames *saved = to;
    saved->outstanding = drv->outstanding;
    saved->done_count = drv->done_count;
    memcpy(saved->done, drv->done, drv->done_count * sizeof(saved->done[0]));
    return sizeof(*saved);
}

static enum error frames_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct virtio_drv *drv = state;
    const struct saved_frames *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved) || saved->outstanding > NETDEV_TX_OUTSTANDING ||
        saved->done_count > saved->outstanding)
        return ERROR_BAD_ARGUMENT;
    drv->outstanding = saved->outstanding;
    drv->done_count = saved->done_count;
    memcpy(drv->done, saved->done, drv->done_count * sizeof(drv->done[0]));
    return OK;
}

/* What a receive queue has is the client's, once, and marked. Returns how many that are, or more
 * than there can be. */
static uint32_t queued_check(const struct virtio_drv *drv, const struct virtqueue *rx,
                             bool seen[POOL_BUFFERS_MAX])
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < rx->slots; slot++) {
        const uint32_t index = rx->token[slot];
        if (!rx->busy[slot])
            continue;
        if (index >= drv->rx->buffers || seen[index] || drv->next[index] != BUFFER_QUEUED)
            return POOL_BUFFERS_MAX + 1;
        seen[index] = true;
        count++;
    }
    return count;
}

/* The list ends, and has no buffer that is elsewhere too. */
static bool spare_check(const struct virtio_drv *drv, uint32_t index, bool seen[POOL_BUFFERS_MAX])
{
    for (; index != LIST_END; index = drv->next[index]) {
        if (index >= drv->rx->buffers || seen[index] || drv->next[index] == BUFFER_QUEUED ||
            drv->next[index] == BUFFER_CLIENT)
            return false;
        seen[index] = true;
    }
    return true;
}

/* Each buffer is in one place, each frame counted once. */
static enum error loaded(void *state)
{
    struct virtio_drv *drv = state;
    bool seen[POOL_BUFFERS_MAX] = {false};
    uint32_t sending = 0;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        const struct interface *interface = &drv->interface[i];
        if (queued_check(drv, &interface->net.rx, seen) > POOL_BUFFERS_MAX ||
            !spare_check(drv, interface->spare, seen))
            return ERROR_BAD_ARGUMENT;
        for (uint32_t slot = 0; slot < interface->net.tx.slots; slot++)
            sending += interface->net.tx.busy[slot];
    }
    for (uint32_t i = 0; i < drv->rx->buffers; i++)
        if (!seen[i] && drv->next[i] != BUFFER_CLIENT)
            return ERROR_BAD_ARGUMENT;
    return sending + drv->done_count == drv->outstanding ? OK : ERROR_BAD_ARGUMENT;
}

/* A device that has just broken the rules is dealt with first. */
static bool rest(void *state)
{
    const struct virtio_drv *drv = state;
    for (uint32_t i = 0; i < drv->interfaces; i++)
        if (drv->interface[i].net.state == NET_RUNNING && net_fault(&drv->interface[i].net))
            return false;
    return true;
}

static const struct state_record records[] = {
    {.name = "interfaces",
     .id = 1,
     .version = 1,
     .bytes_max = sizeof(struct saved_interfaces),
     .save = interfaces_save,
     .load = interfaces_load},
    {.name = "frames",
     .id = 2,
     .version = 1,
     .bytes_max = sizeof(struct saved_frames),
     .save = frames_save,
     .load = frames_load},
    {.name = "buffers", .id = 3, .version = 1, RECORD_OF(struct virtio_drv, next)},
};
SERVER_SWAP(motet_server_virtio_drv, .records = records,
            .record_count = sizeof(records) / sizeof(records[0]), .rest = rest, .loaded = loaded);
