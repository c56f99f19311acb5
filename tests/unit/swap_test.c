/* SPDX-License-Identifier: ISC
 *
 * libos/swap*.c: a domain of two servers in two bodies, and a peer. One body runs at a time; its
 * rings and the state region are shared by both, private memory and counters aren't. What the other
 * body finds in the state region may have been written by another version, or by anybody.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/crc.h"
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/control.h"
#include "motet/supervisor.h"
#include "motet/swap.h"

enum {
    SLOTS = 8,
    QUEUE_SLOTS = 4,
    PRIVATE_BYTES = 32768,
    STATE_BYTES = 32768,
    PEER = 2, /* places 0 and 1 are the two bodies */
    PLACES,
    BELL_PEER = 10,
    BELL_BODIES = 11,
    REST = SIGNAL_CONTROL_FIRST + CONTROL_BIT_REST,
};

struct place {
    struct start_page start;
    struct kernel_info info;
    struct counter_page counters;
    alignas(64) uint8_t memory[PRIVATE_BYTES];
    struct msg queues[2][QUEUE_SLOTS];
};

static struct place place[PLACES];
static struct log_page log_page;
static alignas(4096) uint8_t rings[2][RING_HEADER_BYTES + SLOTS * RING_ENTRY_BYTES];
static alignas(8) uint8_t region[STATE_BYTES];
static uint64_t pending[PLACES]; /* of the bodies: one port, in pending[0] */
static uint64_t clock_now = 1000;
static struct msg reported;
static uint32_t reports;

/* libos/kernel.h */

static uint64_t *pending_of(uint64_t slot)
{
    return &pending[slot == BELL_PEER ? PEER : 0];
}

void kernel_signal(uint64_t slot)
{
    if (slot == BELL_PEER || slot == BELL_BODIES)
        *pending_of(slot) |= 1;
}

static uint32_t self;

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    (void)deadline;
    (void)message;
    if (doorbell)
        kernel_signal(doorbell);
    uint64_t *mine = &pending[self == PEER ? PEER : 0], bits = *mine;
    *mine = 0;
    return bits;
}

void kernel_acknowledge(uint64_t slot)
{
    fail_msg("slot %lu is acknowledged", (unsigned long)slot);
}

void kernel_report(const struct msg *m)
{
    reported = *m;
    reports++;
}

uint64_t kernel_clock(void)
{
    return clock_now;
}

uint64_t kernel_random(void)
{
    return 0;
}

void kernel_stop(uint64_t code)
{
    (void)code;
    abort();
}

void ring_fence(void)
{
}

/* The servers. voice talks with the peer, in numbers that grow by one; echo sends voice what it is
 * told to. */

struct kept {
    uint64_t sent, got, inner; /* numbers */
    uint32_t full;             /* takes nothing from the peer */
    uint32_t busy;             /* can't rest */
};

struct voice {
    struct domain *domain;
    struct conn *up, *in;
    struct kept kept;
    char text[24];
    uint32_t length;
    bool late; /* a new version's; not in the old one's state */
};

struct echo {
    struct domain *domain;
    struct conn *out;
    uint64_t sent;
};

static bool sends_early, refuses_all, wrong;
static enum error text_error;

static enum error voice_start(void *state, struct domain *domain)
{
    struct voice *voice = state;
    voice->domain = domain;
    voice->up = domain_conn(domain, "up", 0);
    voice->in = domain_conn(domain, "in", 0);
    domain_counters(domain)[0] = 1000; /* what start counts is void in a domain that takes over */
    struct msg m = {.op = 1, .w = {77}};
    if (sends_early)
        conn_send(voice->up, &m);
    return OK;
}

static bool voice_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct voice *voice = state;
    if (conn == voice->in) {
        if (voice->kept.full)
            return false;
        wrong |= m->w[0] != voice->kept.inner + 1;
        voice->kept.inner = m->w[0];
        return true;
    }
    if (voice->kept.full)
        return false;
    wrong |= m->w[0] != voice->kept.got + 1;
    voice->kept.got = m->w[0];
    domain_counters(voice->domain)[0]++;
    return true;
}

