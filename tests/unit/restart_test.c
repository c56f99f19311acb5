/* SPDX-License-Identifier: ISC
 *
 * libos/restart.c: domains that die between two rounds, and their peers. Domain n is the client of
 * domain n - 1: 0 is the driver of the chain, 2 its last client. One domain runs at a time; its
 * rings outlive it, as they do in a machine.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/kernel.h"
#include "libos/state.h"

enum { DOMAINS = 3, SLOTS = 8, PRIVATE_BYTES = 16384, RECEIVED_MAX = 64, UP = 0, DOWN = 1 };

/* What a server of the chain remembers. */
struct voice {
    struct domain *domain;
    struct conn *up, *down; /* to the next server; to the client */
    uint32_t got[2][RECEIVED_MAX], count[2];
    uint32_t forgot[2], resumed[2], selves; /* how often the hook was called */
    bool refuses;                           /* RESTARTED_FORGET isn't possible yet */
    bool lets_go;                           /* after the messages of this round it is */
    bool full;                              /* no message can be taken */
    bool replies;                           /* to each, so it is taken when there is room */
};

struct place {
    struct start_page start;
    struct kernel_info info;
    struct log_page log;
    struct counter_page counters;
    uint64_t pending;
    uint32_t signals;
    alignas(64) uint8_t memory[PRIVATE_BYTES];
    bool runs;
    bool asleep; /* in a wait that only a doorbell ends */
};

static struct place place[DOMAINS];
/* Between n and n + 1: [n][0] written by the server n, [n][1] by the client n + 1. */
static alignas(64) uint8_t rings[DOMAINS - 1][2][RING_HEADER_BYTES + SLOTS * RING_ENTRY_BYTES];
static uint32_t self;

/* libos/kernel.h. A doorbell's slot is 1 + the domain that it wakes. */

void kernel_signal(uint64_t slot)
{
    place[slot - 1].pending |= 1;
    place[slot - 1].signals++;
}

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    (void)message;
    if (doorbell)
        kernel_signal(doorbell);
    uint64_t pending = place[self].pending;
    place[self].asleep = !pending && deadline != 1; /* else it only looks what is pending */
    place[self].pending = 0;
    return pending;
}

void kernel_acknowledge(uint64_t slot)
{
    (void)slot;
}

void kernel_report(const struct msg *m)
{
    (void)m;
}

uint64_t kernel_clock(void)
{
    return 1000;
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

/* The servers */

static enum error voice_start(void *state, struct domain *domain)
{
    struct voice *voice = state;
    voice->domain = domain;
    voice->up = domain_conn(domain, "up", 0);
    voice->down = domain_conn(domain, "down", 0);
    return OK;
}

static uint32_t direction(const struct voice *voice, const struct conn *conn)
{
    return conn == voice->up ? UP : DOWN;
}

static bool voice_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct voice *voice = state;
    uint32_t from = direction(voice, conn);
    if (voice->full)
        return false;
    if (voice->replies && conn_send(conn, m) != OK)
        return false;
    assert_true(voice->count[from] < RECEIVED_MAX);
    voice->got[from][voice->count[from]++] = (uint32_t)m->w[0];
    return true;
}

static void voice_batch_end(void *state)
{
    struct voice *voice = state;
    voice->refuses &= !voice->lets_go;
}

static bool voice_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct voice *voice = state;
    if (what == RESTARTED_SELF) {
        assert_null(conn);
        voice->selves++;
    } else if (what == RESTARTED_RESUME) {
        voice->resumed[direction(voice, conn)]++;
    } else if (voice->refuses) {
        return false;
    } else {
        voice->forgot[direction(voice, conn)]++;
    }
    return true;
}

static const struct server_port voice_ports[] = {
    {.name = "up", .protocol = "voice", .version = 1, .role = CONN_CLIENT},
    {.name = "down", .protocol = "voice", .version = 1, .role = CONN_SERVER},
};
static const struct server voice_server = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "voice",
    .state_size = sizeof(struct voice),
    .ports = voice_ports,
    .port_count = 2,
    .start = voice_start,
    .receive = voice_receive,
    .batch_end = voice_batch_end,
};
SERVER_RESTARTED(voice_server, voice_restarted);

/* The machine */

static struct libos *libos_of(uint32_t d)
{
    return (struct libos *)place[d].memory;
}

