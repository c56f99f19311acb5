/* SPDX-License-Identifier: ISC
 *
 * Measures what it costs to send: batches of transfers (bench/ipc/transfer.h) to the sink, each
 * batch when the one before was answered, and a log line per case:
 *
 *     ipc PATTERN MODE BATCH PAYLOAD MEDIAN MIN MAX SAMPLES ROUNDS
 *
 * with the clock's ticks of a sample of ROUNDS batches. A `ping` is one message that comes back; a
 * `stream` has one answer per batch, an `echo` one per transfer. The first sample of a case doesn't
 * count. The cases are cases.c's. The last line is "ipc done"; an answer that is wrong ends it with
 * "ipc error: ...".
 *
 * Settings: ipc.samples and ipc.rounds, 1 to 64 and 1 to 4096; ipc.short=1 measures few cases,
 * ipc.case=N only the N-th, counted from 1.
 */
#include "bench/ipc/servers/source/cases.h"
#include "libos/domain.h"
#include "libos/kernel.h"
#include "libos/server.h"

enum {
    SAMPLES_MAX = 64,
    ROUNDS_MAX = 4096,
    BUFFERS_MAX = 1024, /* slices of the pool; POOL_BUFFERS_MAX */
    SLICE_MIN = 64,     /* bytes: no two payloads share a cache line */
    SINK = 1,           /* holder of what is lent */
};

struct source {
    struct domain *domain;
    struct conn *out;
    const struct pool *pool;
    uint32_t samples, rounds;
    uint32_t only; /* case, 0: all */
    bool is_short, over;
    struct cases cases;
    struct measured now; /* the case under way */
    struct msg message;
    bool ponged; /* the ping came back */
    uint32_t sent, answers_left;
    uint64_t marks, marks_sent; /* the number of the last payload; sum of this batch's */
    uint64_t counted;           /* transfers that the sink has answered for */
    uint32_t round, sample;     /* of this case */
    uint64_t began;
    uint64_t ticks[SAMPLES_MAX + 1];
    struct pool_owner owner; /* of slices of the pool, as large as this case's payload */
    uint32_t slice_bytes;
    uint16_t lent[CASE_BATCH_MAX];
    uint8_t private[TRANSFER_PAYLOAD_MAX]; /* what the source wants to send, for MODE_TWICE */
};

static void give_up(struct source *source, const char *what)
{
    domain_log(source->domain, "ipc error: %s", what);
    source->over = true;
}

/* One payload in the pool. False: no slice is free. */
static bool lend(struct source *source, struct transfer *transfer)
{
    int slice = pool_lend(&source->owner, SINK);
    if (slice < 0)
        return false;
    source->lent[source->sent] = (uint16_t)slice;
    uint32_t left = source->now.payload;
    uint64_t at = (uint64_t)slice * source->slice_bytes;
    uint8_t *data = source->pool->base + at;
    if (source->now.mode == MODE_TWICE) {
        memcpy(source->private, &source->marks, TRANSFER_MARK_BYTES);
        memcpy(data, source->private, left);
    } else {
        memcpy(data, &source->marks, TRANSFER_MARK_BYTES);
    }
    transfer->pieces = 0;
    do {
        uint32_t length = left < TRANSFER_PIECE_MAX ? left : TRANSFER_PIECE_MAX;
        transfer->piece[transfer->pieces++] = (struct buffer_ref){
            .pool = source->pool->number,
            .index = (uint16_t)(at / source->pool->buffer_size),
            .offset = (uint16_t)(at % source->pool->buffer_size),
            .length = (uint16_t)length,
        };
        at += length;
        left -= length;
    } while (left);
    return true;
}

/* False: no slice is free. */
static bool payload_put(struct source *source, struct transfer *transfer)
{
    source->marks_sent += ++source->marks;
    if (source->now.mode != MODE_INLINE)
        return lend(source, transfer);
    memcpy(transfer->text, &source->marks, TRANSFER_MARK_BYTES);
    return true;
}

/* The message of this case is there but for what each transfer has of its own. */
static bool send_one(struct source *source)
{
    struct transfer *transfer = (struct transfer *)source->message.bytes;
    transfer->answer = source->now.pattern == PATTERN_ECHO || source->sent + 1 == source->now.batch;
    if (source->now.payload && !payload_put(source, transfer)) {
        give_up(source, "no buffer is free");
        return false;
    }
    if (conn_send(source->out, &source->message) != OK) {
        give_up(source, "the ring is full");
        return false;
    }
    source->sent++;
    return true;
}

static void batch_send(struct source *source)
{
    source->sent = 0;
    source->counted = source->marks_sent = 0;
    source->answers_left = source->now.pattern == PATTERN_ECHO ? source->now.batch : 1;
    while (source->sent < source->now.batch && send_one(source))
        ;
}

static void ping(struct source *source)
{
    source->ponged = false;
    if (conn_send(source->out, &source->message) != OK)
        give_up(source, "the ring is full");
}

static void round_begin(struct source *source)
{
    if (source->now.pattern == PATTERN_PING)
        ping(source);
    else
        batch_send(source);
}

