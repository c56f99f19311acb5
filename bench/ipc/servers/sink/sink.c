/* SPDX-License-Identifier: ISC
 *
 * Takes transfers (bench/ipc/transfer.h), uses what they bring, and answers those that ask for it.
 * What isn't of the protocol is dropped and counted.
 */
#include "bench/ipc/transfer.h"
#include "libos/domain.h"
#include "libos/server.h"

enum { COUNT_DROPPED, COUNT_SINK };

struct sink {
    struct domain *domain;
    uint64_t *counters;
    struct transfer_answer gathered; /* since the last answer */
    struct msg answer;
    uint8_t copy[TRANSFER_PAYLOAD_MAX + 64]; /* where distrusted payload goes */
};

static void use(struct sink *sink, const uint8_t *payload)
{
    uint64_t mark;
    memcpy(&mark, payload, sizeof(mark));
    sink->gathered.sum += mark;
}

/* False: a reference that isn't one. */
static bool use_pieces(struct sink *sink, const struct transfer *transfer)
{
    const uint8_t *payload = sink->copy;
    uint32_t copied = 0;
    for (uint32_t i = 0; i < transfer->pieces; i++) {
        struct buffer_ref ref = transfer->piece[i];
        const struct pool *pool = domain_pool(sink->domain, ref.pool);
        if (pool_ref_check(pool, ref) || copied + ref.length > TRANSFER_PAYLOAD_MAX)
            return false;
        const uint8_t *from = pool_data(pool, ref);
        if (transfer->mode != MODE_SHARED)
            memcpy(sink->copy + copied, from, ref.length);
        else if (i == 0)
            payload = from;
        copied += ref.length;
    }
    use(sink, payload);
    return true;
}

/* False: not of the protocol. */
static bool take(struct sink *sink, const struct transfer *transfer)
{
    if (transfer->mode >= MODE_COUNT || transfer->pieces > TRANSFER_PIECES)
        return false;
    if (transfer->mode == MODE_INLINE)
        use(sink, transfer->text);
    return !transfer->pieces || use_pieces(sink, transfer);
}

/* Nobody else writes *m meanwhile: a channel copied it, and in one domain only one server runs. */
static bool receive(void *state, struct conn *conn, const struct msg *m)
{
    struct sink *sink = state;
    if (m->op == TRANSFER_PING)
        return conn_send(conn, m) == OK;
    const struct transfer *transfer = (const struct transfer *)m->bytes;
    if (transfer->answer && !conn_room(conn))
        return false;
    if (m->op != TRANSFER || !take(sink, transfer)) {
        sink->counters[COUNT_DROPPED]++;
        return true;
    }
    sink->gathered.count++;
    if (!transfer->answer)
        return true;
    memcpy(sink->answer.bytes, &sink->gathered, sizeof(sink->gathered));
    sink->gathered = (struct transfer_answer){0};
    conn_send(conn, &sink->answer); /* there was room */
    return true;
}

static enum error start(void *state, struct domain *domain)
{
    struct sink *sink = state;
    sink->domain = domain;
    sink->counters = domain_counters(domain);
    sink->answer.op = TRANSFER_ANSWER;
    return OK;
}

static const struct server_port ports[] = {
    {.name = "in", .protocol = TRANSFER_PROTOCOL, .version = TRANSFER_VERSION, .role = CONN_SERVER},
};

static const char *const counters[COUNT_SINK] = {[COUNT_DROPPED] = "sink_dropped"};

extern const struct server motet_server_sink;
const struct server motet_server_sink = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "sink",
    .state_size = sizeof(struct sink),
    .stack_bytes = 2048,
    .ports = ports,
    .port_count = 1,
    .counters = counters,
    .counter_count = COUNT_SINK,
    .start = start,
    .receive = receive,
};
SERVER_EXPORT(motet_server_sink);