static struct voice *voice_of(uint32_t d)
{
    return (struct voice *)libos_of(d)->domain[0].state;
}

static struct ring *ring(uint32_t server, uint32_t writer)
{
    return (struct ring *)rings[server][writer];
}

static void connect(uint32_t server)
{
    struct start_page *down = &place[server].start, *up = &place[server + 1].start;
    struct start_conn *conn = &down->conn[down->conns++];
    *conn = (struct start_conn){.name = "down",
                                .mine = (uint64_t)ring(server, 0),
                                .theirs = (uint64_t)ring(server, 1),
                                .slots = SLOTS,
                                .doorbell = 1 + server + 1,
                                .role = CONN_SERVER,
                                .port = 1};
    conn = &up->conn[up->conns++];
    *conn = (struct start_conn){.name = "up",
                                .mine = (uint64_t)ring(server, 1),
                                .theirs = (uint64_t)ring(server, 0),
                                .slots = SLOTS,
                                .doorbell = 1 + server,
                                .role = CONN_CLIENT,
                                .port = 0};
}

static int set_up(void **state)
{
    (void)state;
    memset(place, 0, sizeof(place));
    memset(rings, 0, sizeof(rings));
    for (uint32_t d = 0; d < DOMAINS; d++) {
        place[d].start = (struct start_page){
            .magic = START_MAGIC,
            .version = START_VERSION,
            .private_address = (uint64_t)place[d].memory,
            .private_bytes = PRIVATE_BYTES,
            .log_address = (uint64_t)&place[d].log,
            .counters_address = (uint64_t)&place[d].counters,
            .domain = (uint16_t)d,
            .restarting = 1,
        };
        place[d].info =
            (struct kernel_info){.clock_frequency = 1000000000, .clock_multiplier = 1ull << 32};
    }
    for (uint32_t d = 0; d + 1 < DOMAINS; d++)
        connect(d);
    return 0;
}

/* What domain_run does before its loop. */
static void domain_begin(uint32_t d)
{
    const struct server *const servers[] = {&voice_server};
    const struct linked linked = {.servers = servers,
                                  .count = 1,
                                  .transport = {[START_CHANNEL] = &channel_transport},
                                  .restarts = &domain_restarts};
    uint32_t failed;
    self = d;
    domain_restarts.prepare(&place[d].start);
    assert_int_equal(domain_init(libos_of(d), &place[d].start, &place[d].info, &linked), OK);
    assert_int_equal(loop_start(libos_of(d), &failed), OK);
    domain_restarts.begin(libos_of(d));
    place[d].runs = true;
}

static void domain_round(uint32_t d)
{
    if (!place[d].runs)
        return;
    self = d;
    uint64_t pending = place[d].pending;
    place[d].pending = 0;
    place[d].asleep = false;
    loop_round(libos_of(d), pending);
}

/* Rounds of all that don't sleep, until all do. */
static void settle(void)
{
    uint32_t rounds = 0;
    for (bool any = true; any;) {
        any = false;
        for (uint32_t d = 0; d < DOMAINS; d++) {
            if (!place[d].runs || (place[d].asleep && !place[d].pending))
                continue;
            any = true;
            domain_round(d);
            assert_true(++rounds < 1000); /* nobody spins */
        }
    }
}

static void all_begin(void)
{
    for (uint32_t d = 0; d < DOMAINS; d++)
        domain_begin(d);
    settle();
}

static void die(uint32_t d)
{
    memset(place[d].memory, 0xdb, sizeof(place[d].memory));
    place[d].runs = place[d].asleep = false;
    place[d].start.restarts++;
}

/* Something happens in that domain. */
static void wake(uint32_t d)
{
    place[d].asleep = false;
}

static void permit(uint32_t d)
{
    voice_of(d)->refuses = false;
    wake(d);
}

static void say(struct conn *conn, uint32_t word)
{
    for (uint32_t d = 0; d < DOMAINS; d++)
        if (place[d].runs && (conn == voice_of(d)->up || conn == voice_of(d)->down))
            wake(d);
    struct msg m = {.op = 1, .w = {word}};
    assert_int_equal(conn_send(conn, &m), OK);
}

