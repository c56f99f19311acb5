/* SPDX-License-Identifier: ISC
 *
 * The services of libos/domain.h, and setting them up from the start page. Called by servers and by
 * start.c. The start page is compose's and init's word and isn't checked again; everything a server
 * asks for that isn't there is answered with NULL.
 */
#include <string.h>

#include "libos/clock.h"
#include "libos/format.h"
#include "libos/heap.h"
#include "libos/kernel.h"
#include "libos/state.h"

static enum error servers_init(struct libos *libos, const struct linked *linked,
                               struct counter_page *page)
{
    const struct start_page *start = libos->start;
    if (linked->count > DOMAIN_SERVERS_MAX)
        return ERROR_LIMIT;
    uint64_t end = LIBOS_PRIVATE_BYTES;
    for (uint64_t i = 0; i < linked->count; i++) {
        struct domain *domain = &libos->domain[i];
        const struct server *server = linked->servers[i];
        *domain = (struct domain){
            .libos = libos,
            .server = server,
            .state = (void *)(start->private_address + end),
            .counters = counters_add(page, server->counters, server->counter_count),
            .number = (uint8_t)i,
            .active = true, /* until all have started */
        };
        page->server_end[i] = (uint16_t)page->count;
        end = state_end(end, server->state_size);
        if (!domain->counters)
            return ERROR_LIMIT;
        if (end > start->private_bytes)
            return ERROR_NO_MEMORY;
    }
    libos->domains_end = libos->domain + linked->count;
    return OK;
}

static enum error links_init(struct libos *libos)
{
    const struct start_conn *from = libos->start->conn;
    struct link **last[START_TRANSPORTS];
    for (uint32_t i = 0; i < START_TRANSPORTS; i++)
        last[i] = &libos->links_by[i];
    libos->links_end = libos->link + libos->start->conns;
    for (struct link *link = libos->link; link < libos->links_end; link++, from++) {
        const struct transport *transport = libos->transport[from->transport];
        if (!transport)
            return ERROR_NOT_FOUND;
        link->conn.role = from->role;
        link->conn.port = from->port;
        link->conn.instance = from->instance;
        link->domain = &libos->domain[from->server];
        transport->open(libos, link, from);
        *last[from->transport] = link;
        last[from->transport] = &link->next;
    }
    for (uint32_t i = 0; i < START_TRANSPORTS; i++)
        if (!libos->links_by[i])
            libos->transport[i] = NULL;
    return OK;
}

static void pools_init(struct libos *libos)
{
    const struct start_page *start = libos->start;
    for (uint32_t i = 0; i < start->pools; i++) {
        const struct start_pool *from = &start->pool[i];
        libos->pool[i] = (struct pool){
            .base = (uint8_t *)from->base,
            .physical = from->physical,
            .buffers = from->buffers,
            .buffer_size = from->buffer_size,
            .rights = from->rights,
            .number = from->number,
        };
        /* The first of a pool's entries is the one whose physical address init fills in. */
        if (from->rights && !libos->pool_index[from->number])
            libos->pool_index[from->number] = (uint8_t)(i + 1);
    }
}

static struct heap *heap_of(const struct start_page *start)
{
    return (struct heap *)start->heap.state;
}

enum error domain_init(struct libos *libos, const struct start_page *start,
                       const struct kernel_info *info, const struct linked *linked)
{
    static const char *const names[COUNT_LIBOS] = {
        [COUNT_BROKEN_CHANNELS] = "libos_broken_channels",
        [COUNT_STALLS] = "libos_stalls",
        [COUNT_PORT_MESSAGES] = "libos_port_messages",
    };
    struct counter_page *page = (struct counter_page *)start->counters_address;
    page->count = 0;
    libos->start = start;
    libos->info = info;
    memcpy(libos->transport, linked->transport, sizeof(libos->transport));
    libos->restarts = linked->restarts;
    libos->swaps = linked->swaps;
    libos->takes_over = linked->swaps && start->swaps;
    libos->log = (struct log_page *)start->log_address;
    libos->counters = counters_add(page, names, COUNT_LIBOS);
    page->libos_end = COUNT_LIBOS;
    libos->clock_scale = clock_scale(info);
    libos->random[0] = info->seed[0] ^ start->domain ^ (uint64_t)start->restarts << 32;
    libos->random[1] = info->seed[1];
    libos->turn = libos->domain;
    libos->happened = true; /* so that batch_end follows start */
    enum error error = servers_init(libos, linked, page);
    if (!error)
        error = links_init(libos);
    if (error)
        return error;
    pools_init(libos);
    if (start->heap.state)
        heap_init(heap_of(start), start->heap.address, start->heap.blocks);
    return OK;
}

struct conn *domain_conn(struct domain *domain, const char *name, uint32_t instance)
{
    struct libos *libos = domain->libos;
    const struct start_conn *from = libos->start->conn;
    for (struct link *link = libos->link; link < libos->links_end; link++, from++)
        if (link->domain == domain && link->conn.instance == instance && !strcmp(from->name, name))
            return &link->conn;
    return NULL;
}