static void voice_deadline(void *state)
{
    (void)state;
}

static bool voice_rest(void *state)
{
    return !((struct voice *)state)->kept.busy;
}

static uint32_t text_save(const void *state, void *to)
{
    const struct voice *voice = state;
    memcpy(to, voice->text, voice->length);
    return voice->length;
}

static enum error text_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct voice *voice = state;
    if (text_error)
        return text_error;
    if (version > 3 || version < 2)
        return ERROR_BAD_ARGUMENT;
    memcpy(voice->text, from, bytes);
    voice->length = bytes;
    return OK;
}

static enum error voice_loaded(void *state)
{
    const struct voice *voice = state;
    assert_true(domain_swaps(voice->domain));
    return refuses_all ? ERROR_BAD_STATE : OK;
}

static uint32_t late_save(const void *state, void *to)
{
    *(bool *)to = ((const struct voice *)state)->late;
    return 1;
}

static enum error late_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    (void)version;
    (void)bytes;
    ((struct voice *)state)->late = *(const bool *)from;
    return OK;
}

static const struct server_port voice_ports[] = {
    {.name = "up", .protocol = "voice", .version = 1, .role = CONN_CLIENT},
    {.name = "in", .protocol = "echo", .version = 1, .role = CONN_SERVER},
};
static const char *const voice_counters[] = {"got", "first", "second"};
static const char *const newer_counters[] = {"third", "second", "got"};
static const char *const echo_counters[] = {"got"};

#define VOICE                                                                                      \
    .magic = SERVER_MAGIC, .abi = SERVER_ABI, .name = "voice", .state_size = sizeof(struct voice), \
    .ports = voice_ports, .port_count = 2, .start = voice_start, .receive = voice_receive,         \
    .deadline = voice_deadline, .counter_count = 3

static const struct server voice_server = {VOICE, .counters = voice_counters};
static const struct server newer_server = {VOICE, .counters = newer_counters};
static const struct server without_server = {VOICE, .counters = voice_counters};

static const struct state_record voice_records[] = {
    {.name = "kept", .id = 1, .version = 1, RECORD_OF(struct voice, kept)},
    {.name = "text", .id = 2, .version = 2, .bytes_max = 24, .save = text_save, .load = text_load},
};
SERVER_SWAP(voice_server, .records = voice_records, .record_count = 2, .rest = voice_rest,
            .loaded = voice_loaded);

/* Reads an older text; has a record that the older one hasn't. */
static const struct state_record newer_records[] = {
    {.name = "text",
     .id = 2,
     .version = 3,
     .oldest = 2,
     .bytes_max = 24,
     .save = text_save,
     .load = text_load},
    {.name = "kept", .id = 1, .version = 1, RECORD_OF(struct voice, kept)},
    {.name = "late",
     .id = 3,
     .version = 1,
     .optional = 1,
     .bytes_max = 1,
     .save = late_save,
     .load = late_load},
};
SERVER_SWAP(newer_server, .records = newer_records, .record_count = 3, .rest = voice_rest);

static enum error echo_start(void *state, struct domain *domain)
{
    struct echo *echo = state;
    echo->domain = domain;
    echo->out = domain_conn(domain, "out", 0);
    return OK;
}

static bool echo_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    (void)conn;
    (void)m;
    return true;
}

static const struct server echo_server = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "echo",
    .state_size = sizeof(struct echo),
    .counters = echo_counters,
    .counter_count = 1,
    .start = echo_start,
    .receive = echo_receive,
};
static const struct state_record echo_records[] = {
    {.name = "sent", .id = 1, .version = 1, RECORD_OF(struct echo, sent)},
};
SERVER_SWAP(echo_server, .records = echo_records, .record_count = 1);

/* The machine */

static struct libos *libos_of(uint32_t p)
{
    return (struct libos *)place[p].memory;
}

static struct voice *voice_of(uint32_t p)
{
    return libos_of(p)->domain[0].state;
}

static struct echo *echo_of(uint32_t p)
{
    return libos_of(p)->domain[1].state;
}

