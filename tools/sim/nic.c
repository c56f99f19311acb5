/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's network card: the virtio device of the driver's unit tests behind a PCI
 * function, in simulated time. It takes a while for everything, may finish frames in any order, and
 * lies if the options say so. It reaches memory as a device without an IOMMU does: all of it; that
 * it touches page objects only is checked here.
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "tests/unit/fake_virtio.h"
#include "tools/sim/world.h"

enum {
    MSIX_BAR = 1,
    MSIX_BAR_BYTES = 4096,
    MSIX_ENTRY_WORDS = 4,
    MSIX_DATA = 2, /* words of an entry: address low, high, data, control */
    MSIX_CONTROL = 3,
    VECTORS = 3,
    MSI_CAPABLE = 2, /* logarithm: 4 messages, of which the card sends one */
    MSI_ADDRESS = 0xfee00000,
    MSI_WORDS = 5, /* that can be written: flags, address low, high, data, mask */
    PIN_LINE = 11,
    BARS = 6,
    BAR_OFFSET = 0x10,
    BAR_64 = 4,
    QUEUE_RX = 0,
    QUEUE_TX = 1,
    HELD_MAX = 32, /* chains of frames that the card is sending */
    WAITING_MAX = 64,
    TICKS_PER_MICROSECOND = 1000,
};

static struct fake_virtio card;
static struct device function;
static uint64_t bar_address[BARS], bar_bytes[BARS];
static uint32_t command, bars[BARS];
static uint32_t msix[VECTORS * MSIX_ENTRY_WORDS];
static uint32_t msi_at; /* the capability's place in configuration space; 0: none */
static struct fake_chain held[HELD_MAX];
static uint32_t held_count;
static uint32_t lost_vectors; /* told, and not heard */
static bool transmit_due, sent_due, received_due;
static struct fake_frame sent;

/* --- configuration space --- */

static void bar_set(uint32_t n, uint64_t address, uint64_t bytes)
{
    bar_address[n] = address;
    bar_bytes[n] = bytes;
    bars[n] = (uint32_t)address;
}

static void msi_write(uint32_t word, uint32_t value)
{
    static const uint32_t writable[MSI_WORDS] = {
        (uint32_t)(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE) << 16, ~3u, UINT32_MAX, 0xffff,
        (1u << (1 << MSI_CAPABLE)) - 1};
    uint8_t *at = &function.config[msi_at + 4 * word];
    uint32_t old;
    memcpy(&old, at, sizeof(old));
    value = (old & ~writable[word]) | (value & writable[word]);
    memcpy(at, &value, sizeof(value));
}

static void msix_describe(uint8_t *capability)
{
    capability[PCI_MSIX_FLAGS] = VECTORS - 1;
    capability[PCI_MSIX_TABLE] = MSIX_BAR;
}

static void msi_describe(uint8_t *capability)
{
    const uint16_t flags = PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | MSI_CAPABLE << 1;
    capability[PCI_CAP_LIST_ID] = PCI_CAP_ID_MSI;
    memcpy(&capability[PCI_MSI_FLAGS], &flags, sizeof(flags));
    msi_at = (uint32_t)(capability - function.config);
    for (uint32_t word = 1; word < MSI_WORDS; word++)
        msi_write(word, UINT32_MAX); /* whatever it was */
}

/* How it interrupts: MSI-X, or instead of that MSI, or neither. */
static void interrupts_describe(void)
{
    uint8_t *at = &function.config[function.config[PCI_CAPABILITY_LIST]];
    while (*at != PCI_CAP_ID_MSIX)
        at = &function.config[at[PCI_CAP_LIST_NEXT]];
    msi_at = 0;
    if (function.msi)
        msi_describe(at);
    else if (function.pin)
        *at = 0; /* an id that nobody looks for */
    else
        msix_describe(at);
}

