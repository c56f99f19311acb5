/* SPDX-License-Identifier: ISC
 *
 * The domain of fake_domain.h.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libos/swap.h"
#include "tests/unit/fake_domain.h"

enum { NAME_BYTES = 32, VALUE_BYTES = 256, LOG_TEXT_BYTES = 256 * 1024 };

struct fake_conn {
    struct conn conn;
    struct domain *domain;
    struct msg queue[FAKE_QUEUE_MAX];
    uint32_t head, waiting, capacity;
};

struct fake_pool {
    char name[NAME_BYTES];
    struct pool pool;
    uint8_t *memory;
};

struct fake_setting {
    char key[NAME_BYTES];
    char value[VALUE_BYTES];
};

struct fake_file {
    char name[NAME_BYTES];
    void *data;
    size_t size;
};

void (*fake_domain_before_entry)(struct domain *domain);

struct domain {
    bool started, swaps;
    uint32_t acknowledged; /* pins, so often */
    const struct server *server;
    void *state;
    struct fake_conn *conns[FAKE_CONNS_MAX];
    struct fake_pool pools[FAKE_POOLS_MAX];
    struct fake_setting settings[FAKE_SETTINGS_MAX];
    struct fake_file files[FAKE_FILES_MAX];
    struct device devices[FAKE_DEVICES_MAX];
    uint32_t conn_count, pool_count, setting_count, file_count, device_count;
    uint64_t counters[FAKE_COUNTERS_MAX];
    uint64_t time, deadline, random;
    struct fake_watched *watched;
    uint32_t watched_count;
    void *staging; /* the test's */
    uint32_t staging_bytes;
    struct supervisor_staged staged;
    struct msg asked; /* op 0: none */
    bool full;
    char log[LOG_TEXT_BYTES];
    size_t log_length;
};

struct domain *fake_domain_create(const struct server *server)
{
    struct domain *domain = calloc(1, sizeof(*domain));
    assert(domain && server->counter_count <= FAKE_COUNTERS_MAX);
    domain->server = server;
    domain->state = calloc(1, server->state_size);
    assert(domain->state);
    domain->time = 1000000000; /* a second after boot */
    domain->random = 1;
    return domain;
}

void fake_domain_destroy(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->conn_count; i++)
        free(domain->conns[i]);
    for (uint32_t i = 0; i < domain->pool_count; i++)
        free(domain->pools[i].memory);
    for (uint32_t i = 0; i < domain->file_count; i++)
        free(domain->files[i].data);
    free(domain->watched);
    free(domain->state);
    free(domain);
}

static void copy_text(char *to, size_t size, const char *from)
{
    int length = snprintf(to, size, "%s", from);
    assert(length >= 0 && (size_t)length < size);
}

static enum error fake_put(struct conn *conn, const struct msg *m)
{
    struct fake_conn *fake = conn->transport;
    assert(!fake->domain->swaps);
    if (fake->waiting >= fake->capacity)
        return ERROR_FULL;
    fake->queue[(fake->head + fake->waiting++) % FAKE_QUEUE_MAX] = *m;
    return OK;
}

static uint32_t fake_room(struct conn *conn)
{
    struct fake_conn *fake = conn->transport;
    return fake->waiting < fake->capacity ? fake->capacity - fake->waiting : 0;
}

static uint8_t port_number(const struct server *server, const char *port)
{
    for (uint64_t i = 0; i < server->port_count; i++)
        if (!strcmp(server->ports[i].name, port))
            return (uint8_t)i;
    assert(!"the server declares no such port");
    return 0;
}

struct conn *fake_domain_connect(struct domain *domain, const char *port, uint32_t instance)
{
    assert(domain->conn_count < FAKE_CONNS_MAX && !domain_conn(domain, port, instance));
    struct fake_conn *fake = calloc(1, sizeof(*fake));
    assert(fake);
    uint8_t number = port_number(domain->server, port);
    fake->domain = domain;
    fake->capacity = FAKE_QUEUE_MAX;
    fake->conn = (struct conn){.put = fake_put,
                               .room = fake_room,
                               .transport = fake,
                               .role = (uint8_t)domain->server->ports[number].role,
                               .port = number,
                               .instance = (uint16_t)instance};
    domain->conns[domain->conn_count++] = fake;
    return &fake->conn;
}