static void connect(uint32_t p)
{
    struct start_page *start = &place[p].start;
    start->conns = p == PEER ? 1 : 3;
    start->conn[0] = (struct start_conn){.name = "up",
                                         .mine = (uint64_t)rings[p == PEER],
                                         .theirs = (uint64_t)rings[p != PEER],
                                         .slots = SLOTS,
                                         .doorbell = p == PEER ? BELL_BODIES : BELL_PEER,
                                         .role = p == PEER ? CONN_SERVER : CONN_CLIENT};
    for (uint8_t i = 0; i < 2 && p != PEER; i++)
        start->conn[1 + i] = (struct start_conn){.name = "in",
                                                 .mine = (uint64_t)place[p].queues[i],
                                                 .slots = QUEUE_SLOTS,
                                                 .role = i ? CONN_CLIENT : CONN_SERVER,
                                                 .server = i,
                                                 .port = i ? 0 : 1,
                                                 .transport = START_DIRECT,
                                                 .peer = (uint8_t)(i ? 1 : 2)};
    strcpy(start->conn[2].name, "out");
}

static int set_up(void **state)
{
    (void)state;
    memset(place, 0, sizeof(place));
    memset(rings, 0, sizeof(rings));
    memset(region, 0xa5, sizeof(region));
    memset(pending, 0, sizeof(pending));
    memset(&log_page, 0, sizeof(log_page));
    sends_early = refuses_all = wrong = false;
    text_error = OK;
    reports = 0;
    for (uint32_t p = 0; p < PLACES; p++) {
        place[p].start = (struct start_page){
            .magic = START_MAGIC,
            .version = START_VERSION,
            .private_address = (uint64_t)place[p].memory,
            .private_bytes = PRIVATE_BYTES,
            .log_address = (uint64_t)&log_page,
            .counters_address = (uint64_t)&place[p].counters,
            .domain = (uint16_t)p,
            .restarting = 1,
            .state_address = p == PEER ? 0 : (uint64_t)region,
            .state_bytes = p == PEER ? 0 : STATE_BYTES,
        };
        place[p].info =
            (struct kernel_info){.clock_frequency = 1000000000, .clock_multiplier = 1ull << 32};
        connect(p);
    }
    return 0;
}

/* What domain_run does before its loop; OK: it has begun. */
static enum error begin(uint32_t p, const struct server *voice, bool takes_over)
{
    const struct server *const servers[] = {voice, &echo_server};
    const struct linked linked = {
        .servers = servers,
        .count = p == PEER ? 1 : 2,
        .transport = {[START_CHANNEL] = &channel_transport, [START_DIRECT] = &direct_transport},
        .restarts = &domain_restarts,
        .swaps = p == PEER ? NULL : &domain_swap};
    uint32_t failed = 0;
    self = p;
    place[p].start.swaps = takes_over;
    domain_restarts.prepare(&place[p].start);
    assert_int_equal(domain_init(libos_of(p), &place[p].start, &place[p].info, &linked), OK);
    assert_int_equal(loop_start(libos_of(p), &failed), OK);
    if (takes_over)
        return domain_swap.begin(libos_of(p), &failed);
    domain_restarts.begin(libos_of(p));
    return OK;
}

static void round_of(uint32_t p)
{
    self = p;
    uint64_t *mine = &pending[p == PEER ? PEER : 0], bits = *mine;
    *mine = 0;
    *mine |= loop_round(libos_of(p), bits);
}

static void settle(uint32_t body)
{
    for (uint32_t i = 0; i < 20; i++) {
        round_of(body);
        round_of(PEER);
    }
}

static void both_begin(void)
{
    assert_int_equal(begin(PEER, &without_server, false), OK);
    assert_int_equal(begin(0, &voice_server, false), OK);
    settle(0);
}

/* True: it has reported. */
static bool comes_to_rest(uint32_t body)
{
    uint32_t before = reports;
    pending[0] |= 1ull << REST;
    round_of(body);
    return reports != before;
}

static struct swap_rested rested(void)
{
    struct swap_rested tell;
    assert_int_equal(reported.op, SUPERVISOR_RESTED);
    msg_get(&reported, &tell, sizeof(tell));
    return tell;
}

