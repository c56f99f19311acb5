/* SPDX-License-Identifier: ISC
 *
 * A driver that points its device where it mustn't: QEMU's `edu` (docs/specs/edu.txt of QEMU),
 * which copies between memory and a buffer of its own. First it copies within its own pool, then
 * from and to the physical address in the setting wild.target. tests/system/test_iommu.py looks at
 * what happens.
 */
#include <string.h>

#include "libos/domain.h"
#include "libos/restart.h"
#include "libos/server.h"

enum {
    /* edu's registers, and its buffer as its DMA engine sees it */
    DMA_SOURCE = 0x80,
    DMA_DESTINATION = 0x88,
    DMA_COUNT = 0x90,
    DMA_COMMAND = 0x98,
    DMA_START = 1,
    DMA_TO_MEMORY = 2,
    DEVICE_BUFFER = 0x40000,

    BYTES = 64,
    TURN_NS = 500000000, /* the device takes 100 ms for a transfer */
    MINE = 0x5a,
    UNTOUCHED = 0x11,
};

struct wild {
    struct domain *domain;
    const struct device_bar *bar;
    const struct pool *pool;
    uint64_t target;
    bool tame; /* a later life: it stays in its own pool */
    uint32_t turn;
};

static void write64(const struct wild *w, uint32_t offset, uint64_t value)
{
    device_write32(w->bar, offset, (uint32_t)value);
    device_write32(w->bar, offset + 4, (uint32_t)(value >> 32));
}

static void copy(const struct wild *w, uint64_t memory, bool to_memory)
{
    write64(w, DMA_SOURCE, to_memory ? DEVICE_BUFFER : memory);
    write64(w, DMA_DESTINATION, to_memory ? memory : DEVICE_BUFFER);
    write64(w, DMA_COUNT, BYTES);
    write64(w, DMA_COMMAND, DMA_START | (to_memory ? DMA_TO_MEMORY : 0));
}

static bool all(const uint8_t *bytes, uint8_t value)
{
    for (int i = 0; i < BYTES; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static void wild_deadline(void *state)
{
    struct wild *w = state;
    uint8_t *first = w->pool->base, *second = first + BYTES;
    switch (w->turn++) {
    case 0:
        memset(first, MINE, BYTES);
        memset(second, UNTOUCHED, BYTES);
        copy(w, w->pool->physical, false);
        break;
    case 1:
        copy(w, w->pool->physical + BYTES, true);
        break;
    case 2:
        domain_log(w->domain, "own memory: %s", all(second, MINE) ? "reached" : "NOT REACHED");
        if (w->tame)
            return;
        copy(w, w->target, true); /* what is in the device's buffer: MINE */
        break;
    case 3:
        copy(w, w->target, false);
        break;
    case 4:
        memset(second, UNTOUCHED, BYTES);
        copy(w, w->pool->physical + BYTES, true);
        break;
    default:
        domain_log(w->domain, "then: %s",
                   all(second, UNTOUCHED) ? "the device is silent"
                   : all(second, MINE)    ? "the device works"
                                          : "the device has what isn't mine");
        return;
    }
    domain_set_deadline(w->domain, domain_time(w->domain) + TURN_NS);
}

static enum error wild_start(void *state, struct domain *domain)
{
    struct wild *w = state;
    const struct device *device = domain_device(domain, 0);
    const char *target = domain_setting(domain, "wild.target");
    w->domain = domain;
    w->pool = domain_pool_named(domain, "own");
    if (!device) {
        domain_log(domain, "no device");
        return OK;
    }
    if (!target || !w->pool)
        return ERROR_NOT_FOUND;
    w->bar = &device->bar[0];
    for (; *target; target++)
        w->target = w->target * 10 + (uint64_t)(*target - '0');
    domain_set_deadline(domain, domain_time(domain) + TURN_NS);
    return OK;
}

static bool wild_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct wild *w = state;
    (void)conn;
    w->tame |= what == RESTARTED_SELF;
    return true;
}

const struct server motet_server_wild;
static const char *const settings[] = {"wild.target"};
const struct server motet_server_wild = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "wild",
    .state_size = sizeof(struct wild),
    .stack_bytes = 1024,
    .settings = settings,
    .setting_count = 1,
    .start = wild_start,
    .deadline = wild_deadline,
};
SERVER_EXPORT(motet_server_wild);
SERVER_RESTARTED(motet_server_wild, wild_restarted);