static void expect_got(uint32_t d, uint32_t from, uint32_t count, const uint32_t *words)
{
    const struct voice *voice = voice_of(d);
    assert_int_equal(voice->count[from], count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(voice->got[from][i], words[i]);
}

#define EXPECT(d, from, ...)                                                                       \
    expect_got(d, from, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static void first_lives_are_no_restarts(void **state)
{
    (void)state;
    all_begin();
    for (uint32_t d = 0; d < DOMAINS; d++) {
        assert_int_equal(voice_of(d)->forgot[UP] + voice_of(d)->forgot[DOWN], 0);
        assert_int_equal(voice_of(d)->resumed[UP] + voice_of(d)->resumed[DOWN], 0);
        assert_int_equal(voice_of(d)->selves, 0);
    }
    say(voice_of(2)->up, 7);
    settle();
    EXPECT(1, DOWN, 7);
}

static void any_order_of_first_starts(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < DOMAINS; first++) {
        set_up(NULL);
        for (uint32_t i = 0; i < DOMAINS; i++) {
            domain_begin((first + i) % DOMAINS);
            settle();
        }
        assert_int_equal(voice_of(1)->forgot[UP] + voice_of(1)->forgot[DOWN], 0);
        say(voice_of(1)->up, 1);
        say(voice_of(1)->down, 2);
        settle();
        EXPECT(0, DOWN, 1);
        EXPECT(2, UP, 2);
    }
}

/* The last client dies with words of its own and of its server's under way. */
static void a_client_begins_anew(void **state)
{
    (void)state;
    all_begin();
    say(voice_of(2)->up, 1);
    domain_round(2); /* published */
    say(voice_of(1)->down, 10);
    self = 1;
    domain_round(1); /* takes 1, publishes 10 */
    die(2);
    say(voice_of(1)->down, 11); /* to the dead */
    domain_begin(2);
    assert_int_equal(voice_of(2)->selves, 1);
    say(voice_of(2)->up, 2); /* by the new life, before its server has accepted it */
    settle();
    EXPECT(1, DOWN, 1, 2);
    assert_int_equal(voice_of(1)->forgot[DOWN], 1);
    assert_int_equal(voice_of(1)->resumed[DOWN], 1);
    assert_int_equal(voice_of(2)->count[UP], 0); /* 10 and 11 were another's */
    say(voice_of(1)->down, 12);
    settle();
    EXPECT(2, UP, 12);
}

static void old_words_come_before_it_is_forgotten(void **state)
{
    (void)state;
    all_begin();
    say(voice_of(2)->up, 1);
    say(voice_of(2)->up, 2);
    domain_round(2);
    die(2);
    domain_begin(2);
    say(voice_of(2)->up, 3);
    domain_round(2);
    domain_round(1);
    EXPECT(1, DOWN, 1, 2);
    domain_round(1);
    assert_int_equal(voice_of(1)->forgot[DOWN], 1);
    settle();
    EXPECT(1, DOWN, 1, 2, 3);
}

static void old_words_that_cant_be_taken_yet(void **state)
{
    (void)state;
    all_begin();
    voice_of(1)->full = true;
    say(voice_of(2)->up, 1);
    domain_round(2);
    die(2);
    domain_begin(2);
    say(voice_of(2)->up, 2);
    settle();
    assert_int_equal(voice_of(1)->forgot[DOWN], 0);
    voice_of(1)->full = false;
    wake(1);
    settle();
    assert_int_equal(voice_of(1)->forgot[DOWN], 1);
    EXPECT(1, DOWN, 1, 2);
}

static void what_cant_be_forgotten_yet_isnt_accepted(void **state)
{
    (void)state;
    all_begin();
    voice_of(1)->refuses = true;
    die(2);
    domain_begin(2);
    say(voice_of(2)->up, 3);
    settle();
    assert_int_equal(voice_of(1)->count[DOWN], 0);
    assert_int_equal(ring(1, 0)->accepted, 1);
    permit(1);
    settle();
    assert_int_equal(voice_of(1)->forgot[DOWN], 1);
    assert_int_equal(ring(1, 0)->accepted, 2);
    EXPECT(1, DOWN, 3);
}

/* A device that is done with the last buffer of the client that died: nothing else happens then. */
static void what_is_let_go_after_it_was_asked_for(void **state)
{
    (void)state;
    all_begin();
    voice_of(1)->refuses = true;
    die(2);
    domain_begin(2);
    settle();
    assert_int_equal(ring(1, 0)->accepted, 1);
    voice_of(1)->lets_go = true;
    say(voice_of(0)->down, 5);
    settle();
    assert_int_equal(voice_of(1)->forgot[DOWN], 1);
    assert_int_equal(ring(1, 0)->accepted, 2);
}

/* The middle one: its client hears of it only when its server has let go of everything. */
static void clients_hear_after_the_servers_have_accepted(void **state)
{
    (void)state;
    all_begin();
    voice_of(0)->refuses = true;
    die(1);
    domain_begin(1);
    settle();
    assert_int_equal(voice_of(2)->forgot[UP], 0);
    assert_int_equal(ring(1, 0)->announced, 1);
    say(voice_of(2)->up, 5); /* to the earlier life, as far as it knows */
    settle();
    assert_int_equal(voice_of(1)->count[DOWN], 0);
    permit(0);
    settle();
    assert_int_equal(voice_of(0)->forgot[DOWN], 1);
    assert_int_equal(voice_of(2)->forgot[UP], 1);
    assert_int_equal(voice_of(2)->resumed[UP], 1);
    assert_int_equal(voice_of(1)->count[DOWN], 0); /* 5 was another's */
    say(voice_of(2)->up, 6);
    settle();
    EXPECT(1, DOWN, 6);
}

static void both_ends_begin_anew(void **state)
{
    (void)state;
    for (uint32_t first = 1; first < DOMAINS; first++) {
        set_up(NULL);
        all_begin();
        say(voice_of(1)->down, 1);
        say(voice_of(2)->up, 2);
        domain_round(1);
        domain_round(2);
        die(1);
        die(2);
        domain_begin(first);
        settle();
        domain_begin(3 - first);
        settle();
        say(voice_of(1)->down, 3);
        say(voice_of(2)->up, 4);
        settle();
        EXPECT(2, UP, 3);
        EXPECT(1, DOWN, 4);
    }
}

static void a_life_that_dies_before_it_is_accepted(void **state)
{
    (void)state;
    all_begin();
    for (uint32_t life = 0; life < 3; life++) {
        die(2);
        domain_begin(2);
        say(voice_of(2)->up, 100 + life);
        domain_round(2);
    }
    settle();
    assert_int_equal(ring(1, 0)->accepted, 4);
    say(voice_of(1)->down, 9);
    settle();
    EXPECT(2, UP, 9);
}

/* A ring that was full when its writer died has room again. */
static void full_rings(void **state)
{
    (void)state;
    all_begin();
    place[1].runs = false;
    for (uint32_t i = 0; i < SLOTS; i++)
        say(voice_of(2)->up, i);
    domain_round(2);
    assert_int_equal(conn_room(voice_of(2)->up), 0);
    die(2);
    domain_begin(2);
    assert_int_equal(conn_room(voice_of(2)->up), 0);
    place[1].runs = true;
    wake(1);
    settle();
    assert_int_equal(voice_of(1)->count[DOWN], SLOTS);
    say(voice_of(2)->up, 50);
    settle();
    assert_int_equal(voice_of(1)->got[DOWN][SLOTS], 50);
    for (uint32_t i = 0; i < SLOTS; i++)
        say(voice_of(1)->down, i);
    domain_round(1);
    die(2);
    domain_begin(2);
    settle();
    assert_int_equal(voice_of(2)->count[UP], 0);
    assert_int_equal(conn_room(voice_of(1)->down), SLOTS);
}

/* Its ring is full of what nobody will take, and what it has to take first needs room there. */
static void replies_to_the_dead_make_room(void **state)
{
    (void)state;
    all_begin();
    voice_of(1)->replies = voice_of(2)->full = true;
    for (uint32_t i = 0; i < 2 * SLOTS; i++) {
        say(voice_of(2)->up, i);
        domain_round(2);
        domain_round(1);
    }
    assert_int_equal(voice_of(1)->count[DOWN], SLOTS);
    die(2);
    domain_begin(2);
    settle();
    assert_int_equal(voice_of(1)->count[DOWN], 2 * SLOTS);
    assert_int_equal(voice_of(1)->forgot[DOWN], 1);
    assert_int_equal(ring(1, 0)->accepted, 2);
    assert_int_equal(voice_of(2)->count[UP], 0);
}

/* Random deaths, at random times: afterwards words go both ways. */
static void random_deaths(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        set_up(NULL);
        all_begin();
        srand(seed);
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t d = (uint32_t)rand() % DOMAINS;
            if (rand() % 8 == 0) {
                if (place[d].runs)
                    die(d);
            } else if (!place[d].runs) {
                domain_begin(d);
            } else {
                struct voice *voice = voice_of(d);
                struct conn *conn = rand() % 2 ? voice->up : voice->down;
                voice->refuses = rand() % 4 == 0;
                if (conn && rand() % 2 && conn_room(conn))
                    say(conn, 1);
                domain_round(d);
                voice->count[UP] = voice->count[DOWN] = 0;
            }
        }
        for (uint32_t d = 0; d < DOMAINS; d++) {
            if (!place[d].runs)
                domain_begin(d);
            permit(d);
        }
        settle();
        for (uint32_t d = 0; d < DOMAINS; d++)
            voice_of(d)->count[UP] = voice_of(d)->count[DOWN] = 0;
        for (uint32_t d = 0; d < DOMAINS; d++) {
            if (voice_of(d)->up)
                say(voice_of(d)->up, 10 + d);
            if (voice_of(d)->down)
                say(voice_of(d)->down, 20 + d);
        }
        settle();
        EXPECT(0, DOWN, 11);
        EXPECT(1, DOWN, 12);
        EXPECT(1, UP, 20);
        EXPECT(2, UP, 21);
        assert_int_equal(libos_of(1)->counters[COUNT_BROKEN_CHANNELS], 0);
    }
}