static struct swap_begun begun(void)
{
    struct swap_begun tell;
    assert_int_equal(reported.op, SUPERVISOR_BEGUN);
    msg_get(&reported, &tell, sizeof(tell));
    return tell;
}

static void bring_to_rest(uint32_t body)
{
    assert_true(comes_to_rest(body));
    assert_int_equal(rested().error, OK);
}

static void send(struct conn *conn, uint64_t *number)
{
    struct msg m = {.op = 1, .w = {*number + 1}};
    if (conn_send(conn, &m) == OK)
        ++*number;
}

static bool log_says(const char *text)
{
    struct log_reader reader = {0};
    char line[LOG_LINE_BYTES + 1];
    while (log_read(&reader, &log_page, line, sizeof(line)))
        if (strstr(line, text))
            return true;
    return false;
}

static void assert_refused(const char *why)
{
    assert_int_not_equal(begin(1, &voice_server, true), OK);
    if (!log_says(why))
        fail_msg("the log doesn't say \"%s\" but: %.800s", why, log_page.text);
    log_page = (struct log_page){0};
}

/* The state region, for who changes it */

static struct state_header *header(void)
{
    return (struct state_header *)region;
}

static struct state_record_header *record_at(uint32_t n)
{
    uint8_t *at = (uint8_t *)(header() + 1);
    for (; n; n--)
        at += sizeof(struct state_record_header) +
              ((((struct state_record_header *)at)->length + 7u) & ~7u);
    return (struct state_record_header *)at;
}

static uint32_t record_number(const char *server, uint16_t id)
{
    for (uint32_t n = 0; n < header()->records; n++)
        if (!strcmp(record_at(n)->server, server) && record_at(n)->id == id)
            return n;
    fail_msg("no record %u of %s", id, server);
    return 0;
}

/* All checks are right again. */
static void seal(void)
{
    uint32_t check = 0;
    for (uint32_t n = 0; n < header()->records; n++) {
        record_at(n)->check = crc_add(0, record_at(n) + 1, record_at(n)->length);
        check = crc_add(check, record_at(n), sizeof(struct state_record_header));
    }
    header()->check = check;
    header()->check = crc_add(0, header(), sizeof(*header()));
}

static struct state_record_header *record_append(const char *server, uint16_t id, uint32_t length)
{
    struct state_record_header *record = (void *)(region + header()->bytes);
    *record = (struct state_record_header){.id = id, .version = 1, .length = length};
    strcpy(record->server, server);
    memset(record + 1, 0, (length + 7u) & ~7u);
    header()->bytes += (uint32_t)sizeof(*record) + ((length + 7u) & ~7u);
    header()->records++;
    return record;
}

/* Tests */

/* As the standard has it, bit by bit. */
static uint32_t crc_of(const uint8_t *bytes, size_t count)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void a_crc_is_a_crc(void **state)
{
    uint8_t bytes[300];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + i / 7);
    for (size_t i = 0; i <= sizeof(bytes); i++)
        assert_int_equal(crc_add(0, bytes, i), crc_of(bytes, i));
    assert_int_equal(crc_add(crc_add(0, bytes, 100), bytes + 100, 200), crc_of(bytes, 300));
}

static void all_is_carried_over(void **state)
{
    (void)state;
    both_begin();
    struct voice *voice = voice_of(0);
    voice->kept = (struct kept){.sent = 5, .got = 6, .inner = 7};
    strcpy(voice->text, "some text");
    voice->length = 9;
    echo_of(0)->sent = 8;
    domain_counters(voice->domain)[0] = 10;
    domain_counters(voice->domain)[1] = 11;
    domain_counters(echo_of(0)->domain)[0] = 12;
    domain_set_deadline(voice->domain, 123456789);
    const uint64_t random = libos_of(0)->random[0];
    bring_to_rest(0);
    assert_int_equal(rested().rested, clock_now);
    assert_int_equal(begin(1, &voice_server, true), OK);
    assert_int_equal(begun().queued, 0);
    assert_memory_equal(&voice_of(1)->kept, &voice->kept, sizeof(voice->kept));
    assert_string_equal(voice_of(1)->text, "some text");
    assert_int_equal(echo_of(1)->sent, 8);
    assert_int_equal(domain_counters(voice_of(1)->domain)[0], 10);
    assert_int_equal(domain_counters(voice_of(1)->domain)[1], 11);
    assert_int_equal(domain_counters(voice_of(1)->domain)[2], 0);
    assert_int_equal(domain_counters(echo_of(1)->domain)[0], 12);
    assert_int_equal(voice_of(1)->domain->deadline, 123456789);
    assert_int_equal(libos_of(1)->deadline, 123456789);
    assert_int_equal(libos_of(1)->random[0], random);
    assert_false(domain_swaps(voice_of(1)->domain));
}

