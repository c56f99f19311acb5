/* SPDX-License-Identifier: ISC
 *
 * The name server: takes queries from a datagram socket, has them answered (answer.c), sends the
 * answers. Serves what the image's zone database holds, on UDP port 53.
 *
 * Bounds: a query waits in `deferred` while there is no send buffer or no room in the connection.
 * Each waiting query holds one of the stack's receive buffers, so an honest stack never has more of
 * them waiting than that pool has buffers; a pool larger than `deferred` is refused at start.
 */
#include "servers/dnsd/dnsd.h"

#include <string.h>

#include "libos/restart.h"
#include "libos/swap.h"
#include "servers/dnsd/dnsd_settings.h"

static void flush_returned(struct dnsd *dnsd)
{
    struct msg m;
    if (dnsd->returned.count == 0)
        return;
    dnsd->returned.pool = dnsd->receive_pool->number;
    msg_set(&m, SOCK_RECV_DONE, &dnsd->returned, sizeof(dnsd->returned));
    if (conn_send(dnsd->net, &m) == OK)
        dnsd->returned.count = 0;
}

/* A query's buffer isn't needed any more. The caller has seen to it that there is room for one
 * message; a stack that takes room back has broken the connection. */
static void give_back(struct dnsd *dnsd, uint16_t index)
{
    if (dnsd->returned.count == SOCK_DONE_MAX)
        flush_returned(dnsd);
    if (dnsd->returned.count == SOCK_DONE_MAX)
        dnsd->counters[DNSD_COUNT_not_returned]++;
    else
        dnsd->returned.index[dnsd->returned.count++] = index;
}

/* The answer goes back where the query came from, from the address that was asked. */
static void send_answer(struct dnsd *dnsd, const struct sock_datagram *query, uint16_t buffer,
                        size_t length)
{
    struct buffer_ref data = {
        .pool = dnsd->send_pool->number, .index = buffer, .length = (uint16_t)length};
    struct msg m;
    msg_set(&m, SOCK_SEND, query, sizeof(*query));
    memcpy(m.bytes + offsetof(struct sock_datagram, data), &data, sizeof(data));
    if (conn_send(dnsd->net, &m) != OK)
        pool_take_back(&dnsd->send_buffers, buffer, HOLDER_STACK);
}

static void answer(struct dnsd *dnsd, const struct sock_datagram *datagram, uint16_t buffer)
{
    struct buffer_ref ref = {.pool = dnsd->send_pool->number, .index = buffer};
    size_t length = datagram->data.length;
    dnsd->client.address = datagram->peer;
    copy_octets(dnsd->query, pool_data(dnsd->receive_pool, datagram->data), length);
    length = answer_client_query(&dnsd->zones, &dnsd->config, &dnsd->client, dnsd->answer_counters,
                                 dnsd->query, length, pool_data(dnsd->send_pool, ref),
                                 dnsd->send_pool->buffer_size);
    if (length)
        send_answer(dnsd, datagram, buffer, length);
    else
        pool_take_back(&dnsd->send_buffers, buffer, HOLDER_STACK);
    give_back(dnsd, datagram->data.index);
}

/* Room for an answer, and in the list of buffers to return. Only who finds no room at all is woken
 * by it (ipc/conn.h): so the list is sent by itself, rather than room for two asked for. */
static bool has_room(struct dnsd *dnsd)
{
    if (dnsd->returned.count == SOCK_DONE_MAX)
        flush_returned(dnsd);
    return dnsd->returned.count < SOCK_DONE_MAX && conn_room(dnsd->net);
}

/* Answers if there is a buffer, and room for the answer and for returning buffers. True: the query
 * is done with. */
static bool try_answer(struct dnsd *dnsd, const struct sock_datagram *datagram)
{
    if (!has_room(dnsd))
        return false;
    if (datagram->data.length > QUERY_MAX) {
        dnsd->counters[DNSD_COUNT_query_too_long]++;
        give_back(dnsd, datagram->data.index);
        return true;
    }
    int buffer = pool_lend(&dnsd->send_buffers, HOLDER_STACK);
    if (buffer < 0)
        return false;
    answer(dnsd, datagram, (uint16_t)buffer);
    return true;
}

