/* SPDX-License-Identifier: ISC
 *
 * The virtio network driver (virtio 1.1, section 5.1): a server with one port, "net", one client
 * and up to NETDEV_INTERFACES_MAX devices. libos/driver/netdev.c has the client's side,
 * libos/driver/virtio_device.c what virtio devices have in common, frames.c what is done for each
 * frame. docs/virtio_drv.md.
 */
#include "servers/virtio_drv/virtio_drv.h"

#include <string.h>

#include "libos/swap.h"

enum {
    MTU_MIN = 68,                /* bytes, 5.1.4.1 */
    ENTRIES_MIN = 1 << TX_SHIFT, /* one frame to send */
    BUFFER_BYTES_MIN = 128,      /* a header and the smallest frame */
};

#define FEATURE(name)    (1ull << VIRTIO_NET_F_##name)
#define FEATURES_HEADERS (FEATURE(GUEST_CSUM) | FEATURE(MRG_RXBUF)) /* say things in headers */
#define FEATURES         (FEATURES_HEADERS | FEATURE(CSUM) | FEATURE(MTU) | FEATURE(MAC) | FEATURE(STATUS))

static const struct virtio_device_feature named[] = {
    {VIRTIO_NET_F_CSUM, "csum"},           {VIRTIO_NET_F_GUEST_CSUM, "guest_csum"},
    {VIRTIO_NET_F_MRG_RXBUF, "mrg_rxbuf"}, {VIRTIO_RING_F_EVENT_IDX, "event_idx"},
    {VIRTIO_F_ACCESS_PLATFORM, "iommu"},
};

/* The configuration */

#define CONFIG(field)                                                                              \
    (card->device.virtio.config.offset + offsetof(struct virtio_net_config, field))

/* The fields that the negotiated features make valid (5.1.4). */
static uint32_t config_bytes(const struct card *card)
{
    return card_has(card, VIRTIO_NET_F_MTU)      ? offsetof(struct virtio_net_config, mtu) + 2
           : card_has(card, VIRTIO_NET_F_STATUS) ? offsetof(struct virtio_net_config, status) + 2
           : card_has(card, VIRTIO_NET_F_MAC)    ? ETH_ALEN
                                                 : 0;
}

/* Without STATUS it always is (5.1.4.2). */
static bool link_is_up(const struct card *card)
{
    return !card_has(card, VIRTIO_NET_F_STATUS) ||
           device_read16(card->device.virtio.config.bar, CONFIG(status)) & VIRTIO_NET_S_LINK_UP;
}

static void config_read(const struct card *card, struct netdev_link *link)
{
    const struct device_bar *bar = card->device.virtio.config.bar;
    for (uint32_t i = 0; i < ETH_ALEN && card_has(card, VIRTIO_NET_F_MAC); i++)
        link->mac[i] = device_read8(bar, CONFIG(mac) + i);
    if (card_has(card, VIRTIO_NET_F_MTU))
        link->mtu = device_read16(bar, CONFIG(mtu));
    link->up = link_is_up(card);
}

/* NULL: what the device says of itself can be; else why not. */
static const char *config_wrong(const struct card *card, struct netdev_link *link)
{
    const uint64_t random = domain_random(card->driver.domain);
    memcpy(link->mac, &random, ETH_ALEN);
    link->mac[0] = (link->mac[0] & 0xfc) | 2; /* one host, locally administered (IEEE 802, 8.4) */
    if (config_bytes(card) > card->device.virtio.config.length)
        return "its configuration is too short";
    if (!VIRTIO_DEVICE_CONFIG(&card->device, config_read(card, link)))
        return "its configuration doesn't keep still";
    if (link->mtu < MTU_MIN)
        return "its MTU is impossible";
    if (link->mac[0] & 1)
        return "its MAC address is a group's";
    /* 5.1.6.3.1: a frame that can't be spread must fit one buffer. */
    if (!card_has(card, VIRTIO_NET_F_MRG_RXBUF) &&
        card->net->rx->buffer_size < HEADER_BYTES + ETH_HLEN + (uint32_t)link->mtu)
        return "its MTU is larger than a receive buffer";
    return NULL;
}

/* Starting */

enum { HEADERS_BYTES = NETDEV_TX_OUTSTANDING * HEADER_BYTES };

enum error card_headers(struct card *card)
{
    struct dma dma;
    enum error error = driver_dma(&card->driver, HEADERS_BYTES, VIRTQUEUE_ALIGN, &dma);
    if (error == OK) {
        card->headers = dma_memory(&dma);
        card->headers_address = dma.address;
    }
    return error;
}

/* Both queues, and a header for each place. In little memory the queues are smaller. */
static enum error queues_start(struct card *card)
{
    struct driver *driver = &card->driver;
    uint16_t rx = virtio_device_entries(&card->device, QUEUE_RX, RX_ENTRIES);
    uint16_t tx = virtio_device_entries(&card->device, QUEUE_TX, TX_FRAMES << TX_SHIFT);
    while (virtqueue_bytes(rx) + virtqueue_bytes(tx) + HEADERS_BYTES + 2 * VIRTQUEUE_ALIGN >
               driver_dma_left(driver, VIRTQUEUE_ALIGN) &&
           rx > ENTRIES_MIN && tx > ENTRIES_MIN)
        rx /= 2, tx /= 2;
    if (rx < ENTRIES_MIN || tx < ENTRIES_MIN)
        return virtio_device_refuse(&card->device, driver, "its queues are missing or too small");
    enum error error = virtio_device_queue(&card->rx, &card->device, driver, QUEUE_RX, rx, 0);
    if (error == OK)
        error = virtio_device_queue(&card->tx, &card->device, driver, QUEUE_TX,
                                    (uint16_t)(tx >> TX_SHIFT), TX_SHIFT);
    return error == OK ? card_headers(card) : error;
}