struct pool *fake_domain_add_pool(struct domain *domain, const char *name, uint8_t number,
                                  uint32_t buffers, uint32_t buffer_size, uint8_t rights)
{
    assert(domain->pool_count < FAKE_POOLS_MAX && !domain_pool(domain, number));
    assert(buffers >= 1 && buffers <= POOL_BUFFERS_MAX);
    assert(buffer_size >= 64 && buffer_size <= 65536 && !(buffer_size & (buffer_size - 1)));
    struct fake_pool *fake = &domain->pools[domain->pool_count++];
    copy_text(fake->name, sizeof(fake->name), name);
    fake->memory = calloc(buffers, buffer_size);
    assert(fake->memory);
    fake->pool = (struct pool){
        .base = rights & (POOL_READ | POOL_WRITE) ? fake->memory : NULL,
        .physical = rights & POOL_DMA ? (uint64_t)(uintptr_t)fake->memory : 0,
        .buffers = buffers,
        .buffer_size = buffer_size,
        .rights = rights,
        .number = number,
    };
    return &fake->pool;
}

uint8_t *fake_pool_memory(struct domain *domain, uint32_t number)
{
    for (uint32_t i = 0; i < domain->pool_count; i++)
        if (domain->pools[i].pool.number == number)
            return domain->pools[i].memory;
    assert(!"no such pool");
    return NULL;
}

void fake_domain_set(struct domain *domain, const char *key, const char *value)
{
    assert(domain->setting_count < FAKE_SETTINGS_MAX);
    struct fake_setting *setting = &domain->settings[domain->setting_count++];
    copy_text(setting->key, sizeof(setting->key), key);
    copy_text(setting->value, sizeof(setting->value), value);
}

void fake_domain_add_file(struct domain *domain, const char *name, const void *data, size_t size)
{
    assert(domain->file_count < FAKE_FILES_MAX);
    struct fake_file *file = &domain->files[domain->file_count++];
    copy_text(file->name, sizeof(file->name), name);
    file->data = malloc(size ? size : 1);
    assert(file->data);
    memcpy(file->data, data, size);
    file->size = size;
}

struct device *fake_domain_add_device(struct domain *domain)
{
    assert(domain->device_count < FAKE_DEVICES_MAX);
    return &domain->devices[domain->device_count++];
}

enum error fake_domain_start(struct domain *domain)
{
    enum error error = domain->server->start(domain->state, domain);
    domain->started = !error;
    return error;
}

/* All entries but `start` go this way. */
static void entry(struct domain *domain)
{
    if (fake_domain_before_entry && domain->started)
        fake_domain_before_entry(domain);
}

bool fake_domain_deliver(struct domain *domain, struct conn *conn, const struct msg *m)
{
    struct msg copy = *m;
    entry(domain);
    return domain->server->receive(domain->state, conn, &copy);
}

void fake_domain_signal(struct domain *domain, uint32_t device, uint32_t bits)
{
    entry(domain);
    domain->server->signal(domain->state, device, bits);
}

void fake_domain_batch_end(struct domain *domain)
{
    entry(domain);
    domain->server->batch_end(domain->state);
}

void fake_domain_message(struct domain *domain, const struct msg *m)
{
    entry(domain);
    domain->server->message(domain->state, m);
}

void fake_domain_advance(struct domain *domain, uint64_t nanoseconds)
{
    uint64_t end = domain->time + nanoseconds;
    while (domain->deadline && domain->deadline <= end) {
        if (domain->time < domain->deadline)
            domain->time = domain->deadline;
        entry(domain);
        domain->deadline = 0;
        domain->server->deadline(domain->state);
        fake_domain_batch_end(domain);
        /* A server that sets a deadline in the past again and again would never end here. */
        assert(!domain->deadline || domain->deadline > domain->time);
    }
    domain->time = end;
}

/* Swaps */

struct fake_life {
    uint8_t *state;
    uint64_t counters[FAKE_COUNTERS_MAX];
    uint64_t time, deadline, random;
};

struct fake_life *fake_life_keep(struct domain *domain)
{
    struct fake_life *life = malloc(sizeof(*life));
    assert(life);
    life->state = malloc(domain->server->state_size);
    assert(life->state);
    memcpy(life->state, domain->state, domain->server->state_size);
    memcpy(life->counters, domain->counters, sizeof(life->counters));
    life->time = domain->time;
    life->deadline = domain->deadline;
    life->random = domain->random;
    return life;
}

