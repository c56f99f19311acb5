/* SPDX-License-Identifier: ISC
 *
 * The virtio network driver (virtio 1.1, section 5.1): a server with one port, "net", one client
 * and up to NETDEV_INTERFACES_MAX devices. libos/driver/netdev.c has the client's side,
 * libos/driver/virtio_device.c what virtio devices have in common. docs/virtio_drv.md.
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

static bool has(const struct card *card, uint32_t feature)
{
    return virtio_device_has(&card->device, feature);
}

/* Receiving */

static bool rx_post(struct driver *driver, uint16_t index, uint64_t address)
{
    struct card *card = (struct card *)driver;
    const struct dma_segment segment = {address, card->net->rx->buffer_size};
    if (virtqueue_full(&card->rx.ring))
        return false;
    virtqueue_put_one(&card->rx.ring, index, segment, true);
    return true;
}

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
    if (has(card, VIRTIO_NET_F_GUEST_CSUM) &&
        __atomic_load_n(&header->flags, __ATOMIC_RELAXED) & vouched)
        card->part_flags = NETDEV_RX_CSUM_OK;
    if (has(card, VIRTIO_NET_F_MRG_RXBUF))
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
        if (!virtqueue_used(&card->rx.ring, &used))
            return true;
        const uint32_t skip = card->parts_left ? 0 : HEADER_BYTES;
        if (used.length <= skip || used.length > net->rx->buffer_size ||
            (skip && !rx_begin(card, used.token))) {
            virtqueue_fail(&card->rx.ring, "it received a frame of impossible length");
            return true;
        }
        const struct buffer_ref data = {.pool = net->rx->number,
                                        .index = (uint16_t)used.token,
                                        .offset = (uint16_t)skip,
                                        .length = (uint16_t)(used.length - skip)};
        card->parts_left--;
        netdev_received(net, card->interface, data,
                        card->part_flags | (card->parts_left ? NETDEV_RX_CONTINUES : 0));
        room--;
    } while (virtqueue_waiting(&card->rx.ring));
    return true;
}

/* Empties the receive queue, without interrupts, and then asks for the next one. Without room the
 * frames stay with the device and the interrupt stays off: the client's doorbell brings us back. */
static void rx_service(struct card *card)
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
static void tx_service(struct card *card)
{
    struct virtqueue_used used;
    do {
        while (virtqueue_used(&card->tx.ring, &used))
            netdev_sent(card->net, (uint8_t)used.token);
        if (virtqueue_unpublished(&card->tx.ring))
            card->driver.counters[TX_NOTIFIES] += virtio_device_show(&card->tx);
    } while (tx_settle(card));
    DEBUG_ASSERT(virtqueue_check(&card->tx.ring));
    if (card->tx.ring.fault)
        driver_fail(&card->driver, card->tx.ring.fault);
}

/* The header says what to do to the frame (5.1.6.2). */
static bool tx_put(struct driver *driver, uint8_t place, struct netdev_frame *frame)
{
    struct card *card = (struct card *)driver;
    struct virtio_net_hdr_v1 *header = &card->headers[place];
    if (virtqueue_full(&card->tx.ring)) {
        card->tx_waiting = true;
        tx_service(card);
        if (!driver_runs(driver) || virtqueue_full(&card->tx.ring))
            return false;
    }
    card->tx_waiting = false;
    header->flags = frame->csum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0;
    if (frame->csum) {
        header->csum_start = frame->csum_start;
        header->csum_offset = frame->csum_offset;
    }
    frame->segment[0].address = card->headers_address + place * sizeof(*header);
    frame->segment[0].bytes = HEADER_BYTES;
    virtqueue_put_chain(&card->tx.ring, place, frame->segment, 1 + frame->segments, 0);
    return true;
}

static const struct netdev_ops net_ops = {.rx_post = rx_post, .tx_put = tx_put};

/* The configuration */

#define CONFIG(field)                                                                              \
    (card->device.virtio.config.offset + offsetof(struct virtio_net_config, field))

/* The fields that the negotiated features make valid (5.1.4). */
static uint32_t config_bytes(const struct card *card)
{
    return has(card, VIRTIO_NET_F_MTU)      ? offsetof(struct virtio_net_config, mtu) + 2
           : has(card, VIRTIO_NET_F_STATUS) ? offsetof(struct virtio_net_config, status) + 2
           : has(card, VIRTIO_NET_F_MAC)    ? ETH_ALEN
                                            : 0;
}

/* Without STATUS it always is (5.1.4.2). */
static bool link_is_up(const struct card *card)
{
    return !has(card, VIRTIO_NET_F_STATUS) ||
           device_read16(card->device.virtio.config.bar, CONFIG(status)) & VIRTIO_NET_S_LINK_UP;
}

static void config_read(const struct card *card, struct netdev_link *link)
{
    const struct device_bar *bar = card->device.virtio.config.bar;
    for (uint32_t i = 0; i < ETH_ALEN && has(card, VIRTIO_NET_F_MAC); i++)
        link->mac[i] = device_read8(bar, CONFIG(mac) + i);
    if (has(card, VIRTIO_NET_F_MTU))
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
    if (!has(card, VIRTIO_NET_F_MRG_RXBUF) &&
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
    link.tx_csum = has(card, VIRTIO_NET_F_CSUM);
    card->interface = netdev_attach(card->net, driver, &link);
    virtio_device_run(&card->device);
    card_log(card, &link);
    return OK;
}

/* The queues are looked at after each round anyway. */
static void card_interrupt(struct driver *driver, uint32_t vector)
{
    struct card *card = (struct card *)driver;
    const struct netdev_link *link = &card->net->account.interface[card->interface].link;
    if (!virtio_device_interrupt(&card->device, driver, vector))
        return;
    const bool up = link_is_up(card); /* one field: read at once (2.4.1) */
    if (up == link->up)
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
    enum error error = netdev_open(&drv->net, domain, &net_ops, card_ops.pool, BUFFER_BYTES_MIN);
    for (uint32_t n = 0; error == OK && n < NETDEV_INTERFACES_MAX; n++) {
        if (n && !domain_device(domain, n))
            break;
        drv->card[n].net = &drv->net;
        error = driver_start_device(&drv->card[n].driver, domain, &card_ops, n);
    }
    if (drv->net.account.interfaces || (error == OK && domain_swaps(domain)))
        return OK;
    return error != OK ? error : ERROR_NOT_FOUND;
}

static void drv_signal(void *state, uint32_t device, uint32_t bits)
{
    struct virtio_drv *drv = state;
    if (device < NETDEV_INTERFACES_MAX && drv->card[device].net)
        driver_interrupt(&drv->card[device].driver, bits);
}

static bool drv_receive(void *state, struct conn *conn, const struct msg *m)
{
    return netdev_receive(&((struct virtio_drv *)state)->net, conn, m);
}

static void each_card(struct virtio_drv *drv, void (*service)(struct card *card))
{
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        if (driver_runs(&drv->card[i].driver))
            service(&drv->card[i]);
}

static void rx_show(struct card *card)
{
    if (virtqueue_unpublished(&card->rx.ring))
        card->driver.counters[RX_NOTIFIES] += virtio_device_show(&card->rx);
}

static void drv_batch_end(void *state)
{
    struct virtio_drv *drv = state;
    each_card(drv, tx_service); /* before received frames take the room in the client's channel */
    each_card(drv, rx_service);
    netdev_round(&drv->net);
    each_card(drv, rx_show);
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
       .receive = drv_receive, .batch_end = drv_batch_end);
SERVER_RESTARTED(motet_server_virtio_drv, drv_restarted);
