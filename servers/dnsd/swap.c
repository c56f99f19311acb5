/* SPDX-License-Identifier: ISC
 *
 * What dnsd hands over when it is swapped (libos/swap.h). Zones and settings are the new version's
 * own: a new zone file is swapped in this way. Each value is checked: a state that makes no sense
 * is refused.
 */
#include <string.h>

#include "libos/swap.h"
#include "servers/dnsd/dnsd.h"
#include "servers/dnsd/zone_checksum.h"
#include "servers/dnsd/zone_format.h"

extern const struct server motet_server_dnsd;

struct saved_port {
    uint8_t asked, binding;
    uint8_t reserved[6];
};

static uint32_t port_save(const void *state, void *to)
{
    const struct dnsd *dnsd = state;
    *(struct saved_port *)to = (struct saved_port){.asked = dnsd->asked, .binding = dnsd->binding};
    return sizeof(struct saved_port);
}

static enum error port_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct dnsd *dnsd = state;
    const struct saved_port *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    dnsd->asked = saved->asked != 0;
    dnsd->binding = saved->binding != 0;
    return OK;
}

/* The secret that clients' cookies were made with stays theirs, unless a setting gives one: that is
 * the same in both versions. */
static uint32_t secret_save(const void *state, void *to)
{
    const struct dnsd *dnsd = state;
    memcpy(to, dnsd->config.cookie_secret, COOKIE_SECRET_SIZE);
    return COOKIE_SECRET_SIZE;
}

static enum error secret_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct dnsd *dnsd = state;
    (void)version; /* there is one */
    if (bytes != COOKIE_SECRET_SIZE)
        return ERROR_BAD_ARGUMENT;
    memcpy(dnsd->config.cookie_secret, from, COOKIE_SECRET_SIZE);
    return OK;
}

static uint32_t sends_save(const void *state, void *to)
{
    return pool_owner_save(&((const struct dnsd *)state)->send_buffers, to);
}

static enum error sends_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    (void)version; /* there is one */
    return pool_owner_load(&((struct dnsd *)state)->send_buffers, from, bytes, HOLDER_STACK);
}

/* Queries that wait, oldest first. */
static uint32_t deferred_save(const void *state, void *to)
{
    const struct dnsd *dnsd = state;
    struct sock_datagram *saved = to;
    for (uint32_t i = 0; i < dnsd->deferred_count; i++)
        saved[i] = dnsd->deferred[(dnsd->deferred_first + i) % DEFERRED_MAX];
    return dnsd->deferred_count * (uint32_t)sizeof(*saved);
}

static enum error deferred_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct dnsd *dnsd = state;
    const struct sock_datagram *saved = from;
    const uint32_t count = bytes / (uint32_t)sizeof(*saved);
    (void)version; /* there is one */
    if (bytes % sizeof(*saved) || count > DEFERRED_MAX)
        return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < count; i++)
        if (pool_ref_check(dnsd->receive_pool, saved[i].data) != OK)
            return ERROR_BAD_ARGUMENT;
    memcpy(dnsd->deferred, saved, bytes);
    dnsd->deferred_first = 0;
    dnsd->deferred_count = (uint16_t)count;
    return OK;
}

/* The zones may be new ones that came from outside. Those of the image are under its own checksum.
 */
static bool zones_check(const struct dnsd *dnsd)
{
    size_t size;
    uint64_t checksum;
    const uint8_t *file = domain_file(dnsd->domain, "zones", &size);
    memcpy(&checksum, file + ZONE_AT_CHECKSUM, sizeof(checksum));
    if (zone_checksum(file, size) == checksum)
        return true;
    domain_log(dnsd->domain, "the zone database \"zones\" is damaged: its checksum is wrong");
    return false;
}

/* The buffers to give back are the stack's. */
static bool returned_check(const struct dnsd *dnsd)
{
    if (dnsd->returned.count > SOCK_DONE_MAX)
        return false;
    for (uint32_t i = 0; i < dnsd->returned.count; i++)
        if (dnsd->returned.index[i] >= dnsd->receive_pool->buffers)
            return false;
    return true;
}

static enum error dnsd_loaded(void *state)
{
    const struct dnsd *dnsd = state;
    return returned_check(dnsd) && zones_check(dnsd) ? OK : ERROR_BAD_ARGUMENT;
}

static const struct state_record records[] = {
    {.name = "port",
     .id = 1,
     .version = 1,
     .bytes_max = sizeof(struct saved_port),
     .save = port_save,
     .load = port_load},
    {.name = "cookie_secret",
     .id = 2,
     .version = 1,
     .bytes_max = COOKIE_SECRET_SIZE,
     .save = secret_save,
     .load = secret_load},
    {.name = "rate_limits", .id = 3, .version = 1, RECORD_OF(struct dnsd, rrl)},
    {.name = "send_buffers",
     .id = 4,
     .version = 1,
     .bytes_max = POOL_OWNER_BYTES(POOL_BUFFERS_MAX),
     .save = sends_save,
     .load = sends_load},
    {.name = "returned", .id = 5, .version = 1, RECORD_OF(struct dnsd, returned)},
    {.name = "deferred",
     .id = 6,
     .version = 1,
     .bytes_max = DEFERRED_MAX * sizeof(struct sock_datagram),
     .save = deferred_save,
     .load = deferred_load},
};
SERVER_SWAP(motet_server_dnsd, .records = records,
            .record_count = sizeof(records) / sizeof(records[0]), .loaded = dnsd_loaded);