/* Up to BEGUN nothing is written that the peer reads. */
static void nothing_shared_is_touched(void **state)
{
    (void)state;
    both_begin();
    send(voice_of(PEER)->up, &voice_of(PEER)->kept.sent);
    round_of(PEER);
    bring_to_rest(0);
    send(voice_of(PEER)->up, &voice_of(PEER)->kept.sent);
    round_of(PEER);
    uint8_t before[sizeof(rings)];
    memcpy(before, rings, sizeof(rings));
    assert_int_equal(begin(1, &voice_server, true), OK);
    assert_memory_equal(before, rings, sizeof(rings));
    assert_int_equal(begun().queued, 1);
    const struct ring *mine = (const struct ring *)rings[0];
    assert_int_equal(mine->generation, 1);
    settle(1);
    assert_int_equal(voice_of(1)->kept.got, 2);
    assert_int_equal(mine->generation, 1);
    assert_int_equal(libos_of(PEER)->link[0].life.peer, 1);
}

static void the_old_one_goes_on_if_nothing_comes_of_it(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    text_error = ERROR_LIMIT;
    voice_of(0)->length = 3;
    assert_refused("state refused: record 2 of voice, version 2: LIMIT");
    text_error = OK;
    send(voice_of(0)->up, &voice_of(0)->kept.sent);
    send(voice_of(PEER)->up, &voice_of(PEER)->kept.sent);
    settle(0);
    assert_int_equal(voice_of(0)->kept.got, 1);
    assert_int_equal(voice_of(PEER)->kept.got, 1);
    assert_false(wrong);
    bring_to_rest(0);
    assert_int_equal(begin(1, &voice_server, true), OK);
}

static void messages_inside_the_domain(void **state)
{
    (void)state;
    both_begin();
    voice_of(0)->kept.full = 1;
    for (int i = 0; i < 3; i++)
        send(echo_of(0)->out, &echo_of(0)->sent);
    assert_int_equal(libos_of(0)->link[1].queue.put, 3);
    bring_to_rest(0);
    assert_int_equal(begin(1, &voice_server, true), OK);
    voice_of(1)->kept.full = 0;
    assert_int_equal(echo_of(1)->sent, 3);
    send(echo_of(1)->out, &echo_of(1)->sent);
    settle(1);
    assert_int_equal(voice_of(1)->kept.inner, 4);
    assert_false(wrong);
}

static void who_is_busy_is_asked_again(void **state)
{
    (void)state;
    both_begin();
    voice_of(0)->kept.busy = 1;
    assert_false(comes_to_rest(0));
    for (int i = 0; i < 3; i++)
        round_of(0);
    assert_int_equal(reports, 0);
    voice_of(0)->kept.busy = 0;
    round_of(0);
    assert_int_equal(reports, 1);
    round_of(0); /* once only */
    assert_int_equal(reports, 1);
}