const struct pool *domain_pool(struct domain *domain, uint32_t number)
{
    struct libos *libos = domain->libos;
    if (number >= sizeof(libos->pool_index) || !libos->pool_index[number])
        return NULL;
    return &libos->pool[libos->pool_index[number] - 1];
}

static bool is_for(const struct domain *domain, uint8_t server)
{
    return server == domain->number || server == START_EVERY_SERVER;
}

const struct pool *domain_pool_named(struct domain *domain, const char *name)
{
    const struct start_page *start = domain->libos->start;
    for (uint32_t i = 0; i < start->pools; i++)
        if (is_for(domain, start->pool[i].server) && !strcmp(start->pool[i].name, name))
            return domain_pool(domain, start->pool[i].number);
    return NULL;
}

const struct device *domain_device(struct domain *domain, uint32_t n)
{
    const struct start_page *start = domain->libos->start;
    for (uint32_t i = 0; i < start->devices; i++)
        if (start->device[i].server == domain->number && !n--)
            return &start->device[i].device;
    return NULL;
}

void domain_acknowledge(struct domain *domain, const struct device *device)
{
    const struct start_page *start = domain->libos->start;
    for (uint32_t i = 0; i < start->devices; i++)
        if (&start->device[i].device == device && start->device[i].irq_slot)
            kernel_acknowledge(start->device[i].irq_slot);
}

const void *domain_file(struct domain *domain, const char *name, size_t *size)
{
    const struct start_page *start = domain->libos->start;
    for (uint32_t i = 0; i < start->files; i++)
        if (is_for(domain, start->file[i].server) && !strcmp(start->file[i].name, name)) {
            *size = start->file[i].size;
            return (const void *)start->file[i].address;
        }
    return NULL;
}

const char *domain_setting(struct domain *domain, const char *key)
{
    size_t length = strlen(key);
    const char *setting = domain->libos->start->settings, *found = NULL;
    for (; *setting; setting += strlen(setting) + 1)
        if (strlen(setting) > length && !memcmp(setting, key, length) && setting[length] == '=')
            found = setting + length + 1; /* the last one wins: see boot_settings_give of init */
    return found;
}

void *domain_heap_alloc(struct domain *domain, size_t bytes)
{
    struct heap *heap = heap_of(domain->libos->start);
    return heap ? heap_alloc(heap, bytes) : NULL;
}

bool domain_heap_free(struct domain *domain, void *memory, size_t bytes)
{
    struct heap *heap = heap_of(domain->libos->start);
    return heap && heap_free(heap, memory, bytes);
}

void *domain_heap(struct domain *domain, size_t *size)
{
    const struct start_heap *heap = &domain->libos->start->heap;
    *size = heap->blocks * (size_t)HEAP_BLOCK_BYTES;
    return (void *)heap->address;
}

const struct trace_header *domain_trace(struct domain *domain)
{
    return (const struct trace_header *)domain->libos->start->trace_address;
}

uint64_t *domain_counters(struct domain *domain)
{
    return domain->counters;
}

/* Where several servers share the log, each line begins with whose it is. */
void domain_log(struct domain *domain, const char *pattern, ...)
{
    const struct libos *libos = domain->libos;
    char line[LOG_LINE_BYTES];
    size_t length = 0;
    va_list arguments;
    va_start(arguments, pattern);
    if (libos->domains_end > libos->domain + 1) {
        length = strlen(domain->server->name);
        memcpy(line, domain->server->name, length);
        line[length++] = ':';
        line[length++] = ' ';
    }
    length += format(line + length, sizeof(line) - length, pattern, arguments);
    va_end(arguments);
    log_write(libos->log, line, length);
    domain->libos->log_new = true; /* the loop tells the supervisor, once per round */
}

bool domain_swaps(const struct domain *domain)
{
    return domain->libos->takes_over;
}

uint64_t domain_time(struct domain *domain)
{
    return clock_nanoseconds(domain->libos->info, kernel_clock());
}

void domain_set_deadline(struct domain *domain, uint64_t time)
{
    struct libos *libos = domain->libos;
    domain->deadline = time;
    uint64_t earliest = 0;
    for (domain = libos->domain; domain < libos->domains_end; domain++)
        if (domain->deadline - 1 < earliest - 1) /* 0, none, is the latest */
            earliest = domain->deadline;
    libos->deadline = earliest;
}

/* splitmix64 with a secret increment: even and fast, but whoever sees enough of it can compute the
 * rest. Only RDRAND's bits, where there are any, make it hard to guess. */
uint64_t domain_random(struct domain *domain)
{
    struct libos *libos = domain->libos;
    uint64_t z = libos->random[0] += libos->random[1] | 1;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return libos->info->cpu_features & CPU_RDRAND ? z ^ kernel_random() : z;
}