uint32_t nic_config_read(uint32_t offset)
{
    uint32_t value;
    if (offset >= BAR_OFFSET && offset < BAR_OFFSET + BARS * 4) {
        uint32_t n = (offset - BAR_OFFSET) / 4;
        return bars[n] | (n == FAKE_BAR ? BAR_64 : 0);
    }
    switch (offset) {
    case PCI_VENDOR_ID:
        return (uint32_t)function.id << 16 | function.vendor;
    case PCI_COMMAND:
        return (uint32_t)PCI_STATUS_CAP_LIST << 16 | command;
    case PCI_INTERRUPT_LINE:
        return function.pin ? 1 << 8 | PIN_LINE : 0;
    default:
        memcpy(&value, &function.config[offset], 4);
        return value;
    }
}

/* All ones ask for the size; what init writes back is what it read. */
static void bar_write(uint32_t n, uint32_t value)
{
    if (value != UINT32_MAX)
        bars[n] = (uint32_t)bar_address[n];
    else
        bars[n] = n == FAKE_BAR + 1 ? UINT32_MAX : bar_bytes[n] ? -(uint32_t)bar_bytes[n] : 0;
}

void nic_config_write(uint32_t offset, uint32_t value)
{
    if (offset >= BAR_OFFSET && offset < BAR_OFFSET + BARS * 4)
        bar_write((offset - BAR_OFFSET) / 4, value);
    else if (offset == PCI_COMMAND)
        command = value & 0xffff;
    else if (msi_at && offset >= msi_at && offset < msi_at + MSI_WORDS * 4)
        msi_write((offset - msi_at) / 4, value);
}

/* --- interrupts --- */

/* Whether the card may send message `v`, and what it says then. */
static bool msi_open(uint32_t v, uint32_t *data)
{
    uint32_t word[MSI_WORDS];
    memcpy(word, &function.config[msi_at], sizeof(word));
    const uint32_t flags = word[0] >> 16;
    *data = (word[3] & 0xffff) | v;
    return (flags & PCI_MSI_FLAGS_ENABLE) && v < 1u << ((flags & PCI_MSI_FLAGS_QSIZE) >> 4) &&
           word[1] == MSI_ADDRESS && !word[2] && !(word[4] >> v & 1);
}

static bool message_open(uint32_t v, uint32_t *data)
{
    if (!(command & PCI_COMMAND_MASTER))
        return false;
    if (msi_at)
        return msi_open(v, data);
    *data = msix[v * MSIX_ENTRY_WORDS + MSIX_DATA];
    return !(msix[v * MSIX_ENTRY_WORDS + MSIX_CONTROL] & 1);
}

static void vectors_deliver(uint32_t bits)
{
    uint32_t data;
    for (uint32_t v = 0; v < VECTORS; v++) {
        if (!(bits >> v & 1) || !message_open(v, &data))
            continue;
        if (chance(world.options.lost_interrupts)) {
            world.count.interrupts_lost++;
            lost_vectors |= 1u << v;
            continue;
        }
        interrupt_raise(data);
    }
}

/* A card whose message got lost repeats it when it next has to do. */
static void lost_repeat(void)
{
    uint32_t bits = lost_vectors;
    lost_vectors = 0;
    vectors_deliver(bits);
}

static void interrupts_deliver(void)
{
    if (!function.pin)
        vectors_deliver(fake_virtio_interrupts(&card));
}

bool nic_pin(void)
{
    return function.pin && card.isr;
}

/* --- work --- */

static bool ready(uint32_t queue)
{
    return (card.status & VIRTIO_CONFIG_S_DRIVER_OK) && card.queue[queue].enabled;
}

static uint64_t a_while(void)
{
    return random_below(world.options.late * (uint64_t)TICKS_PER_MICROSECOND + 1) + 100;
}

static void later(bool *due, enum event_kind kind)
{
    if (*due)
        return;
    *due = true;
    event_add(a_while(), kind, 0);
}