static void not_while_somebody_begins_anew(void **state)
{
    (void)state;
    both_begin();
    place[PEER].start.restarts = 1;
    assert_int_equal(begin(PEER, &without_server, false), OK);
    pending[0] |= 1ull << REST;
    libos_of(0)->restarts = NULL; /* this round doesn't look */
    round_of(0);
    assert_int_equal(reports, 1);
    libos_of(0)->restarts = &domain_restarts;
    bool rests = comes_to_rest(0); /* this one accepts the peer, and the handshake is over */
    assert_true(rests || comes_to_rest(0));
    place[0].start.restarts = 1;
    reports = 0;
    assert_int_equal(begin(0, &voice_server, false), OK);
    assert_false(comes_to_rest(0)); /* the peer hasn't accepted this life */
    settle(0);
    assert_int_equal(reports, 1);
    assert_int_equal(begin(1, &voice_server, true), OK);
    assert_int_equal(libos_of(1)->link[0].life.peer, 2);
    assert_int_equal(((const struct ring *)rings[0])->generation, 2);
}

/* The peer begins anew between two bodies. */
static void a_peer_that_begins_anew_meanwhile(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    place[PEER].start.restarts = 1;
    assert_int_equal(begin(PEER, &without_server, false), OK);
    round_of(PEER);
    assert_int_equal(begin(1, &voice_server, true), OK);
    settle(1);
    assert_int_equal(((const struct ring *)rings[0])->accepted, 2);
    voice_of(PEER)->kept.sent = voice_of(1)->kept.got;
    send(voice_of(PEER)->up, &voice_of(PEER)->kept.sent);
    settle(1);
    assert_int_equal(voice_of(1)->kept.got, 1);
}

static void another_version(void **state)
{
    (void)state;
    both_begin();
    strcpy(voice_of(0)->text, "old");
    voice_of(0)->length = 3;
    domain_counters(voice_of(0)->domain)[0] = 10;
    domain_counters(voice_of(0)->domain)[1] = 11;
    domain_counters(voice_of(0)->domain)[2] = 12;
    bring_to_rest(0);
    assert_int_equal(begin(1, &newer_server, true), OK);
    assert_string_equal(voice_of(1)->text, "old");
    assert_int_equal(domain_counters(voice_of(1)->domain)[0], 0); /* third */
    assert_int_equal(domain_counters(voice_of(1)->domain)[1], 12);
    assert_int_equal(domain_counters(voice_of(1)->domain)[2], 10); /* got */
    settle(1);
    bring_to_rest(1); /* and back: what is newer is refused */
    assert_int_equal(begin(0, &voice_server, true), ERROR_VERSION);
    assert_true(log_says("record text of voice is of version 3: this program reads 2 to 2"));
}

static void what_an_older_one_doesnt_know_may_be_optional(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    struct state_record_header *record = record_append("voice", 9, 5);
    seal();
    assert_refused("record 9 of voice, version 1: this program doesn't know it");
    record->optional = 1;
    seal();
    assert_int_equal(begin(1, &voice_server, true), OK);
    record_append("stranger", 1, 8);
    seal();
    assert_refused("record 1 of stranger, version 1: this program doesn't know it");
}

static void no_server_no_room(void **state)
{
    (void)state;
    both_begin();
    for (uint32_t bytes = 0; bytes < STATE_BYTES; bytes += bytes < 200 ? 1 : 97) {
        place[0].start.state_bytes = bytes;
        memset(region, 0xa5, sizeof(region));
        assert_true(comes_to_rest(0));
        struct swap_rested tell = rested();
        assert_true(tell.error == OK || tell.error == ERROR_LIMIT);
        if (tell.error == OK)
            break;
        assert_true(log_says("no room for its state: record "));
        for (uint32_t i = bytes < 40 ? 40 : bytes; i < sizeof(region); i++)
            assert_int_equal(region[i], 0xa5);
    }
    assert_int_equal(rested().error, OK);
    place[0].start.restarts = 1;
    assert_int_equal(begin(0, &without_server, false), OK);
    settle(0);
    assert_true(comes_to_rest(0));
    assert_int_equal(rested().error, ERROR_UNKNOWN_CALL);
    assert_true(log_says("voice can't be swapped: it doesn't say what its state is"));
    assert_int_equal(begin(1, &without_server, true), ERROR_UNKNOWN_CALL);
}

static void who_sends_too_early(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    sends_early = true;
    assert_refused("state refused: messages were sent before it was loaded");
    sends_early = false;
    refuses_all = true;
    assert_refused("state refused: its records together make no sense: BAD_STATE");
}

/* Hostile states */