void fake_life_restore(struct domain *domain, struct fake_life *life)
{
    memcpy(domain->state, life->state, domain->server->state_size);
    memcpy(domain->counters, life->counters, sizeof(life->counters));
    domain->time = life->time;
    domain->deadline = life->deadline;
    domain->random = life->random;
    domain->asked.op = 0;
    for (uint32_t i = 0; i < domain->conn_count; i++)
        fake_conn_clear(&domain->conns[i]->conn);
    free(life->state);
    free(life);
}

enum error fake_domain_take_over(struct domain *domain,
                                 enum error (*load)(void *state, const void *context),
                                 const void *context)
{
    const uint64_t size = domain->server->state_size;
    const uint64_t deadline = domain->deadline, random = domain->random;
    uint8_t *old = malloc(size);
    assert(old);
    memcpy(old, domain->state, size);
    memset(domain->state, 0, size);
    domain->swaps = true;
    enum error error = domain->server->start(domain->state, domain);
    if (!error)
        error = load(domain->state, context);
    domain->swaps = false;
    domain->random = random; /* so that tests see the same numbers as without a swap */
    if (error) {
        memcpy(domain->state, old, size);
        domain->deadline = deadline;
    }
    free(old);
    return error;
}

const struct server *fake_domain_server(const struct domain *domain)
{
    return domain->server;
}

static bool inside(uint64_t number, const void *from, uint64_t bytes)
{
    return number - (uint64_t)(uintptr_t)from < bytes;
}

bool fake_domain_knows_address(const struct domain *domain, uint64_t number)
{
    const uint64_t program = 64ull << 20; /* bytes around the server's descriptor */
    bool known = inside(number, domain->state, domain->server->state_size) ||
                 inside(number, domain, sizeof(*domain)) ||
                 inside(number, (const uint8_t *)domain->server - program, 2 * program);
    for (uint32_t i = 0; i < domain->conn_count; i++)
        known |= inside(number, domain->conns[i], sizeof(*domain->conns[i]));
    for (uint32_t i = 0; i < domain->pool_count; i++)
        known |=
            inside(number, domain->pools[i].memory,
                   (uint64_t)domain->pools[i].pool.buffers * domain->pools[i].pool.buffer_size);
    for (uint32_t i = 0; i < domain->file_count; i++)
        known |= inside(number, domain->files[i].data, domain->files[i].size);
    return known;
}

bool domain_swaps(const struct domain *domain)
{
    return domain->swaps;
}

void *fake_domain_state(struct domain *domain)
{
    return domain->state;
}

uint64_t fake_domain_deadline(struct domain *domain)
{
    return domain->deadline;
}

uint64_t fake_domain_counter(struct domain *domain, const char *name)
{
    for (uint64_t i = 0; i < domain->server->counter_count; i++)
        if (!strcmp(domain->server->counters[i], name))
            return domain->counters[i];
    assert(!"the server has no such counter");
    return 0;
}

const char *fake_domain_log(struct domain *domain)
{
    return domain->log;
}

bool fake_domain_logged(struct domain *domain, const char *part)
{
    return strstr(domain->log, part) != NULL;
}

void fake_domain_clear_log(struct domain *domain)
{
    domain->log_length = 0;
    domain->log[0] = 0;
}

uint32_t fake_conn_waiting(struct conn *conn)
{
    struct fake_conn *fake = conn->transport;
    return fake->waiting;
}

bool fake_conn_pop(struct conn *conn, struct msg *m)
{
    struct fake_conn *fake = conn->transport;
    if (!fake->waiting)
        return false;
    *m = fake->queue[fake->head];
    fake->head = (fake->head + 1) % FAKE_QUEUE_MAX;
    fake->waiting--;
    return true;
}

void fake_conn_clear(struct conn *conn)
{
    struct fake_conn *fake = conn->transport;
    fake->waiting = 0;
}

void fake_conn_set_capacity(struct conn *conn, uint32_t messages)
{
    assert(messages <= FAKE_QUEUE_MAX);
    struct fake_conn *fake = conn->transport;
    fake->capacity = messages;
}

struct fake_watched *fake_domain_watch(struct domain *domain, uint32_t domains)
{
    assert(!domain->watched);
    domain->watched = calloc(domains, sizeof(*domain->watched));
    assert(domain->watched);
    domain->watched_count = domains;
    return domain->watched;
}