static struct vring_used *used_ring(uint32_t queue)
{
    return phys_to_virt(card.queue[queue].used);
}

/* A chain that it has, used at once, with any length. */
static void lie_about_length(uint32_t queue)
{
    struct fake_chain chain;
    if (!fake_virtio_pop(&card, queue, &chain))
        return;
    fake_virtio_push(&card, queue, chain.head,
                     (uint32_t)random_below(random_below(2) ? 64 : 70000));
    fake_virtio_flush(&card, queue);
    fake_virtio_decide(&card, queue);
}

/* Its address and its largest frame aren't what they were; the driver is told of a change. */
static void lie_about_configuration(void)
{
    card.config.mac[random_below(6)] ^= (uint8_t)(1 + random_below(255));
    card.config.mtu = (uint16_t)random_below(65536);
    card.restless = (uint32_t)random_below(20);
    fake_virtio_set_link(&card, random_below(2));
}

static void mischief(void)
{
    enum { LIES = 11 };
    if (!ready(QUEUE_RX) || !ready(QUEUE_TX))
        return;
    uint32_t queue = (uint32_t)random_below(2);
    world.count.lies++;
    switch (random_below(LIES)) {
    case 0: /* a chain that it hasn't got */
        fake_virtio_push(&card, queue, (uint32_t)random_below(300), (uint32_t)random_below(4096));
        fake_virtio_flush(&card, queue);
        break;
    case 1: /* more chains than there are */
        card.queue[queue].pushed += (uint16_t)random_below(400);
        fake_virtio_flush(&card, queue);
        break;
    case 2:
        card.num_buffers_lie = (uint32_t)random_below(70000);
        break;
    case 3:
        fake_virtio_ask_reset(&card);
        break;
    case 4:
        fake_virtio_set_link(&card, random_below(2));
        break;
    case 5:
        lie_about_length(queue);
        break;
    case 6: /* an index that goes back, or anywhere */
        used_ring(queue)->idx = (uint16_t)random_below(65536);
        break;
    case 7: /* entries that it has used already, changed */
        used_ring(queue)->ring[random_below(card.queue[queue].size)] =
            (struct vring_used_elem){(uint32_t)random_below(65536), (uint32_t)random_below(65536)};
        break;
    case 8: /* which notifications it wants */
        used_ring(queue)->flags = (uint16_t)random_below(65536);
        break;
    case 9:
        lie_about_configuration();
        break;
    default: /* all interrupts, for nothing */
        card.isr |= (uint8_t)random_below(4);
        vectors_deliver(function.pin ? 0 : (1u << VECTORS) - 1);
    }
    interrupts_deliver();
}

/* What a card has lied about it can't take back: indices that it skipped, chains that it used
 * twice. It says so (virtio 1.1, 2.1.2), and the driver has to give it up. */
void nic_honest(void)
{
    if (!world.count.lies || !ready(QUEUE_RX))
        return;
    card.num_buffers_lie = card.restless = 0;
    fake_virtio_ask_reset(&card);
    interrupts_deliver();
}

void nic_receive(struct frame *frame)
{
    if (!ready(QUEUE_RX))
        return;
    lost_repeat();
    if (chance(world.options.card_lies))
        event_add(a_while(), EVENT_MISCHIEF, 0);
    if (!fake_virtio_receive(&card, frame->bytes, frame->length, 0)) {
        world.count.congested++;
        return;
    }
    later(&received_due, EVENT_RECEIVED);
}

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

static void gather_all(void)
{
    while (held_count < HELD_MAX && fake_virtio_pop(&card, QUEUE_TX, &held[held_count])) {
        fake_virtio_gather(&card, &held[held_count++], &sent);
        checksum_complete(&sent);
        network_carry(sent.data, sent.length, false);
    }
}

