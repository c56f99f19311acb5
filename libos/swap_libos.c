/* SPDX-License-Identifier: ISC
 *
 * What the libOS itself carries over: counters by name, deadlines and what random numbers go on
 * from, and messages between servers of the domain.
 */
#include <string.h>

#include "libos/swap_state.h"

/* Counters that aren't zero. */
struct saved_counter {
    uint64_t value;
    uint8_t owner; /* 0: the libOS's; 1 + server */
    char name[COUNTER_NAME_BYTES - 1];
};

static struct counter_page *counters_of(const struct libos *libos)
{
    return (struct counter_page *)libos->start->counters_address;
}

static void saved_counter_set(struct saved_counter *saved, const struct counter_page *page,
                              uint32_t n)
{
    *saved = (struct saved_counter){.value = page->value[n],
                                    .owner = (uint8_t)(counters_server(page, n) + 1)};
    memcpy(saved->name, page->name[n], sizeof(saved->name));
}

static uint32_t counters_save(const void *state, void *to)
{
    const struct counter_page *page = counters_of(state);
    struct saved_counter *saved = to;
    for (uint32_t n = 0; n < page->count; n++)
        if (page->value[n])
            saved_counter_set(saved++, page, n);
    return (uint32_t)((uint8_t *)saved - (uint8_t *)to);
}

/* A counter that the new version hasn't got is gone. */
static void counter_load(struct counter_page *page, const struct saved_counter *saved)
{
    for (uint32_t n = 0; n < page->count; n++)
        if (counters_server(page, n) + 1 == saved->owner &&
            !memcmp(page->name[n], saved->name, sizeof(saved->name)))
            page->value[n] = saved->value;
}

static enum error counters_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct counter_page *page = counters_of(state);
    const struct saved_counter *saved = from;
    (void)version;
    if (bytes % sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    memset(page->value, 0, sizeof(page->value));
    for (uint32_t i = 0; i < bytes / sizeof(*saved); i++)
        counter_load(page, &saved[i]);
    return OK;
}

/* One for each server, 0: none. */
static uint32_t deadlines_save(const void *state, void *to)
{
    const struct libos *libos = state;
    uint64_t *saved = to;
    for (const struct domain *domain = libos->domain; domain < libos->domains_end; domain++)
        *saved++ = domain->deadline;
    return (uint32_t)((uint8_t *)saved - (uint8_t *)to);
}

static enum error deadlines_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct libos *libos = state;
    const uint64_t *saved = from;
    (void)version;
    if (bytes != sizeof(*saved) * (uint64_t)(libos->domains_end - libos->domain))
        return ERROR_BAD_ARGUMENT;
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++, saved++) {
        if (*saved && !domain->server->deadline)
            return ERROR_BAD_ARGUMENT;
        domain_set_deadline(domain, *saved);
    }
    return OK;
}

/* A message, and whose it is: the receiving end's server, port and instance. */
struct saved_message {
    uint8_t server, port;
    uint16_t instance;
    uint32_t reserved;
    struct msg m;
};

uint32_t libos_queued(const struct libos *libos)
{
    uint32_t queued = 0;
    for (const struct link *link = libos->links_by[START_DIRECT]; link; link = link->next)
        queued += link->queue.put - link->queue.taken;
    return queued;
}

static uint32_t queues_save(const void *state, void *to)
{
    const struct libos *libos = state;
    struct saved_message *saved = to;
    for (const struct link *link = libos->links_by[START_DIRECT]; link; link = link->next)
        for (uint32_t at = link->queue.taken; at != link->queue.put; at++)
            *saved++ = (struct saved_message){.server = link->domain->number,
                                              .port = link->conn.port,
                                              .instance = link->conn.instance,
                                              .m = link->queue.entry[at & link->queue.mask]};
    return (uint32_t)((uint8_t *)saved - (uint8_t *)to);
}

static struct link *link_find(const struct libos *libos, const struct saved_message *saved)
{
    for (struct link *link = libos->links_by[START_DIRECT]; link; link = link->next)
        if (link->domain->number == saved->server && link->conn.port == saved->port &&
            link->conn.instance == saved->instance)
            return link;
    return NULL;
}

static enum error queues_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct libos *libos = state;
    const struct saved_message *saved = from;
    (void)version;
    if (bytes % sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < bytes / sizeof(*saved); i++) {
        struct link *link = link_find(libos, &saved[i]);
        if (!link)
            return ERROR_BAD_ARGUMENT;
        if (link->queue.put - link->queue.taken > link->queue.mask)
            return ERROR_LIMIT;
        link->queue.entry[link->queue.put++ & link->queue.mask] = saved[i].m;
        libos->queued = true;
    }
    return OK;
}

const struct state_record libos_records[LIBOS_RECORDS] = {
    {.name = "counters",
     .id = 1,
     .version = 1,
     .bytes_max = COUNTERS_MAX * sizeof(struct saved_counter),
     .save = counters_save,
     .load = counters_load},
    {.name = "deadlines",
     .id = 2,
     .version = 1,
     .bytes_max = DOMAIN_SERVERS_MAX * sizeof(uint64_t),
     .save = deadlines_save,
     .load = deadlines_load},
    {.name = "queues",
     .id = 3,
     .version = 1,
     .optional = 1,
     .bytes_max = LIBOS_QUEUED_MAX * sizeof(struct saved_message),
     .save = queues_save,
     .load = queues_load},
    {.name = "random", .id = 4, .version = 1, RECORD_OF(struct libos, random)},
};