static void any_bit_that_flips_is_found(void **state)
{
    (void)state;
    both_begin();
    strcpy(voice_of(0)->text, "abc");
    voice_of(0)->length = 3;
    send(echo_of(0)->out, &echo_of(0)->sent);
    bring_to_rest(0);
    const uint32_t bytes = header()->bytes;
    for (uint32_t bit = 0; bit < bytes * 8; bit++) {
        region[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (begin(1, &voice_server, true) == OK)
            fail_msg("bit %u of byte %u of %u isn't missed", bit % 8, bit / 8, bytes);
        region[bit / 8] ^= (uint8_t)(1u << bit % 8);
        log_page = (struct log_page){0};
    }
    assert_int_equal(begin(1, &voice_server, true), OK);
}

static void headers_that_lie(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    const struct state_header good = *header();
    const uint32_t lengths[] = {0,
                                1,
                                7,
                                8,
                                39,
                                40,
                                48,
                                good.bytes - 8,
                                good.bytes - 1,
                                good.bytes + 1,
                                good.bytes + 8,
                                STATE_BYTES,
                                STATE_BYTES + 8,
                                UINT32_MAX & ~7u,
                                UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        header()->bytes = lengths[i];
        header()->check = 0;
        for (uint32_t records = 0; records < 12; records++) {
            header()->records = records;
            assert_int_not_equal(begin(1, &voice_server, true), OK);
        }
        header()->records = UINT32_MAX;
        assert_int_not_equal(begin(1, &voice_server, true), OK);
        *header() = good;
    }
    header()->format = STATE_FORMAT + 1;
    assert_refused("it is of format 2: this program reads 1");
    *header() = good;
    header()->magic = 0;
    assert_refused("damaged: no state");
    *header() = good;
    assert_int_equal(begin(1, &voice_server, true), OK);
}

static void records_that_lie(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    static uint8_t good[STATE_BYTES];
    memcpy(good, region, sizeof(region));
    const uint32_t lengths[] = {
        0, 1, 23, 31, 32, 33, 4096, STATE_BYTES, INT32_MAX, UINT32_MAX - 7, UINT32_MAX};
    for (uint32_t n = 0; n < header()->records; n++)
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            const uint32_t was = record_at(n)->length;
            record_at(n)->length = lengths[i];
            if (lengths[i] != was)
                assert_int_not_equal(begin(1, &voice_server, true), OK);
            memcpy(region, good, sizeof(region));
        }
    memset(record_at(record_number("voice", 1))->server, 'x', 16);
    header()->check = 0;
    assert_refused("damaged: a name doesn't end");
    memcpy(region, good, sizeof(region));
    record_at(record_number("voice", 1))->id = 77;
    seal();
    assert_refused("record 77 of voice, version 1: this program doesn't know it");
    memcpy(region, good, sizeof(region));
    record_at(record_number("voice", 2))->version = 0;
    seal();
    assert_refused("record text of voice is of version 0: this program reads 2 to 2");
    memcpy(region, good, sizeof(region));
}

static void records_missing_and_twice(void **state)
{
    (void)state;
    both_begin();
    bring_to_rest(0);
    static uint8_t good[STATE_BYTES];
    memcpy(good, region, sizeof(region));
    record_append("voice", 1, sizeof(struct kept));
    seal();
    assert_refused("record 1 of voice, version 1: it is there twice");
    memcpy(region, good, sizeof(region));
    record_at(record_number("echo", 1))->optional = 1;
    strcpy(record_at(record_number("echo", 1))->server, "eche");
    seal();
    assert_refused("record sent of echo is missing");
    memcpy(region, good, sizeof(region));
    struct state_record_header *record = record_at(header()->records - 1);
    assert_string_equal(record->server, "echo");
    record_append("echo", 1, 16);
    strcpy(record->server, "voice");
    record->id = 77;
    record->optional = 1;
    seal();
    assert_refused("record 1 of echo, version 1: it has another length");
}