/* The frames are out: the chains go back, in their order or not. */
static void return_held(void)
{
    while (held_count) {
        uint32_t n = world.options.card_reorder ? (uint32_t)random_below(held_count) : 0;
        fake_virtio_push(&card, QUEUE_TX, held[n].head, 0);
        memmove(&held[n], &held[n + 1], (--held_count - n) * sizeof(held[0]));
    }
    fake_virtio_flush(&card, QUEUE_TX);
}

void nic_event(enum event_kind kind)
{
    switch (kind) {
    case EVENT_TRANSMIT:
        transmit_due = false;
        if (!ready(QUEUE_TX))
            return;
        gather_all();
        if (held_count)
            later(&sent_due, EVENT_SENT);
        break;
    case EVENT_SENT:
        sent_due = false;
        if (!ready(QUEUE_TX)) {
            held_count = 0;
            return;
        }
        return_held();
        fake_virtio_decide(&card, QUEUE_TX);
        /* There may be more; if not, the driver is asked to ring for it. */
        later(&transmit_due, EVENT_TRANSMIT);
        break;
    case EVENT_RECEIVED:
        received_due = false;
        if (ready(QUEUE_RX))
            fake_virtio_decide(&card, QUEUE_RX);
        break;
    case EVENT_MISCHIEF:
        mischief();
        break;
    default:
        break;
    }
    interrupts_deliver();
}

static void notified(struct fake_virtio *fake, uint32_t queue)
{
    (void)fake;
    if (queue == QUEUE_TX)
        later(&transmit_due, EVENT_TRANSMIT);
}

bool nic_rests(uint32_t *posted)
{
    const struct fake_queue *queue = &card.queue[QUEUE_RX];
    if (!ready(QUEUE_RX) || received_due || queue->undecided || lost_vectors || world.count.lies)
        return false;
    const struct vring_avail *available = phys_to_virt(queue->avail);
    *posted = (uint16_t)(available->idx - queue->used_index);
    return true;
}

/* --- registers --- */

static bool in_bar(uint64_t physical, uint32_t n, uint32_t *offset)
{
    *offset = (uint32_t)(physical - bar_address[n]);
    return physical >= bar_address[n] && physical - bar_address[n] < bar_bytes[n];
}

uint32_t nic_register_read(uint64_t physical, uint32_t bytes)
{
    uint32_t offset;
    if (in_bar(physical, FAKE_BAR, &offset))
        return card.model.read(&card.model, offset, bytes);
    return UINT32_MAX;
}

void nic_register_write(uint64_t physical, uint32_t bytes, uint32_t value)
{
    uint32_t offset;
    if (in_bar(physical, FAKE_BAR, &offset)) {
        card.model.write(&card.model, offset, bytes, value);
        if (!card.status) /* it was reset: what it had is none of its business any more */
            held_count = lost_vectors = 0;
        interrupts_deliver();
    } else if (in_bar(physical, MSIX_BAR, &offset) && bytes == 4 && offset < sizeof(msix)) {
        msix[offset / 4] = value;
    }
}

void nic_start(void)
{
    fake_virtio_init(&card, &function);
    fake_virtio_grant_at(&card, SIM_MEMORY_FIRST, sim_memory, sim_pages * PAGE_BYTES);
    if (!world.options.card_event_idx)
        card.offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    if (!world.options.card_merge)
        card.offered &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
    card.lies = world.options.card_lies != 0;
    card.thinks_later = true;
    card.on_notify = notified;
    function.pin = world.options.card_pin != 0;
    function.msi = world.options.card_msi && !function.pin;
    function.vectors = function.pin || function.msi ? 1 : VECTORS;
    bar_set(MSIX_BAR, SIM_DEVICE_FIRST, MSIX_BAR_BYTES);
    bar_set(FAKE_BAR, SIM_DEVICE_FIRST + 0x10000, FAKE_BAR_BYTES);
    interrupts_describe();
    memset(msix, 0xff, sizeof(msix)); /* masked */
}
