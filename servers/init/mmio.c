/* SPDX-License-Identifier: ISC
 *
 * Virtio devices over MMIO: finds those that the command line names (mmio_word.h), reads their type
 * and gives each to the domain that claims it. (virtio 1.1, section 4.2.)
 *
 * Register blocks are smaller than a page, so that several devices can lie on one, and a domain
 * that can touch one of them can touch all. So a device is given only if all on its pages are
 * claimed by the same domain; else it isn't used, and init says which one stands in the way.
 */
#include <string.h>

#include "libos/syscall.h"
#include "servers/init/devices.h"
#include "servers/init/mmio_word.h"

enum {
    BLOCKS_MAX = 32,
    REGISTER_MAGIC = 0x00,
    REGISTER_TYPE = 0x08,
    MAGIC = 0x74726976, /* "virt" */
};

#define PROBE_WINDOW (SCRATCH_WINDOW + 0x20000ull)

struct block {
    struct mmio_block at;
    uint16_t type; /* VIRTIO_ID_...; 0: no device */
    char name[DEVICE_TEXT_BYTES];
};

struct blocks {
    struct block block[BLOCKS_MAX];
    uint32_t count;
};

static bool share_page(const struct mmio_block *a, const struct mmio_block *b)
{
    return mmio_first_page(a) <= mmio_last_page(b) && mmio_first_page(b) <= mmio_last_page(a);
}

static bool overlap(const struct mmio_block *a, const struct mmio_block *b)
{
    return a->address < b->address + b->size && b->address < a->address + a->size;
}

static const char *block_refused(const struct blocks *blocks, const struct mmio_block *at)
{
    if (blocks->count == BLOCKS_MAX)
        return "there are more than 32";
    for (uint32_t i = 0; i < blocks->count; i++)
        if (overlap(&blocks->block[i].at, at))
            return "it overlaps another one";
    return NULL;
}

/* Takes what the words say, or says what is wrong with one. */
static void words_read(const struct settings *settings, struct blocks *blocks)
{
    const uint32_t length = sizeof(MMIO_WORD_KEY) - 1;
    const char *entry = NULL;
    while ((entry = settings_next(settings, entry))) {
        struct block block = {0};
        if (!setting_matches(MMIO_WORD_KEY, entry, setting_key_length(entry)))
            continue;
        const char *wrong = mmio_word_parse(entry + length + 1, &block.at);
        if (!wrong)
            wrong = block_refused(blocks, &block.at);
        if (wrong)
            console_print("init: \"%s\": %s: it isn't used", entry, wrong);
        else
            blocks->block[blocks->count++] = block;
    }
}

/* The type that the registers tell; 0: there is no device, or they are no virtio device's. */
static uint16_t type_read(struct init *init, const struct mmio_block *at)
{
    uint64_t inside = at->address % PAGE_BYTES;
    if (!device_page_open(init, at->address - inside, PROBE_WINDOW, RIGHT_READ))
        return 0;
    const struct device_bar registers = {.base = (volatile uint8_t *)(PROBE_WINDOW + inside),
                                         .size = at->size};
    uint32_t magic = device_read32(&registers, REGISTER_MAGIC);
    uint32_t type = device_read32(&registers, REGISTER_TYPE);
    device_page_close(init);
    return magic == MAGIC && type <= UINT16_MAX ? (uint16_t)type : 0;
}

static void blocks_probe(struct init *init, struct blocks *blocks)
{
    for (uint32_t i = 0; i < blocks->count; i++) {
        struct block *block = &blocks->block[i];
        struct device place = {.bus_kind = DEVICE_VIRTIO_MMIO, .address = block->at.address};
        device_text(&place, block->name);
        block->type = type_read(init, &block->at);
        if (!block->type)
            console_print("init: %s: no virtio device there", block->name);
    }
}

/* Whether a claim of that domain fits the type. */
static bool domain_claims(const struct claims *claims, uint32_t domain, uint16_t type)
{
    for (uint32_t i = 0; i < claims->count; i++)
        if (claims->claim[i].device->domain == domain && claims->claim[i].device->virtio == type)
            return true;
    return false;
}

/* Another device on the same page that isn't this domain's to touch; NULL: none. */
static const struct block *foreign_neighbour(const struct blocks *blocks, const struct block *block,
                                             const struct claims *claims, uint32_t domain)
{
    for (uint32_t i = 0; i < blocks->count; i++) {
        const struct block *other = &blocks->block[i];
        if (other != block && other->type && share_page(&other->at, &block->at) &&
            !domain_claims(claims, domain, other->type))
            return other;
    }
    return NULL;
}

static void block_give(struct init *init, struct claim *claim, const struct block *block)
{
    struct start_device device = {.server = claim->device->server};
    device.device.bus_kind = DEVICE_VIRTIO_MMIO;
    device.device.id = block->type;
    device.device.address = block->at.address;
    registers_give(init, claim, &device.device.bar[0], block->at.address, block->at.size);
    pin_give(init, claim, block->at.line, &device, block->name);
    device_append(init, claim, &device);
}

static void block_offer(struct init *init, struct claims *claims, const struct blocks *blocks,
                        const struct block *block)
{
    struct identity identity = {.virtio = block->type};
    struct claim *claim = claim_find(init, claims, identity, block->name);
    if (!claim || !containment_allows(init, claim, false, block->name))
        return;
    const struct block *other = foreign_neighbour(blocks, block, claims, claim->device->domain);
    if (!other) {
        block_give(init, claim, block);
        return;
    }
    claim->given--;
    console_print("init: %s: not used: %s (virtio type %u) lies on the same page and isn't %s's",
                  block->name, other->name, other->type, init->domain[claim->device->domain].name);
}

bool mmio_scan(struct init *init, struct claims *claims)
{
    struct blocks blocks = {.count = 0};
    words_read(&init->settings, &blocks);
    blocks_probe(init, &blocks);
    for (uint32_t i = 0; i < blocks.count; i++)
        if (blocks.block[i].type)
            block_offer(init, claims, &blocks, &blocks.block[i]);
    return blocks.count;
}