static void defer(struct dnsd *dnsd, const struct sock_datagram *datagram)
{
    if (dnsd->deferred_count == DEFERRED_MAX) {
        dnsd->counters[DNSD_COUNT_deferred_full]++;
        return;
    }
    unsigned last = (dnsd->deferred_first + dnsd->deferred_count) % DEFERRED_MAX;
    dnsd->deferred[last] = *datagram;
    dnsd->deferred_count++;
    dnsd->counters[DNSD_COUNT_deferred]++;
}

static void answer_deferred(struct dnsd *dnsd)
{
    while (dnsd->deferred_count && try_answer(dnsd, &dnsd->deferred[dnsd->deferred_first])) {
        dnsd->deferred_first = (dnsd->deferred_first + 1) % DEFERRED_MAX;
        dnsd->deferred_count--;
    }
}

static void query_received(struct dnsd *dnsd, const struct msg *m)
{
    struct sock_datagram datagram;
    msg_get(m, &datagram, sizeof(datagram));
    if (datagram.data.pool != dnsd->receive_pool->number ||
        pool_ref_check(dnsd->receive_pool, datagram.data) != OK) {
        dnsd->counters[DNSD_COUNT_bad_message]++;
        return;
    }
    if (dnsd->deferred_count || !try_answer(dnsd, &datagram))
        defer(dnsd, &datagram);
}

static void buffers_returned(struct dnsd *dnsd, const struct msg *m)
{
    struct sock_done done;
    msg_get(m, &done, sizeof(done));
    if (done.pool != dnsd->send_pool->number || done.count > SOCK_DONE_MAX) {
        dnsd->counters[DNSD_COUNT_bad_message]++;
        return;
    }
    for (unsigned i = 0; i < done.count; i++)
        if (!pool_take_back(&dnsd->send_buffers, done.index[i], HOLDER_STACK))
            dnsd->counters[DNSD_COUNT_bad_message]++;
}

/* Said once: a stack that goes on answering doesn't fill the log. */
static void bound(struct dnsd *dnsd, const struct msg *m)
{
    if (!dnsd->binding || !(m->flags & MSG_REPLY)) {
        dnsd->counters[DNSD_COUNT_bad_message]++;
        return;
    }
    dnsd->binding = false;
    if (m->status)
        domain_log(dnsd->domain, "port %u can't be opened: %s", (unsigned)DNS_PORT,
                   error_text((enum error)m->status));
    else
        domain_log(dnsd->domain, "serving %u records in %u zones on UDP port %u",
                   (unsigned)dnsd->zones.record_count, (unsigned)dnsd->zones.zone_count,
                   (unsigned)DNS_PORT);
}

static bool dnsd_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct dnsd *dnsd = state;
    (void)conn; /* there is one */
    switch (m->op) {
    case SOCK_RECV:
        query_received(dnsd, m);
        break;
    case SOCK_SEND_DONE:
        buffers_returned(dnsd, m);
        break;
    case SOCK_BIND:
        bound(dnsd, m);
        break;
    default:
        dnsd->counters[DNSD_COUNT_bad_message]++;
    }
    return true;
}

static void port_ask(struct dnsd *dnsd)
{
    struct sock_bind bind = {
        .protocol = UDP, .port = DNS_PORT, .recv_pool = dnsd->receive_pool->number};
    struct msg m;
    msg_set(&m, SOCK_BIND, &bind, sizeof(bind));
    dnsd->asked = dnsd->binding = conn_send(dnsd->net, &m) == OK;
}

/* The connection may be full even at the start: an earlier life left it so, or the stack lies. */
static void dnsd_batch_end(void *state)
{
    struct dnsd *dnsd = state;
    if (!dnsd->asked)
        port_ask(dnsd);
    answer_deferred(dnsd);
    flush_returned(dnsd);
}