/* A peer that writes anything into its header: what is taken was there to take. */
static void a_hostile_header(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        set_up(NULL);
        all_begin();
        srand(seed);
        struct ring *theirs = ring(1, 1);
        place[2].runs = false;
        if (rand() % 2) {
            die(1);
            domain_begin(1);
        }
        for (uint32_t i = 0; i < 20; i++) {
            uint32_t *field[] = {&theirs->announced, &theirs->begins, &theirs->accepted,
                                 &theirs->accepted_at};
            *field[rand() % 4] = rand() % 2 ? (uint32_t)rand() : theirs->produced + rand() % 4;
            theirs->produced += (uint32_t)rand() % 3;
            voice_of(1)->refuses = rand() % 2;
            domain_round(1);
            assert_true(voice_of(1)->count[DOWN] <= theirs->produced);
            assert_true(channel_check(&libos_of(1)->link[0].channel));
            assert_true(channel_check(&libos_of(1)->link[1].channel));
        }
        /* The other peer is none the worse. */
        domain_round(0);
        say(voice_of(0)->down, 3);
        settle();
        assert_int_equal(voice_of(1)->got[UP][voice_of(1)->count[UP] - 1], 3);
    }
}

/* What the dead one left in its ring makes no sense, on either side of it: the next life mends it.
 */