void fake_domain_set_staging(struct domain *domain, void *memory, uint32_t bytes)
{
    domain->staging = memory;
    domain->staging_bytes = bytes;
}

void fake_domain_set_staged(struct domain *domain, const struct supervisor_staged *staged)
{
    domain->staged = *staged;
}

bool fake_domain_asked(struct domain *domain, struct msg *m)
{
    *m = domain->asked;
    domain->asked.op = 0;
    return m->op;
}

void fake_domain_set_full(struct domain *domain, bool full)
{
    domain->full = full;
}

/* libos/supervisor.h */

enum error supervisor_ask(struct domain *domain, const struct msg *m)
{
    assert(!domain->swaps);
    if (domain->full)
        return ERROR_FULL;
    domain->asked = *m;
    return OK;
}

const struct log_page *supervisor_log(struct domain *domain, uint32_t number)
{
    return number < domain->watched_count ? &domain->watched[number].log : NULL;
}

const struct counter_page *supervisor_counters(struct domain *domain, uint32_t number)
{
    return number && number < domain->watched_count ? &domain->watched[number].counters : NULL;
}

void *supervisor_staging(struct domain *domain, uint32_t *bytes)
{
    *bytes = domain->staging_bytes;
    return domain->staging;
}

struct supervisor_staged supervisor_staged(struct domain *domain)
{
    return domain->staged;
}

const struct kernel_info *supervisor_kernel(struct domain *domain)
{
    static const struct kernel_info info = {.clock_frequency = 1000000000, .build = "fake"};
    (void)domain;
    return &info;
}

/* libos/domain.h */

struct conn *domain_conn(struct domain *domain, const char *name, uint32_t instance)
{
    for (uint32_t i = 0; i < domain->conn_count; i++) {
        struct conn *conn = &domain->conns[i]->conn;
        if (conn->instance == instance && !strcmp(domain->server->ports[conn->port].name, name))
            return conn;
    }
    return NULL;
}

const struct pool *domain_pool(struct domain *domain, uint32_t number)
{
    for (uint32_t i = 0; i < domain->pool_count; i++)
        if (domain->pools[i].pool.number == number && domain->pools[i].pool.rights)
            return &domain->pools[i].pool;
    return NULL;
}

const struct pool *domain_pool_named(struct domain *domain, const char *name)
{
    for (uint32_t i = 0; i < domain->pool_count; i++)
        if (!strcmp(domain->pools[i].name, name) && domain->pools[i].pool.rights)
            return &domain->pools[i].pool;
    return NULL;
}

const struct device *domain_device(struct domain *domain, uint32_t n)
{
    return n < domain->device_count ? &domain->devices[n] : NULL;
}

void domain_acknowledge(struct domain *domain, const struct device *device)
{
    (void)device;
    assert(!domain->swaps);
    domain->acknowledged++;
}

const void *domain_file(struct domain *domain, const char *name, size_t *size)
{
    for (uint32_t i = 0; i < domain->file_count; i++)
        if (!strcmp(domain->files[i].name, name)) {
            *size = domain->files[i].size;
            return domain->files[i].data;
        }
    return NULL;
}

const char *domain_setting(struct domain *domain, const char *key)
{
    for (uint32_t i = 0; i < domain->setting_count; i++)
        if (!strcmp(domain->settings[i].key, key))
            return domain->settings[i].value;
    return NULL;
}

uint64_t *domain_counters(struct domain *domain)
{
    return domain->counters;
}

void domain_log(struct domain *domain, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    assert(length >= 0 && (size_t)length < sizeof(line));
    if (domain->log_length + (size_t)length + 2 > sizeof(domain->log))
        fake_domain_clear_log(domain); /* as the real one: the oldest lines are lost */
    domain->log_length += (size_t)snprintf(domain->log + domain->log_length,
                                           sizeof(domain->log) - domain->log_length, "%s\n", line);
}

uint64_t domain_time(struct domain *domain)
{
    return domain->time;
}

void domain_set_deadline(struct domain *domain, uint64_t time)
{
    domain->deadline = time;
}

uint64_t domain_random(struct domain *domain)
{
    /* splitmix64: the tests want the same numbers every time */
    uint64_t z = domain->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}
