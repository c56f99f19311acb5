/* SPDX-License-Identifier: ISC
 *
 * What virtio_drv hands over when it is swapped (libos/swap.h): the account of the client's buffers
 * and frames, and what is known of each device. The devices run on. Each value is checked: a state
 * that makes no sense is refused.
 */
#include "libos/swap.h"

#include "libos/driver/virtio_device_state.h"
#include "servers/virtio_drv/virtio_drv.h"

extern const struct server motet_server_virtio_drv;

/* Bytes of a configuration with a status, which is what is read of it from now on. */
enum { CONFIG_STATUS = offsetof(struct virtio_net_config, status) + sizeof(uint16_t) };

struct saved_card {
    uint64_t features;
    struct driver_saved driver;
    uint16_t interface;
    uint16_t parts_left, part_flags;
    uint8_t tx_waiting;
    uint8_t reserved[7];
    struct virtio_device_queue_state rx, tx; /* of a card that runs */
};

static uint32_t cards_save(const void *state, void *to)
{
    const struct virtio_drv *drv = state;
    struct saved_card *saved = to;
    for (uint32_t n = 0; n < NETDEV_INTERFACES_MAX; n++, saved++) {
        const struct card *card = &drv->card[n];
        *saved = (struct saved_card){.driver = driver_save(&card->driver)};
        if (card->driver.state == DRIVER_ABSENT)
            continue;
        saved->interface = card->interface;
        if (card->driver.silent)
            continue;
        saved->features = card->device.features;
        if (!driver_runs(&card->driver))
            continue;
        saved->parts_left = card->parts_left;
        saved->part_flags = card->part_flags;
        saved->tx_waiting = card->tx_waiting;
        virtio_device_queue_save(&card->rx, &saved->rx);
        virtio_device_queue_save(&card->tx, &saved->tx);
    }
    return NETDEV_INTERFACES_MAX * sizeof(*saved);
}

static enum error queues_load(struct card *card, const struct saved_card *from)
{
    struct driver *driver = &card->driver;
    enum error error = virtio_device_queue_load(&card->rx, &card->device, driver, QUEUE_RX,
                                                1 << TX_SHIFT, RX_ENTRIES, 0, &from->rx);
    if (error == OK)
        error = virtio_device_queue_load(&card->tx, &card->device, driver, QUEUE_TX, 1, TX_FRAMES,
                                         TX_SHIFT, &from->tx);
    return error == OK ? card_headers(card) : error;
}

static enum error card_load(struct card *card, const struct saved_card *from)
{
    enum error error = driver_load(&card->driver, &from->driver);
    if (error != OK || card->driver.state == DRIVER_ABSENT)
        return error;
    if (from->interface >= NETDEV_INTERFACES_MAX || card->net->driver[from->interface])
        return ERROR_BAD_ARGUMENT;
    card->net->driver[from->interface] = &card->driver;
    card->interface = from->interface;
    if (card->driver.silent)
        return OK; /* nothing is done to the device any more */
    error = virtio_device_load(&card->device, &card->driver, VIRTIO_ID_NET, from->features);
    if (!driver_runs(&card->driver))
        return OK; /* whatever it says of itself: all that may be done to it is a reset */
    if (error != OK || from->parts_left > RX_ENTRIES || from->part_flags & ~NETDEV_RX_CSUM_OK ||
        (card_has(card, VIRTIO_NET_F_STATUS) && card->device.virtio.config.length < CONFIG_STATUS))
        return ERROR_BAD_ARGUMENT;
    card->parts_left = from->parts_left;
    card->part_flags = from->part_flags;
    card->tx_waiting = from->tx_waiting != 0;
    return queues_load(card, from);
}

static enum error cards_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct virtio_drv *drv = state;
    const struct saved_card *saved = from;
    enum error error = bytes == NETDEV_INTERFACES_MAX * sizeof(*saved) ? OK : ERROR_BAD_ARGUMENT;
    (void)version; /* there is one */
    for (uint32_t n = 0; n < NETDEV_INTERFACES_MAX && error == OK; n++)
        error = card_load(&drv->card[n], &saved[n]);
    return error;
}

/* What a queue has is the card's, once: `of` says whose a token is. */
static bool tokens_check(const struct virtqueue *ring,
                         uint32_t (*of)(const struct card *, uint32_t), const struct card *card,
                         uint32_t owned)
{
    bool seen[POOL_BUFFERS_MAX] = {false};
    uint32_t busy = 0;
    for (uint32_t slot = 0; slot < ring->slots; slot++) {
        const uint32_t token = ring->token[slot];
        if (!ring->busy[slot])
            continue;
        if (token >= POOL_BUFFERS_MAX || seen[token] || of(card, token) != card->interface)
            return false;
        seen[token] = true;
        busy++;
    }
    return busy == owned;
}

static uint32_t buffer_of(const struct card *card, uint32_t index)
{
    return card->net->account.next[index] - (uint32_t)NETDEV_CARD;
}

static uint32_t place_of(const struct card *card, uint32_t place)
{
    return place < NETDEV_TX_OUTSTANDING ? card->net->account.owner[place] : NETDEV_NOBODY;
}

static bool card_check(const struct card *card)
{
    uint32_t buffers = 0, places = 0;
    for (uint32_t i = 0; i < card->net->rx->buffers; i++)
        buffers += buffer_of(card, i) == card->interface;
    for (uint32_t i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        places += place_of(card, i) == card->interface;
    return tokens_check(&card->rx.ring, buffer_of, card, buffers) &&
           tokens_check(&card->tx.ring, place_of, card, places);
}

static enum error loaded(void *state)
{
    struct virtio_drv *drv = state;
    enum error error = netdev_loaded(&drv->net);
    for (uint32_t n = 0; n < NETDEV_INTERFACES_MAX && error == OK; n++)
        if (driver_runs(&drv->card[n].driver) && !card_check(&drv->card[n]))
            error = ERROR_BAD_ARGUMENT;
    return error;
}

/* 1 to 3 were those of a driver that wasn't on libos/driver/. */
static const struct state_record records[] = {
    {.name = "cards",
     .id = 4,
     .version = 1,
     .bytes_max = NETDEV_INTERFACES_MAX * sizeof(struct saved_card),
     .save = cards_save,
     .load = cards_load},
    {.name = "account", .id = 5, .version = 2, RECORD_OF(struct virtio_drv, net.account)},
};
SERVER_SWAP(motet_server_virtio_drv, .records = records,
            .record_count = sizeof(records) / sizeof(records[0]), .loaded = loaded);