/* The libOS's own records, made of what no libOS writes. */
static void libos_records_that_lie(void **state)
{
    (void)state;
    both_begin();
    voice_of(0)->kept.full = 1;
    send(echo_of(0)->out, &echo_of(0)->sent);
    domain_set_deadline(voice_of(0)->domain, 5);
    bring_to_rest(0);
    static uint8_t good[STATE_BYTES];
    memcpy(good, region, sizeof(region));
    for (uint16_t id = 1; id <= 4; id++) {
        struct state_record_header *record = record_at(record_number("", id));
        for (uint32_t at = 0; at < record->length; at++)
            for (uint32_t value = 0; value < 256; value += 15) {
                ((uint8_t *)(record + 1))[at] = (uint8_t)value;
                seal();
                begin(1, &voice_server, true); /* refused or not, nothing is overrun */
                memcpy(region, good, sizeof(region));
                log_page = (struct log_page){0};
            }
    }
    uint64_t *deadline = (uint64_t *)(record_at(record_number("", 2)) + 1);
    deadline[1] = 9; /* echo has no deadline */
    seal();
    assert_refused("record 2 of the libOS, version 1: BAD_ARGUMENT");
}

/* Whatever the moment, no message is lost and none comes twice. */
static void messages_over_many_swaps(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 30; seed++) {
        set_up(NULL);
        srand(seed);
        both_begin();
        uint32_t body = 0, swaps = 0;
        for (uint32_t i = 0; i < 3000; i++) {
            struct voice *voice = voice_of(body);
            switch (rand() % 8) {
            case 0:
                send(voice->up, &voice->kept.sent);
                break;
            case 1:
                send(voice_of(PEER)->up, &voice_of(PEER)->kept.sent);
                break;
            case 2:
                send(echo_of(body)->out, &echo_of(body)->sent);
                break;
            case 3:
                round_of(PEER);
                break;
            case 4:
                voice->kept.full = rand() % 2;
                break;
            case 5:
                voice_of(PEER)->kept.full = rand() % 2;
                break;
            case 6:
                if (!comes_to_rest(body))
                    break;
                assert_int_equal(begin(!body, &voice_server, true), OK);
                body = !body;
                swaps++;
                break;
            default:
                round_of(body);
            }
        }
        voice_of(body)->kept.full = voice_of(PEER)->kept.full = 0;
        settle(body);
        assert_true(swaps > 100);
        assert_false(wrong);
        assert_int_equal(voice_of(body)->kept.got, voice_of(PEER)->kept.sent);
        assert_int_equal(voice_of(PEER)->kept.got, voice_of(body)->kept.sent);
        assert_int_equal(voice_of(body)->kept.inner, echo_of(body)->sent);
        assert_int_equal(domain_counters(voice_of(body)->domain)[0],
                         1000 + voice_of(body)->kept.got);
        assert_int_equal(place[0].counters.value[0], 0); /* no channel was broken */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crc_is_a_crc),
        cmocka_unit_test_setup(all_is_carried_over, set_up),
        cmocka_unit_test_setup(nothing_shared_is_touched, set_up),
        cmocka_unit_test_setup(the_old_one_goes_on_if_nothing_comes_of_it, set_up),
        cmocka_unit_test_setup(messages_inside_the_domain, set_up),
        cmocka_unit_test_setup(who_is_busy_is_asked_again, set_up),
        cmocka_unit_test_setup(not_while_somebody_begins_anew, set_up),
        cmocka_unit_test_setup(a_peer_that_begins_anew_meanwhile, set_up),
        cmocka_unit_test_setup(another_version, set_up),
        cmocka_unit_test_setup(what_an_older_one_doesnt_know_may_be_optional, set_up),
        cmocka_unit_test_setup(no_server_no_room, set_up),
        cmocka_unit_test_setup(who_sends_too_early, set_up),
        cmocka_unit_test_setup(any_bit_that_flips_is_found, set_up),
        cmocka_unit_test_setup(headers_that_lie, set_up),
        cmocka_unit_test_setup(records_that_lie, set_up),
        cmocka_unit_test_setup(records_missing_and_twice, set_up),
        cmocka_unit_test_setup(libos_records_that_lie, set_up),
        cmocka_unit_test_setup(messages_over_many_swaps, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