static void card_log(const struct card *card, const struct netdev_link *link)
{
    char text[VIRTIO_DEVICE_TEXT], place[DEVICE_TEXT_BYTES];
    const uint8_t *mac = link->mac;
    virtio_device_text(&card->device, named, sizeof(named) / sizeof(named[0]), text);
    device_text(card->driver.device, place);
    domain_log(card->driver.domain,
               "net%u: virtio-net %s mac %02x:%02x:%02x:%02x:%02x:%02x features%s, rx %u tx %u",
               card->interface, place, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
               text[0] ? text : " none", card->rx.ring.ring.num, card->tx.ring.ring.num);
}

/* Without the right to read the receive pool there are no headers to learn anything from. */
static enum error card_start(struct driver *driver)
{
    struct card *card = (struct card *)driver;
    struct netdev_link link = {.mtu = ETH_DATA_LEN, .rx_headroom = HEADER_BYTES};
    const uint64_t unseen = card->net->rx->rights & POOL_READ ? 0 : FEATURES_HEADERS;
    enum error error = virtio_device_open(&card->device, driver, VIRTIO_ID_NET, FEATURES & ~unseen);
    if (error != OK)
        return error;
    const char *wrong = config_wrong(card, &link);
    error = wrong ? virtio_device_refuse(&card->device, driver, wrong) : queues_start(card);
    if (error != OK)
        return error;
    card->parts_left = 0;
    card->tx_waiting = false;
    link.tx_csum = card_has(card, VIRTIO_NET_F_CSUM);
    card->interface = netdev_attach(card->net, driver, &link);
    virtio_device_run(&card->device);
    card_log(card, &link);
    return OK;
}

/* The queues are looked at after each round anyway. */
static void card_interrupt(struct driver *driver, uint32_t vector)
{
    struct card *card = (struct card *)driver;
    if (!virtio_device_interrupt(&card->device, driver, vector))
        return;
    const bool up = link_is_up(card); /* one field: read at once (2.4.1) */
    if (up == card->net->account.interface[card->interface].link.up)
        return;
    driver->counters[LINK_CHANGES]++;
    domain_log(driver->domain, "net%u: link %s", card->interface, up ? "up" : "down");
    netdev_up(card->net, card->interface, up);
}

static bool card_silence(struct driver *driver)
{
    return virtio_device_silence(&((struct card *)driver)->device);
}

static const struct driver_ops card_ops = {
    .what = "network card (QEMU: -device virtio-net-pci; on microvm virtio-net-device)",
    .pool = "queues",
    .pool_each = true,
    .start = card_start,
    .interrupt = card_interrupt,
    .silence = card_silence,
};

/* The server */

static enum error drv_start(void *state, struct domain *domain)
{
    struct virtio_drv *drv = state;
    enum error error = netdev_open(&drv->net, domain, card_ops.pool, BUFFER_BYTES_MIN);
    while (error == OK && drv->cards < NETDEV_INTERFACES_MAX &&
           (!drv->cards || domain_device(domain, drv->cards))) {
        struct card *card = &drv->card[drv->cards];
        card->net = &drv->net;
        error = driver_start_device(&card->driver, domain, &card_ops, drv->cards++);
    }
    if (drv->net.account.interfaces || (error == OK && domain_swaps(domain)))
        return OK;
    return error != OK ? error : ERROR_NOT_FOUND;
}

static void drv_signal(void *state, uint32_t device, uint32_t bits)
{
    struct virtio_drv *drv = state;
    if (device < drv->cards)
        driver_interrupt(&drv->card[device].driver, bits);
}

static void each_card(struct virtio_drv *drv, void (*service)(struct card *card))
{
    for (uint32_t i = 0; i < drv->cards; i++)
        if (driver_runs(&drv->card[i].driver))
            service(&drv->card[i]);
}

static void drv_batch_end(void *state)
{
    struct virtio_drv *drv = state;
    each_card(drv, frames_send); /* before received frames take the room in the client's channel */
    each_card(drv, frames_receive);
    netdev_round(&drv->net);
}

static bool drv_restarted(void *state, struct conn *conn, enum restarted what)
{
    return netdev_restarted(&((struct virtio_drv *)state)->net, conn, what);
}

static const char *const counters[COUNTERS] = {
    NETDEV_COUNTER_NAMES, [RX_NOTIFIES] = "rx_notifies", [TX_NOTIFIES] = "tx_notifies",
    [LINK_CHANGES] = "link_changes"};

SERVER(virtio_drv, struct virtio_drv, counters, .version = "1", .stack_bytes = DRIVER_STACK_BYTES,
       .ports = netdev_ports, .port_count = 1, .start = drv_start, .signal = drv_signal,
       .receive = frames_message, .batch_end = drv_batch_end);
SERVER_RESTARTED(motet_server_virtio_drv, drv_restarted);