static void a_broken_channel(void **state)
{
    (void)state;
    for (uint32_t field = 0; field < 2; field++) {
        set_up(NULL);
        all_begin();
        struct ring *left = ring(0, 1);
        *(field ? &left->done : &left->produced) += 1000;
        struct msg m = {.op = 1};
        wake(0);
        settle();
        for (uint32_t i = 0; i < SLOTS + 1; i++)
            conn_send(voice_of(0)->down, &m); /* until it looks for room */
        wake(0);
        settle();
        assert_true(libos_of(0)->link[0].channel.broken);
        die(1);
        domain_begin(1);
        settle();
        assert_false(libos_of(0)->link[0].channel.broken);
        say(voice_of(0)->down, 7);
        settle();
        assert_int_equal(voice_of(1)->got[UP][voice_of(1)->count[UP] - 1], 7);
        say(voice_of(1)->up, 8);
        settle();
        assert_int_equal(voice_of(0)->got[DOWN][voice_of(0)->count[DOWN] - 1], 8);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(first_lives_are_no_restarts),
        TEST(any_order_of_first_starts),
        TEST(a_client_begins_anew),
        TEST(old_words_come_before_it_is_forgotten),
        TEST(old_words_that_cant_be_taken_yet),
        TEST(what_cant_be_forgotten_yet_isnt_accepted),
        TEST(what_is_let_go_after_it_was_asked_for),
        TEST(clients_hear_after_the_servers_have_accepted),
        TEST(both_ends_begin_anew),
        TEST(a_life_that_dies_before_it_is_accepted),
        TEST(full_rings),
        TEST(replies_to_the_dead_make_room),
        TEST(random_deaths),
        TEST(a_hostile_header),
        TEST(a_broken_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