static void case_begin(struct source *source)
{
    source->now = source->cases.now;
    source->ponged = false;
    source->round = source->sample = 0;
    struct transfer transfer = {.mode = source->now.mode, .bytes = (uint8_t)source->now.payload};
    msg_set(&source->message, TRANSFER, &transfer, sizeof(transfer));
    source->slice_bytes = source->now.payload > SLICE_MIN ? source->now.payload : SLICE_MIN;
    if (source->now.payload && source->now.mode != MODE_INLINE) {
        struct pool slices = *source->pool;
        uint64_t bytes = (uint64_t)slices.buffers * slices.buffer_size;
        slices.buffers = (uint32_t)(bytes / source->slice_bytes);
        if (slices.buffers > BUFFERS_MAX)
            slices.buffers = BUFFERS_MAX;
        pool_owner_init(&source->owner, &slices);
    }
    if (source->now.pattern == PATTERN_PING)
        source->message.op = TRANSFER_PING;
    source->began = kernel_clock();
    round_begin(source);
}

static void sort(uint64_t *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0 && values[j - 1] > values[j]; j--) {
            uint64_t swapped = values[j];
            values[j] = values[j - 1];
            values[j - 1] = swapped;
        }
}

static void case_report(struct source *source)
{
    uint64_t *ticks = source->ticks + 1; /* the first was to warm up */
    uint32_t samples = source->samples;
    sort(ticks, samples);
    domain_log(source->domain, "ipc %s %s %u %u %lu %lu %lu %u %u",
               pattern_names[source->now.pattern], mode_names[source->now.mode], source->now.batch,
               source->now.payload, (unsigned long)ticks[samples / 2], (unsigned long)ticks[0],
               (unsigned long)ticks[samples - 1], samples, source->rounds);
}

/* Another ROUNDS batches were answered. Goes on with the next sample, case, or not at all. */
static void sample_end(struct source *source)
{
    uint64_t now = kernel_clock();
    source->ticks[source->sample++] = now - source->began;
    source->began = now;
    source->round = 0;
    if (source->sample <= source->samples) {
        round_begin(source);
        return;
    }
    case_report(source);
    if (!source->only && cases_next(&source->cases, source->is_short)) {
        case_begin(source);
        return;
    }
    domain_log(source->domain, "ipc done");
    source->over = true;
}

/* All of a batch was answered. */
static void batch_end(struct source *source)
{
    for (uint32_t i = 0; source->now.payload && source->now.mode != MODE_INLINE && i < source->sent;
         i++)
        pool_take_back(&source->owner, source->lent[i], SINK);
    if (++source->round == source->rounds)
        sample_end(source);
    else
        batch_send(source);
}

static void gathered(void *state)
{
    struct source *source = state;
    if (source->ponged) {
        if (++source->round == source->rounds)
            sample_end(source);
        else
            ping(source);
    } else if (!source->now.batch) {
        case_begin(source); /* the first, after start */
    } else if (!source->over && !source->answers_left && source->now.pattern != PATTERN_PING) {
        batch_end(source);
    }
}

static bool receive(void *state, struct conn *conn, const struct msg *m)
{
    struct source *source = state;
    if (m->op == TRANSFER_PING)
        return source->ponged = true;
    const struct transfer_answer *answer = (const struct transfer_answer *)m->bytes;
    (void)conn;
    source->counted += answer->count;
    source->marks_sent -= answer->sum;
    if (m->op != TRANSFER_ANSWER || !source->answers_left)
        give_up(source, "an answer to nothing");
    else if (--source->answers_left == 0 &&
             (source->counted != source->now.batch || source->marks_sent))
        give_up(source, "something was lost or damaged");
    return true;
}

/* A number of 1 to `most` that is set, or what stands there. */
static void setting_number(struct source *source, const char *key, uint32_t most, uint32_t *value)
{
    const char *text = domain_setting(source->domain, key);
    uint32_t number = 0;
    if (!text)
        return;
    for (; *text >= '0' && *text <= '9' && number <= most; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    if (*text || !number || number > most)
        domain_log(source->domain, "ipc error: %s is not a number of 1 to %u", key, most);
    else
        *value = number;
}

static enum error start(void *state, struct domain *domain)
{
    struct source *source = state;
    uint32_t is_short = 0;
    source->domain = domain;
    source->out = domain_conn(domain, "out", 0);
    source->pool = domain_pool_named(domain, "payload");
    source->samples = 5;
    source->rounds = 8;
    setting_number(source, "ipc.samples", SAMPLES_MAX, &source->samples);
    setting_number(source, "ipc.rounds", ROUNDS_MAX, &source->rounds);
    setting_number(source, "ipc.short", 1, &is_short);
    setting_number(source, "ipc.case", CASES_MAX, &source->only);
    source->is_short = is_short;
    if (!source->out || !source->pool || !(source->pool->rights & POOL_WRITE))
        return ERROR_NOT_FOUND;
    cases_first(&source->cases);
    for (uint32_t n = 1; n < source->only; n++)
        cases_next(&source->cases, false);
    return OK;
}

static const struct server_port ports[] = {
    {.name = "out",
     .protocol = TRANSFER_PROTOCOL,
     .version = TRANSFER_VERSION,
     .role = CONN_CLIENT},
};

static const char *const settings[] = {"ipc.samples", "ipc.rounds", "ipc.short", "ipc.case"};

extern const struct server motet_server_source;
const struct server motet_server_source = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "source",
    .state_size = sizeof(struct source),
    .stack_bytes = 4096,
    .ports = ports,
    .port_count = 1,
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .start = start,
    .receive = receive,
    .batch_end = gathered,
};
SERVER_EXPORT(motet_server_source);