static enum error zones_open(struct dnsd *dnsd)
{
    size_t size;
    const void *file = domain_file(dnsd->domain, "zones", &size);
    enum error error = file ? zone_db_open(&dnsd->zones, file, size) : ERROR_NOT_FOUND;
    if (error)
        domain_log(dnsd->domain, "the zone database \"zones\" can't be used: %s",
                   error_text(error));
    return error;
}

static uint64_t time_now(void *context)
{
    return domain_time(context);
}

/* What the settings say, and where the client's time and accounts are. */
static void configure(struct dnsd *dnsd)
{
    uint64_t random[2] = {domain_random(dnsd->domain), domain_random(dnsd->domain)};

    dnsd_settings_read(dnsd->domain, &dnsd->config);
    memcpy(dnsd->rrl.key, random, sizeof dnsd->rrl.key);
    dnsd->client =
        (struct answer_client){.time = time_now, .context = dnsd->domain, .rrl = &dnsd->rrl};
}

static enum error dnsd_start(void *state, struct domain *domain)
{
    struct dnsd *dnsd = state;
    dnsd->domain = domain;
    dnsd->net = domain_conn(domain, "net", 0);
    dnsd->receive_pool = domain_pool_named(domain, "recv");
    dnsd->send_pool = domain_pool_named(domain, "send");
    if (!dnsd->net || !dnsd->receive_pool || !dnsd->send_pool) {
        domain_log(domain, "the manifest must give connection net, pools recv and send");
        return ERROR_NOT_FOUND;
    }
    if (!(dnsd->receive_pool->rights & POOL_READ) || !(dnsd->send_pool->rights & POOL_WRITE)) {
        domain_log(domain, "the manifest must let dnsd read pool recv and write pool send");
        return ERROR_NO_RIGHT;
    }
    if (dnsd->receive_pool->buffers > DEFERRED_MAX) {
        domain_log(domain, "pool recv has more than %u buffers", (unsigned)DEFERRED_MAX);
        return ERROR_LIMIT;
    }
    enum error error = zones_open(dnsd);
    if (error)
        return error;
    configure(dnsd);
    dnsd->answer_counters = (struct answer_counters *)domain_counters(domain);
    dnsd->counters = domain_counters(domain) + ANSWER_COUNTER_COUNT;
    pool_owner_init(&dnsd->send_buffers, dnsd->send_pool);
    if (!domain_swaps(domain))
        port_ask(dnsd);
    return OK;
}

/* The stack has begun anew: it holds none of our buffers, and we none of its. */
static bool dnsd_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct dnsd *dnsd = state;
    (void)conn; /* there is one */
    if (what == RESTARTED_RESUME) {
        port_ask(dnsd);
        return dnsd->asked;
    }
    if (what == RESTARTED_SELF)
        return true;
    pool_owner_init(&dnsd->send_buffers, dnsd->send_pool);
    dnsd->returned.count = 0;
    dnsd->deferred_count = 0;
    return true;
}

static const struct server_port ports[] = {
    {.name = "net", .protocol = SOCK_PROTOCOL, .version = SOCK_VERSION, .role = CONN_CLIENT},
};

static const char *const counter_names[] = {
#define COUNTER(name) #name,
    ANSWER_COUNTERS(COUNTER) DNSD_COUNTERS(COUNTER)
#undef COUNTER
};

const struct server motet_server_dnsd = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "dnsd",
    .version = "1",
    .state_size = sizeof(struct dnsd),
    .stack_bytes = 8192, /* measured with -fstack-usage */
    .ports = ports,
    .port_count = 1,
    .settings = dnsd_settings,
    .setting_count = DNSD_SETTING_COUNT,
    .counters = counter_names,
    .counter_count = sizeof(counter_names) / sizeof(counter_names[0]),
    .start = dnsd_start,
    .receive = dnsd_receive,
    .batch_end = dnsd_batch_end,
};
SERVER_EXPORT(motet_server_dnsd);
SERVER_RESTARTED(motet_server_dnsd, dnsd_restarted);
