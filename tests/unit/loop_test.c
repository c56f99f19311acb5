/* SPDX-License-Identifier: ISC
 *
 * libos/loop.c and libos/domain.c: whole domains on the host, with this file as their kernel.
 *
 * Three kinds of tests: one domain whose peers are channels of the test, one step at a time; a
 * chain of three domains as coroutines that are switched at random at every kernel call, fence and
 * message, each write to a ring reaching its reader late (as through a store buffer), so that every
 * lost wake-up shows as a chain that sleeps with work left; and two domains as real threads, which
 * -fsanitize=thread can watch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "libos/clock.h"
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/image.h"

enum {
    WORLD_DOMAINS = 3,
    PRIVATE_BYTES = LIBOS_PRIVATE_BYTES + 8192,
    SUPERVISOR_BELL = SLOT_SUPERVISOR,
    BELL_FIRST = 16, /* slot BELL_FIRST + 8 * domain + connection rings that domain */
};

/* What the kernel of this file knows of one domain. */
struct place {
    struct start_page start;
    struct kernel_info info;
    struct log_page log;
    struct counter_page counters;
    uint8_t *private_memory;
    struct libos *libos;

    uint64_t pending;
    uint64_t waited_for; /* deadline of the last kernel_wait */
    uint32_t waits, bells[SLOT_FIRST_FREE + BELL_FIRST + 8 * WORLD_DOMAINS];
    struct msg message; /* that kernel_wait is to bring; op 0: none */
    bool asleep;
};

static uint64_t acknowledged; /* slot of the last pin */

static struct place *places[WORLD_DOMAINS];
static _Thread_local int self; /* the running domain */
static uint64_t clock_now;

/* How kernel_wait, kernel_signal and ring_fence behave: one set per kind of test. */
struct machine {
    void (*wait)(struct place *place);
    void (*signal)(int domain, uint64_t bit);
    void (*fence)(void);
};
static struct machine machine;

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    if (doorbell)
        kernel_signal(doorbell);
    struct place *place = places[self];
    place->waited_for = deadline;
    place->waits++;
    if (place->message.op)
        *message = place->message;
    place->message.op = 0;
    machine.wait(place);
    return __atomic_exchange_n(&place->pending, 0, __ATOMIC_SEQ_CST);
}

void kernel_signal(uint64_t slot)
{
    places[self]->bells[slot]++;
    if (slot >= BELL_FIRST)
        machine.signal((int)(slot - BELL_FIRST) / 8, (slot - BELL_FIRST) % 8);
}

void ring_fence(void)
{
    machine.fence();
}

void kernel_acknowledge(uint64_t slot)
{
    acknowledged = slot;
}

void kernel_report(const struct msg *m)
{
    (void)m;
}

uint64_t kernel_clock(void)
{
    return clock_now;
}

uint64_t kernel_random(void)
{
    return 0x1111;
}

void kernel_stop(uint64_t code)
{
    (void)code;
    abort();
}

/* Plain machine: one domain at a time, nothing sleeps really. */
static void plain_wait(struct place *place)
{
    place->asleep = place->waited_for != 1; /* else it only asks for what is pending */
}

static void plain_signal(int domain, uint64_t bit)
{
    if (places[domain])
        places[domain]->pending |= UINT64_C(1) << bit;
}

static void full_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static const struct machine plain_machine = {plain_wait, plain_signal, full_fence};

/* Domains */

static struct place *place_create(int number)
{
    struct place *place = aligned_alloc(64, (sizeof(*place) + 63) & ~(size_t)63);
    memset(place, 0, sizeof(*place));
    place->private_memory = aligned_alloc(64, PRIVATE_BYTES);
    memset(place->private_memory, 0, PRIVATE_BYTES);
    place->libos = (struct libos *)place->private_memory;
    place->start = (struct start_page){
        .magic = START_MAGIC,
        .version = START_VERSION,
        .private_address = (uint64_t)place->private_memory,
        .private_bytes = PRIVATE_BYTES,
        .log_address = (uint64_t)&place->log,
        .counters_address = (uint64_t)&place->counters,
        .domain = (uint16_t)number,
    };
    place->info = (struct kernel_info){
        .clock_base = 1000,
        .clock_frequency = 2000000000,
        .clock_multiplier = UINT64_C(1) << 31, /* two ticks are one nanosecond */
        .seed = {11, 22},
    };
    places[number] = place;
    return place;
}

static enum error start_up(struct place *place, struct libos *libos,
                           const struct server *const *servers, uint64_t count)
{
    const struct linked linked = {
        .servers = servers,
        .count = count,
        .transport = {[START_CHANNEL] = &channel_transport, [START_DIRECT] = &direct_transport},
    };
    return domain_init(libos, &place->start, &place->info, &linked);
}

static void place_free(int number)
{
    free(places[number]->private_memory);
    free(places[number]);
    places[number] = NULL;
}

static struct ring *ring_create(uint32_t slots)
{
    struct ring *ring = aligned_alloc(64, ring_bytes(slots));
    memset(ring, 0, ring_bytes(slots));
    return ring;
}

static struct start_conn *add_conn(struct place *place, const char *name, uint8_t server,
                                   uint16_t instance, uint32_t slots, struct ring *mine,
                                   struct ring *theirs, uint64_t bell)
{
    struct start_conn *conn = &place->start.conn[place->start.conns++];
    *conn = (struct start_conn){
        .mine = (uint64_t)mine,
        .theirs = (uint64_t)theirs,
        .slots = slots,
        .doorbell = (uint32_t)bell,
        .server = server,
        .instance = instance,
    };
    strcpy(conn->name, name);
    return conn;
}

/* A server that notes what happens to it. */
enum { NOTES = 256, ACCEPT_ALL = 1000000 };

struct noter {
    struct domain *domain;
    bool started;
    int32_t accept;         /* how many more messages it takes */
    bool forward;           /* takes a message only if it can pass it on to connection `out` 0 */
    struct noter *releases; /* who accepts everything from this one's next message on */
    uint32_t receives, batch_ends, deadlines, signals;
    uint32_t device, bits; /* of the last signal */
    uint64_t again;        /* deadline to set when one passed */
    uint64_t noted[NOTES];
    uint32_t note_count;
    uint32_t to_send; /* messages to send in batch_end as soon as there is room */
};

static enum error noter_start(void *state, struct domain *domain)
{
    struct noter *noter = state;
    noter->domain = domain;
    noter->started = true;
    noter->accept = ACCEPT_ALL;
    return OK;
}

static bool noter_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct noter *noter = state;
    (void)conn;
    noter->receives++;
    if (!noter->accept)
        return false;
    if (noter->forward) {
        struct conn *out = domain_conn(noter->domain, "out", 0);
        if (!conn_room(out))
            return false;
        assert_int_equal(conn_send(out, m), OK);
    }
    noter->accept--;
    if (noter->releases)
        noter->releases->accept = ACCEPT_ALL;
    if (noter->note_count < NOTES)
        noter->noted[noter->note_count++] = m->w[0];
    return true;
}

static void noter_signal(void *state, uint32_t device, uint32_t bits)
{
    struct noter *noter = state;
    noter->signals++;
    noter->device = device;
    noter->bits = bits;
}

static void noter_deadline(void *state)
{
    struct noter *noter = state;
    noter->deadlines++;
    domain_set_deadline(noter->domain, noter->again);
}

static void noter_batch_end(void *state)
{
    struct noter *noter = state;
    noter->batch_ends++;
    struct msg m = {.op = 1};
    for (; noter->to_send; noter->to_send--)
        if (conn_send(domain_conn(noter->domain, "out", 0), &m) != OK)
            return;
}

static const char *const noter_counters[] = {"first", "second"};

static const struct server noter_server = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "noter",
    .state_size = sizeof(struct noter) + 1, /* not a multiple of a cache line */
    .counters = noter_counters,
    .counter_count = 2,
    .start = noter_start,
    .receive = noter_receive,
    .signal = noter_signal,
    .deadline = noter_deadline,
    .batch_end = noter_batch_end,
};

static const struct server *const two_noters[] = {&noter_server, &noter_server};

/* One domain with two servers. Connection 0 "in" and 1 "out" belong to server 0, connection 2 "in"
 * to server 1; the other ends are the test's. */
enum { SLOTS = 128, CONNS = 3 };

struct rig {
    struct place *place;
    struct libos *libos;
    struct noter *noter[2];
    struct ring *ring[CONNS][2]; /* the domain's, the test's */
    struct channel peer[CONNS];
    struct conn peer_conn[CONNS];
    uint64_t broken;
};
static struct rig rig;

static void rig_connect(int n, const char *name, uint8_t server, uint16_t instance)
{
    rig.ring[n][0] = ring_create(SLOTS);
    rig.ring[n][1] = ring_create(SLOTS);
    add_conn(rig.place, name, server, instance, SLOTS, rig.ring[n][0], rig.ring[n][1],
             BELL_FIRST + 8 + (uint64_t)n);
    channel_init(&rig.peer[n], rig.ring[n][1], rig.ring[n][0], SLOTS, &rig.broken);
    rig.peer_conn[n] =
        (struct conn){.put = channel_put, .room = channel_room, .transport = &rig.peer[n]};
}

static int rig_setup(void **state)
{
    (void)state;
    machine = plain_machine;
    self = 0;
    clock_now = 1000;
    memset(&rig, 0, sizeof(rig));
    rig.place = place_create(0);
    rig.libos = rig.place->libos;
    rig_connect(0, "in", 0, 0);
    rig_connect(1, "out", 0, 0);
    rig_connect(2, "in", 1, 0);
    if (start_up(rig.place, rig.libos, two_noters, 2))
        return -1;
    for (int i = 0; i < 2; i++)
        rig.noter[i] = rig.libos->domain[i].state;
    uint32_t failed;
    return (int)loop_start(rig.libos, &failed);
}

static int rig_teardown(void **state)
{
    (void)state;
    for (int i = 0; i < CONNS; i++) {
        free(rig.ring[i][0]);
        free(rig.ring[i][1]);
    }
    place_free(0);
    return 0;
}

static void round_run(void)
{
    loop_round(rig.libos, 0);
}

/* Rounds until the domain waits for something that isn't there; fails if it doesn't come to that.
 */
static void settle(void)
{
    uint64_t pending = rig.place->pending;
    rig.place->pending = 0;
    for (int i = 0; i < 8; i++) {
        rig.place->asleep = false;
        pending = loop_round(rig.libos, pending);
        if (rig.place->asleep && !pending)
            return;
    }
    fail_msg("the domain never sleeps");
}

static enum error peer_put(int conn, uint64_t number)
{
    struct msg m = {.op = 1, .w = {number}};
    return conn_send(&rig.peer_conn[conn], &m);
}

static void peer_send(int conn, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(peer_put(conn, first + i), OK);
    channel_publish_put(&rig.peer[conn]);
}

static uint32_t peer_take_all(int conn)
{
    struct msg m;
    uint32_t count = channel_arrived(&rig.peer[conn]);
    for (uint32_t i = 0; i < count; i++)
        channel_read(&rig.peer[conn], rig.peer[conn].taken + i, &m);
    channel_took(&rig.peer[conn], rig.peer[conn].taken + count);
    channel_publish_taken(&rig.peer[conn]);
    return count;
}

static uint64_t counter(const char *wanted)
{
    char name[COUNTER_NAME_BYTES];
    uint64_t value;
    for (uint32_t i = 0; counters_read(&rig.place->counters, i, name, &value); i++)
        if (!strcmp(name, wanted))
            return value;
    fail_msg("no counter %s", wanted);
    return 0;
}

/* Start and services */

static void each_server_starts_with_a_state_of_its_own(void **state)
{
    (void)state;
    assert_true(rig.noter[0]->started && rig.noter[1]->started);
    assert_ptr_equal(rig.noter[0], rig.place->private_memory + LIBOS_PRIVATE_BYTES);
    assert_true((uint8_t *)rig.noter[1] >= (uint8_t *)(rig.noter[0] + 1) + 1);
    assert_int_equal((uintptr_t)rig.noter[1] % STATE_ALIGN, 0);
    assert_ptr_not_equal(rig.noter[0]->domain, rig.noter[1]->domain);
}

static enum error start_fails(void *state, struct domain *domain)
{
    (void)state;
    (void)domain;
    return ERROR_NOT_FOUND;
}

static void a_failing_start_says_which_server(void **state)
{
    (void)state;
    static const struct server failing = {.name = "failing", .start = start_fails};
    static const struct server *const servers[] = {&noter_server, &failing, &noter_server};
    uint32_t failed = 99;
    memset(rig.libos, 0, sizeof(*rig.libos));
    assert_int_equal(start_up(rig.place, rig.libos, servers, 3), OK);
    assert_int_equal(loop_start(rig.libos, &failed), ERROR_NOT_FOUND);
    assert_int_equal(failed, 1);
}

static void too_little_private_memory_is_refused(void **state)
{
    (void)state;
    rig.place->start.private_bytes = LIBOS_PRIVATE_BYTES + 2 * sizeof(struct noter);
    assert_int_equal(start_up(rig.place, rig.libos, two_noters, 2), ERROR_NO_MEMORY);
}

static void too_many_counters_or_servers_are_refused(void **state)
{
    (void)state;
    struct server greedy = noter_server;
    static const char *names[COUNTERS_MAX];
    for (int i = 0; i < COUNTERS_MAX; i++)
        names[i] = "name";
    greedy.counters = names;
    greedy.counter_count = COUNTERS_MAX;
    const struct server *const servers[] = {&greedy};
    assert_int_equal(start_up(rig.place, rig.libos, servers, 1), ERROR_LIMIT);
    assert_int_equal(start_up(rig.place, rig.libos, two_noters, DOMAIN_SERVERS_MAX + 1),
                     ERROR_LIMIT);
}

static void connections_are_found_by_name_and_server(void **state)
{
    (void)state;
    struct conn *in = domain_conn(rig.noter[0]->domain, "in", 0);
    assert_non_null(in);
    assert_non_null(domain_conn(rig.noter[0]->domain, "out", 0));
    assert_non_null(domain_conn(rig.noter[1]->domain, "in", 0));
    assert_ptr_not_equal(domain_conn(rig.noter[1]->domain, "in", 0), in);
    assert_null(domain_conn(rig.noter[1]->domain, "out", 0));
    assert_null(domain_conn(rig.noter[0]->domain, "in", 1));
    assert_null(domain_conn(rig.noter[0]->domain, "i", 0));
}

static void pools_files_and_settings_are_found_by_name(void **state)
{
    (void)state;
    static uint8_t memory[64];
    struct start_page *start = &rig.place->start;
    start->pools = 3;
    start->pool[2] = (struct start_pool){"mine", (uint64_t)memory,   0,  1, 64, POOL_READ,
                                         5,      START_EVERY_SERVER, {0}};
    start->pool[0] = (struct start_pool){"rx", (uint64_t)memory, 77, 1, 64, POOL_READ, 5, 0, {0}};
    start->pool[1] = (struct start_pool){"none", 0, 0, 1, 64, 0, 6, 0, {0}};
    start->files = 1;
    start->file[0] = (struct start_file){"zones", (uint64_t)memory, 40, 0, {0}};
    memcpy(start->settings, "net0.ip=10.0.2.15/24\0net0.ip6=\0", 31);
    memset(rig.libos, 0, sizeof(*rig.libos));
    assert_int_equal(start_up(rig.place, rig.libos, two_noters, 2), OK);
    struct domain *domain = &rig.libos->domain[0];

    const struct pool *pool = domain_pool(domain, 5);
    assert_non_null(pool);
    assert_ptr_equal(pool, domain_pool_named(domain, "rx"));
    assert_ptr_equal(pool->base, memory);
    assert_int_equal(pool->physical, 77);
    assert_int_equal(pool->buffer_size, 64);
    assert_null(domain_pool(domain, 6)); /* no right on it */
    assert_null(domain_pool_named(domain, "none"));
    assert_null(domain_pool(domain, 0));
    assert_null(domain_pool(domain, 5 + 256));
    assert_null(domain_pool_named(domain, "tx"));
    assert_null(domain_pool_named(&rig.libos->domain[1], "rx")); /* the first server's name */
    assert_ptr_equal(domain_pool_named(&rig.libos->domain[1], "mine"), pool);

    size_t size = 0;
    assert_ptr_equal(domain_file(domain, "zones", &size), memory);
    assert_int_equal(size, 40);
    assert_null(domain_file(domain, "zone", &size));
    assert_null(domain_file(&rig.libos->domain[1], "zones", &size));

    assert_string_equal(domain_setting(domain, "net0.ip"), "10.0.2.15/24");
    assert_string_equal(domain_setting(domain, "net0.ip6"), "");
    assert_null(domain_setting(domain, "net0.i"));
    assert_null(domain_setting(domain, "net0.gw"));
}

static void counters_of_two_servers_do_not_meet(void **state)
{
    (void)state;
    domain_counters(rig.noter[0]->domain)[1] = 5;
    domain_counters(rig.noter[1]->domain)[0] = 6;
    assert_int_equal(rig.place->counters.count, COUNT_LIBOS + 4);
    assert_int_equal(rig.place->counters.value[COUNT_LIBOS + 1], 5);
    assert_int_equal(rig.place->counters.value[COUNT_LIBOS + 2], 6);
    const int owners[] = {-1, -1, -1, 0, 0, 1, 1, -1};
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(counters_server(&rig.place->counters, i), owners[i]);
    assert_int_equal(counter("second"), 5);
}

static void time_is_nanoseconds_since_boot(void **state)
{
    (void)state;
    clock_now = 1000;
    assert_int_equal(domain_time(rig.noter[0]->domain), 0);
    clock_now = 1000 + UINT64_C(2000000000) * 86400 * 365;
    assert_int_equal(domain_time(rig.noter[0]->domain), UINT64_C(1000000000) * 86400 * 365);
}

static void random_numbers_differ(void **state)
{
    (void)state;
    uint64_t seen[100];
    for (int i = 0; i < 100; i++) {
        seen[i] = domain_random(rig.noter[i % 2]->domain);
        for (int k = 0; k < i; k++)
            assert_true(seen[k] != seen[i]);
    }
    rig.place->start.domain = 1;
    struct libos *other = calloc(1, sizeof(*other));
    assert_int_equal(start_up(rig.place, other, two_noters, 2), OK);
    assert_true(domain_random(&other->domain[0]) != seen[0]);
    free(other);
}

static void the_processors_random_bits_are_used(void **state)
{
    (void)state;
    struct libos before = *rig.libos;
    uint64_t without = domain_random(rig.noter[0]->domain);
    *rig.libos = before;
    rig.place->info.cpu_features = CPU_RDRAND;
    assert_int_equal(domain_random(rig.noter[0]->domain), without ^ 0x1111);
}

/* Messages */

static void batch_end_follows_start(void **state)
{
    (void)state;
    settle();
    assert_int_equal(rig.noter[0]->batch_ends, 1);
    settle();
    assert_int_equal(rig.noter[0]->batch_ends, 1); /* nothing happened */
}

static void messages_reach_their_server_in_order(void **state)
{
    (void)state;
    settle();
    peer_send(0, 100, 20);
    peer_send(2, 500, 3);
    settle();
    assert_int_equal(rig.noter[0]->note_count, 20);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(rig.noter[0]->noted[i], 100 + i);
    assert_int_equal(rig.noter[1]->note_count, 3);
    assert_int_equal(rig.noter[1]->noted[2], 502);
    assert_int_equal(rig.noter[0]->batch_ends, 2);
    assert_int_equal(rig.ring[0][0]->done, 20);
    assert_int_equal(rig.ring[0][0]->current, 20);
}

static void one_busy_connection_does_not_starve_another(void **state)
{
    (void)state;
    settle();
    peer_send(0, 0, SLOTS);
    peer_send(2, 500, 1);
    round_run();
    assert_true(rig.noter[0]->note_count < SLOTS);
    assert_int_equal(rig.noter[1]->note_count, 1);
    settle();
    assert_int_equal(rig.noter[0]->note_count, SLOTS);
}

static void a_refused_message_waits_without_spinning(void **state)
{
    (void)state;
    settle();
    rig.noter[0]->accept = 3;
    peer_send(0, 0, 5);
    settle();
    assert_int_equal(rig.noter[0]->note_count, 3);
    assert_int_equal(rig.ring[0][0]->done, 3);
    assert_in_range(rig.noter[0]->receives, 4, 5); /* offered once more after what happened */
    assert_in_range(counter("libos_stalls"), 1, 2);
    uint32_t receives = rig.noter[0]->receives;
    rig.noter[0]->accept = ACCEPT_ALL;
    peer_send(2, 9, 1); /* anything at all */
    settle();
    assert_int_equal(rig.noter[0]->note_count, 5);
    assert_int_equal(rig.noter[0]->noted[4], 4);
    assert_int_equal(rig.noter[0]->receives, receives + 2);
}

static void what_happens_later_in_a_round_is_not_slept_over(void **state)
{
    (void)state;
    settle();
    rig.noter[0]->accept = 0;
    rig.noter[1]->releases = rig.noter[0];
    peer_send(0, 0, 2); /* refused, before the other server releases it */
    peer_send(2, 0, 1);
    settle();
    assert_int_equal(rig.noter[0]->note_count, 2);
}

static void room_wakes_a_stalled_connection(void **state)
{
    (void)state;
    settle();
    rig.noter[0]->forward = true;
    peer_send(0, 0, SLOTS);
    settle();
    peer_send(0, SLOTS, 10);
    settle();
    assert_int_equal(rig.noter[0]->note_count, SLOTS);
    assert_true(rig.place->asleep);

    assert_true(rig.ring[1][0]->want_room > 0);
    assert_int_equal(peer_take_all(1), SLOTS);
    settle();
    assert_int_equal(rig.noter[0]->note_count, SLOTS + 10);
    peer_send(0, 0, SLOTS);
    settle(); /* ten are in the way: it sleeps again */
    assert_int_equal(rig.noter[0]->note_count, 2 * SLOTS);
}

static void room_for_held_back_messages_wakes_batch_end(void **state)
{
    (void)state;
    settle();
    rig.noter[0]->to_send = SLOTS + 30;
    peer_send(0, 0, 1);
    settle();
    assert_int_equal(rig.noter[0]->to_send, 30);
    uint32_t batch_ends = rig.noter[0]->batch_ends;
    settle();
    assert_int_equal(rig.noter[0]->batch_ends, batch_ends); /* no room: nothing happened */
    assert_int_equal(peer_take_all(1), SLOTS);
    settle();
    assert_int_equal(rig.noter[0]->to_send, 0);
    assert_int_equal(peer_take_all(1), 30);
}

static void a_sleeping_peer_is_rung_once_per_round(void **state)
{
    (void)state;
    settle();
    channel_sleep(&rig.peer[1], false);
    rig.noter[0]->forward = true;
    peer_send(0, 0, 20);
    settle();
    assert_int_equal(rig.place->bells[BELL_FIRST + 8 + 1], 1);
    assert_int_equal(rig.place->bells[BELL_FIRST + 8 + 0], 0); /* its sender is awake */
    channel_awake(&rig.peer[1]);
    peer_send(0, 0, 20);
    settle();
    assert_int_equal(rig.place->bells[BELL_FIRST + 8 + 1], 1);
}

static void the_domain_says_that_it_sleeps(void **state)
{
    (void)state;
    settle();
    uint64_t wish = rig.ring[0][0]->sleeping;
    settle();
    assert_int_equal(wish & 1, 1);
    assert_int_equal(rig.ring[0][0]->sleeping, wish + 2); /* off and, another wish, on again */
    assert_int_equal(rig.ring[0][0]->want_room, 0);
}

static void a_busy_domain_still_asks_for_interrupts(void **state)
{
    (void)state;
    settle();
    rig.place->asleep = false;
    uint32_t waits = rig.place->waits;
    for (int i = 0; i < 20; i++) {
        peer_send(0, 0, LOOP_BATCH + 1); /* more than a batch: the domain can't sleep */
        peer_put(0, 0);
        round_run();
        if (rig.place->waits > waits)
            break;
        assert_true(i < 10);
    }
    assert_int_equal(rig.place->waited_for, 1); /* long past: doesn't block */
}

static void messages_to_the_port_are_counted(void **state)
{
    (void)state;
    rig.place->message = (struct msg){.op = 1};
    settle(); /* it comes with the wait */
    settle();
    assert_int_equal(counter("libos_port_messages"), 1);
}

static uint64_t port_message;

static void listener_message(void *state, const struct msg *m)
{
    (void)state;
    port_message = m->w[0];
}

static uint32_t reclaims;

static void listener_reclaim(void *state)
{
    (void)state;
    reclaims++;
}

/* The second of the domain's servers listens to the port and can free memory. */
static void use_listener(struct server *listener)
{
    *listener = noter_server;
    listener->message = listener_message;
    listener->reclaim = listener_reclaim;
    rig.libos->domain[1].server = listener;
}

static void a_message_to_the_port_reaches_who_listens(void **state)
{
    (void)state;
    static struct server listener;
    use_listener(&listener);
    uint32_t batch_ends = rig.noter[0]->batch_ends;
    rig.place->message = (struct msg){.op = 1, .w = {77}};
    settle(); /* it comes with the wait */
    settle();
    assert_int_equal(port_message, 77);
    assert_int_equal(counter("libos_port_messages"), 0);
    assert_true(rig.noter[0]->batch_ends > batch_ends);
}

static void memory_is_asked_back_and_the_pager_told(void **state)
{
    (void)state;
    static struct server listener;
    const uint32_t pager = 4 + PAGER_SLOT_PORT;
    use_listener(&listener);
    rig.place->start.heap.slot = 4;
    rig.place->pending = 1ull << SIGNAL_CONTROL_FIRST;
    settle();
    assert_int_equal(reclaims, 1);
    assert_int_equal(rig.place->bells[pager], 1);
}

/* Interrupts, deadlines, log */

static void interrupts_reach_the_device_of_their_server(void **state)
{
    (void)state;
    struct start_page *start = &rig.place->start;
    start->devices = 3;
    for (uint32_t i = 0; i < 3; i++) {
        start->device[i].device.vectors = 3;
        start->device[i].irq_bit = SIGNAL_IRQ_FIRST + 3 * i;
        start->device[i].server = i > 0;
    }
    settle();
    rig.place->pending = UINT64_C(5) << (SIGNAL_IRQ_FIRST + 6) | 1;
    settle();
    assert_int_equal(rig.noter[0]->signals, 0);
    assert_int_equal(rig.noter[1]->signals, 1);
    assert_int_equal(rig.noter[1]->device, 1);
    assert_int_equal(rig.noter[1]->bits, 5);
    assert_int_equal(rig.noter[1]->batch_ends, 2);
    assert_ptr_equal(domain_device(rig.noter[1]->domain, 1), &start->device[2].device);
    assert_ptr_equal(domain_device(rig.noter[0]->domain, 0), &start->device[0].device);
    assert_null(domain_device(rig.noter[0]->domain, 1));
    rig.place->pending = UINT64_C(1) << (SIGNAL_CONTROL_FIRST) | UINT64_C(0xff) << 40;
    settle();
    assert_int_equal(rig.noter[1]->signals, 1);
}

static void a_deadline_is_called_once_and_not_early(void **state)
{
    (void)state;
    settle();
    assert_int_equal(rig.place->waited_for, 0);
    domain_set_deadline(rig.noter[0]->domain, 5000);
    settle();
    assert_in_range(rig.place->waited_for, 1000 + 10000, 1000 + 10000 + 4);
    clock_now = 1000 + 9999;
    settle();
    assert_int_equal(rig.noter[0]->deadlines, 0);
    clock_now = rig.place->waited_for;
    settle();
    settle();
    assert_int_equal(rig.noter[0]->deadlines, 1);
    assert_int_equal(rig.noter[0]->batch_ends, 2);
    assert_int_equal(rig.place->waited_for, 0);
}

static void the_earliest_of_several_deadlines_is_waited_for(void **state)
{
    (void)state;
    settle();
    domain_set_deadline(rig.noter[0]->domain, 9000);
    domain_set_deadline(rig.noter[1]->domain, 5000);
    settle();
    assert_in_range(rig.place->waited_for, 11000, 11004);
    clock_now = 12000;
    rig.noter[1]->again = 20000;
    settle();
    assert_int_equal(rig.noter[0]->deadlines, 0);
    assert_int_equal(rig.noter[1]->deadlines, 1);
    assert_in_range(rig.place->waited_for, 19000, 19004);
    domain_set_deadline(rig.noter[0]->domain, 0);
    settle();
    assert_in_range(rig.place->waited_for, 41000, 41004);
}

static void far_deadlines_do_not_wrap(void **state)
{
    (void)state;
    settle();
    domain_set_deadline(rig.noter[0]->domain, UINT64_MAX);
    settle();
    assert_true(rig.place->waited_for > UINT64_MAX / 2);
    assert_int_equal(rig.noter[0]->deadlines, 0);
}

static void new_log_lines_are_announced_once_per_round(void **state)
{
    (void)state;
    settle();
    assert_int_equal(rig.place->bells[SUPERVISOR_BELL], 0);
    domain_log(rig.noter[0]->domain, "first %d", 1);
    domain_log(rig.noter[0]->domain, "second");
    settle();
    assert_int_equal(rig.place->bells[SUPERVISOR_BELL], 1);
    settle();
    assert_int_equal(rig.place->bells[SUPERVISOR_BELL], 1);
    struct log_reader reader = {0};
    char line[LOG_LINE_BYTES];
    assert_true(log_read(&reader, &rig.place->log, line, sizeof(line)));
    assert_string_equal(line, "noter: first 1"); /* it shares the log with another server */
    assert_true(log_read(&reader, &rig.place->log, line, sizeof(line)));
    assert_string_equal(line, "noter: second");
}

/* Hostile peers */

static void a_broken_peer_is_counted_and_others_go_on(void **state)
{
    (void)state;
    settle();
    rig.ring[0][1]->produced = 12345;
    rig.ring[1][1]->done = 54321;
    rig.noter[0]->to_send = 5;
    peer_send(2, 7, 4);
    settle();
    assert_int_equal(rig.noter[0]->note_count, 0);
    assert_int_equal(rig.noter[1]->note_count, 4);
    assert_int_equal(rig.noter[0]->to_send, 5);
    assert_int_equal(counter("libos_broken_channels"), 2);
    settle();
    assert_int_equal(counter("libos_broken_channels"), 2);
}

static void random_rings_do_no_harm(void **state)
{
    (void)state;
    srandom(4);
    uint64_t sent = 0;
    for (int run = 0; run < 200; run++) {
        rig_teardown(NULL);
        assert_int_equal(rig_setup(NULL), 0);
        rig.noter[0]->forward = true;
        for (int step = 0; step < 50; step++) {
            for (int n = 0; n < 2; n++) {
                uint8_t *bytes = (uint8_t *)rig.ring[n][1];
                size_t at = (size_t)random() % (sizeof(struct ring) + 256);
                bytes[at] = (uint8_t)random() >> random() % 8;
            }
            if (channel_room(&rig.peer_conn[2]))
                peer_send(2, sent++, 1);
            round_run();
            round_run();
            assert_int_equal(rig.noter[1]->noted[rig.noter[1]->note_count - 1], sent - 1);
        }
        assert_true(counter("libos_broken_channels") <= 2);
    }
}

/* The chain: source - relay - sink. The source sends numbers, the sink answers each (or none, so
 * that only room can wake the source), the relay passes both on. Servers for coroutines and
 * threads: no assertions in here, failures are noted. */

struct chain {
    struct domain *domain;
    struct conn *out, *back; /* away from the source, towards it */
    uint64_t total;          /* source: messages to send */
    uint64_t sent, seen;     /* source: answers seen; others: messages seen */
    bool wrong;
    bool silent;          /* sink: doesn't answer */
    uint32_t room_wanted; /* relay: takes a message only with that much room for it */
    void (*step)(void);   /* where a coroutine may be switched */
};

static enum error chain_start(void *state, struct domain *domain)
{
    struct chain *chain = state;
    chain->domain = domain;
    chain->out = domain_conn(domain, "out", 0);
    chain->back = domain_conn(domain, "back", 0);
    return OK;
}

static bool source_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct chain *chain = state;
    (void)conn;
    chain->step();
    chain->wrong |= m->w[0] != chain->seen || m->w[5] != ~chain->seen;
    chain->seen++;
    return true;
}

static void source_batch_end(void *state)
{
    struct chain *chain = state;
    while (chain->sent < chain->total) {
        struct msg m = {.op = 1, .w = {chain->sent, 0, 0, 0, 0, ~chain->sent}};
        if (conn_send(chain->out, &m) != OK)
            return;
        chain->sent++;
        chain->step();
    }
}

static bool relay_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct chain *chain = state;
    chain->step();
    struct conn *to = conn == chain->out ? chain->back : chain->out;
    if (chain->room_wanted && conn_room(to) < chain->room_wanted)
        return false;
    return conn_send(to, m) == OK;
}

static bool sink_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct chain *chain = state;
    chain->step();
    if (!chain->silent && !conn_room(conn))
        return false;
    chain->wrong |= m->w[0] != chain->seen || m->w[5] != ~chain->seen;
    chain->seen++;
    if (!chain->silent)
        conn_send(conn, m);
    return true;
}

#define CHAIN_SERVER(part, ...)                                                                    \
    static const struct server part##_server = {.name = #part,                                     \
                                                .state_size = sizeof(struct chain),                \
                                                .start = chain_start,                              \
                                                .receive = part##_receive,                         \
                                                __VA_ARGS__}
CHAIN_SERVER(source, .batch_end = source_batch_end);
CHAIN_SERVER(relay, );
CHAIN_SERVER(sink, );

/* Which domain each of the three lives in: that of the first of those that live together. */
enum { CHAIN_PARTS = 3 };
static const int apart[CHAIN_PARTS] = {0, 1, 2};
static const int *home = apart;

/* Which of its domain's servers a part is. */
static uint32_t server_number(int part)
{
    return (uint32_t)(part - home[part]);
}

static struct chain *chain_of(int part)
{
    return places[home[part]]->libos->domain[server_number(part)].state;
}

static void chain_domain(int number, const struct server *const *servers, uint64_t count,
                         uint64_t total, void (*step)(void))
{
    struct place *place = places[number];
    uint32_t failed;
    self = number;
    start_up(place, place->libos, servers, count);
    for (uint64_t i = 0; i < count; i++) {
        struct chain *chain = place->libos->domain[i].state;
        chain->total = total;
        chain->step = step;
    }
    loop_start(place->libos, &failed);
}

/* Coroutines. Each ring exists twice: as its writer wrote it, and as its reader sees it. A write
 * gets from one to the other through the writer's store buffer: in order, some time later. */

enum { LINKS = 2, STACK_BYTES = 256 * 1024, STORES_MAX = 4096, CHAIN_SLOTS_MAX = 8 };

struct store {
    uint8_t *to;
    uint32_t size;
    uint8_t bytes[64];
};

struct buffered_ring {
    struct ring *written, *seen;
    struct ring *queued; /* as the reader will see it when the store buffer is empty */
    int writer;
};

struct coroutine {
    ucontext_t context;
    void *stack;
    struct store stores[STORES_MAX];
    uint32_t first, count;
};

static struct coroutine *coroutines;
static ucontext_t scheduler;
static struct buffered_ring buffered[LINKS * 2];
static uint32_t chain_slots;
static bool fences_work; /* false: what the test must find out */

static void store_queue(struct buffered_ring *ring, size_t at, uint32_t size)
{
    uint8_t *written = (uint8_t *)ring->written + at, *queued = (uint8_t *)ring->queued + at;
    if (!memcmp(written, queued, size))
        return;
    struct coroutine *writer = &coroutines[ring->writer];
    if (writer->count == STORES_MAX)
        abort();
    struct store *store = &writer->stores[(writer->first + writer->count++) % STORES_MAX];
    store->to = (uint8_t *)ring->seen + at;
    store->size = size;
    memcpy(store->bytes, written, size);
    memcpy(queued, written, size);
}

/* Puts what `self` has written since the last time into its store buffer. Between two calls the
 * loop writes in this order. */
static void stores_collect(void)
{
    for (int i = 0; i < LINKS * 2; i++)
        if (buffered[i].writer == self)
            for (uint32_t n = 0; n < chain_slots; n++)
                store_queue(&buffered[i], RING_HEADER_BYTES + n * RING_ENTRY_BYTES,
                            RING_ENTRY_BYTES);
    static const size_t fields[][2] = {
        {offsetof(struct ring, produced), 4},
        {offsetof(struct ring, done), 4},
        {offsetof(struct ring, sleeping), 8},
        {offsetof(struct ring, want_room), 8},
    };
    for (size_t f = 0; f < sizeof(fields) / sizeof(*fields); f++)
        for (int i = 0; i < LINKS * 2; i++)
            if (buffered[i].writer == self)
                store_queue(&buffered[i], fields[f][0], (uint32_t)fields[f][1]);
}

static void stores_drain(int domain, uint32_t count)
{
    struct coroutine *writer = &coroutines[domain];
    for (; count && writer->count; count--, writer->count--) {
        struct store *store = &writer->stores[writer->first];
        memcpy(store->to, store->bytes, store->size);
        writer->first = (writer->first + 1) % STORES_MAX;
    }
}

/* The scheduler may run another domain here. */
static void coroutine_step(void)
{
    stores_collect();
    if (random() % 4)
        return;
    int me = self;
    swapcontext(&coroutines[me].context, &scheduler);
    self = me;
}

static void coroutine_wait(struct place *place)
{
    int me = self;
    stores_collect();
    coroutine_step();
    while (!place->pending && place->waited_for != 1) {
        place->asleep = true;
        swapcontext(&coroutines[me].context, &scheduler);
        self = me;
    }
    place->asleep = false;
}

static void coroutine_signal(int domain, uint64_t bit)
{
    stores_collect();
    places[domain]->pending |= UINT64_C(1) << bit;
    places[domain]->asleep = false;
    coroutine_step();
}

static void coroutine_fence(void)
{
    coroutine_step();
    if (fences_work)
        stores_drain(self, STORES_MAX);
    coroutine_step();
}

static const struct machine coroutine_machine = {coroutine_wait, coroutine_signal, coroutine_fence};

static void coroutine_main(void)
{
    for (uint64_t pending = 0;;)
        pending = loop_round(places[self]->libos, pending);
}

/* Between two servers of one domain: nothing of it is shared. */
static void chain_link_direct(int link)
{
    static struct msg queue[LINKS][2][CHAIN_SLOTS_MAX];
    static const char *const names[] = {"out", "back"};
    struct place *place = places[home[link]];
    uint8_t first = place->start.conns;
    for (int i = 0; i < 2; i++) {
        struct start_conn *conn = add_conn(place, names[i], (uint8_t)server_number(link + i), 0,
                                           chain_slots, NULL, NULL, 0);
        conn->mine = (uint64_t)queue[link][i];
        conn->transport = START_DIRECT;
        conn->peer = (uint8_t)(first + !i);
    }
}

/* Between part `link` and the next one. */
static void chain_link(int link)
{
    int near = home[link], far = home[link + 1];
    struct buffered_ring *out = &buffered[2 * link], *back = &buffered[2 * link + 1];
    for (int i = 0; i < 2; i++) {
        buffered[2 * link + i] =
            (struct buffered_ring){ring_create(chain_slots), ring_create(chain_slots),
                                   ring_create(chain_slots), i ? far : near};
    }
    if (near == far) {
        chain_link_direct(link);
        return;
    }
    add_conn(places[near], "out", (uint8_t)server_number(link), 0, chain_slots, out->written,
             back->seen, BELL_FIRST + 8 * (uint64_t)far);
    add_conn(places[far], "back", (uint8_t)server_number(link + 1), 0, chain_slots, back->written,
             out->seen, BELL_FIRST + 8 * (uint64_t)near + 1);
}

static void coroutine_create(int domain, uint64_t total)
{
    static const struct server *const servers[] = {&source_server, &relay_server, &sink_server};
    uint64_t count = 0;
    for (int part = domain; part < CHAIN_PARTS && home[part] == domain; part++)
        count++;
    chain_domain(domain, &servers[domain], count, total, coroutine_step);
    for (int k = 0; k < LINKS * 2; k++) /* generation is nobody's to read */
        if (buffered[k].writer == domain)
            memcpy(buffered[k].queued, buffered[k].written, RING_HEADER_BYTES);
    struct coroutine *c = &coroutines[domain];
    c->stack = malloc(STACK_BYTES);
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&c->context, coroutine_main, 0);
}

static void coroutines_create(uint64_t total)
{
    machine = coroutine_machine;
    coroutines = calloc(WORLD_DOMAINS, sizeof(*coroutines));
    for (int i = 0; i < CHAIN_PARTS; i++)
        if (home[i] == i)
            place_create(i);
    for (int i = 0; i < LINKS; i++)
        chain_link(i);
    for (int i = 0; i < CHAIN_PARTS; i++)
        if (home[i] == i)
            coroutine_create(i, total);
}

static void coroutines_free(void)
{
    for (int i = 0; i < LINKS * 2; i++) {
        free(buffered[i].written);
        free(buffered[i].seen);
        free(buffered[i].queued);
    }
    for (int i = 0; i < WORLD_DOMAINS; i++) {
        free(coroutines[i].stack);
        if (places[i])
            place_free(i);
    }
    free(coroutines);
}

/* Runs domains that are awake, at random, until all sleep. False if they never do. */
static bool coroutines_run(void)
{
    for (int steps = 0; steps < 200000; steps++) {
        int awake[WORLD_DOMAINS], count = 0;
        for (int i = 0; i < WORLD_DOMAINS; i++)
            if (places[i] && !places[i]->asleep)
                awake[count++] = i;
        if (!count)
            return true;
        self = awake[random() % count];
        swapcontext(&scheduler, &coroutines[self].context);
        stores_drain((int)(random() % WORLD_DOMAINS), (uint32_t)(random() % 4));
    }
    return false;
}

/* Returns true if every message made its way; *waits: how often domains slept. */
static bool chain_completes(unsigned seed, uint32_t slots, uint64_t total, uint64_t *waits)
{
    srandom(seed);
    chain_slots = slots;
    coroutines_create(total);
    bool silent = chain_of(2)->silent = seed & 1;
    chain_of(1)->room_wanted = seed % 3;
    bool ended = coroutines_run(), wrong = false;
    wrong |= chain_of(0)->seen != (silent ? 0 : total);
    wrong |= chain_of(2)->seen != total;
    for (int i = 0; i < WORLD_DOMAINS; i++) {
        wrong |= chain_of(i)->wrong;
        if (!places[i])
            continue;
        *waits += places[i]->waits;
        wrong |= places[i]->libos->counters[COUNT_BROKEN_CHANNELS] != 0;
    }
    coroutines_free();
    return ended && !wrong;
}

static void no_interleaving_loses_a_wake_up(void **state)
{
    (void)state;
    uint64_t waits = 0;
    fences_work = true;
    for (unsigned seed = 0; seed < 600; seed++) {
        uint32_t slots = 2u << seed % 5 % 3;
        if (!chain_completes(seed, slots, 40, &waits))
            fail_msg("seed %u with %u slots", seed, slots);
    }
    assert_true(waits > 600 * 3 * 3); /* the domains did sleep in between */
}

/* The same servers, some or all of them in one domain. */
static void any_partition_completes(void **state)
{
    (void)state;
    static const int partitions[][CHAIN_PARTS] = {{0, 0, 2}, {0, 1, 1}, {0, 0, 0}};
    uint64_t waits = 0;
    fences_work = true;
    for (unsigned seed = 0; seed < 600; seed++) {
        uint32_t slots = 2u << seed % 5 % 3;
        home = partitions[seed / 6 % 3];
        if (!chain_completes(seed, slots, 40, &waits))
            fail_msg("seed %u with %u slots", seed, slots);
    }
    home = apart;
    assert_true(waits > 600 * 3);
}

/* The test above can see what it is there for. */
static void without_fences_a_wake_up_is_lost(void **state)
{
    (void)state;
    uint64_t waits = 0;
    int lost = 0;
    fences_work = false;
    for (unsigned seed = 0; seed < 100; seed++)
        lost += !chain_completes(seed, 2, 40, &waits);
    assert_true(lost > 0);
}

/* Threads: source and sink on processors of their own. */

static pthread_mutex_t bell_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell_rung = PTHREAD_COND_INITIALIZER;
static bool threads_stop;

static void thread_wait(struct place *place)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20; /* a lost wake-up ends the test instead of hanging it */
    pthread_mutex_lock(&bell_lock);
    if (self == 0 && chain_of(0)->seen == chain_of(0)->total) {
        threads_stop = true;
        pthread_cond_broadcast(&bell_rung);
    }
    while (place->waited_for != 1 && !threads_stop &&
           !__atomic_load_n(&place->pending, __ATOMIC_SEQ_CST))
        if (pthread_cond_timedwait(&bell_rung, &bell_lock, &limit))
            threads_stop = true;
    pthread_mutex_unlock(&bell_lock);
}

static void thread_signal(int domain, uint64_t bit)
{
    pthread_mutex_lock(&bell_lock);
    __atomic_fetch_or(&places[domain]->pending, UINT64_C(1) << bit, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&bell_rung);
    pthread_mutex_unlock(&bell_lock);
}

/* Not a fence instruction: the thread sanitizer knows only read-modify-writes. */
static void thread_fence(void)
{
    static uint32_t nobody;
    __atomic_fetch_add(&nobody, 1, __ATOMIC_SEQ_CST);
}

static const struct machine thread_machine = {thread_wait, thread_signal, thread_fence};

static void no_step(void)
{
}

static bool threads_stopped(void)
{
    pthread_mutex_lock(&bell_lock);
    bool stopped = threads_stop;
    pthread_mutex_unlock(&bell_lock);
    return stopped;
}

static void *thread_main(void *argument)
{
    self = *(int *)argument;
    for (uint64_t pending = 0; !threads_stopped();)
        pending = loop_round(places[self]->libos, pending);
    return NULL;
}

static void two_threads_exchange_everything(void **state)
{
    (void)state;
    enum { THREAD_SLOTS = 4, TOTAL = 20000 };
    machine = thread_machine;
    threads_stop = false;
    place_create(0);
    place_create(1);
    struct ring *out = ring_create(THREAD_SLOTS), *back = ring_create(THREAD_SLOTS);
    add_conn(places[0], "out", 0, 0, THREAD_SLOTS, out, back, BELL_FIRST + 8);
    add_conn(places[1], "back", 0, 0, THREAD_SLOTS, back, out, BELL_FIRST);
    static const struct server *const servers[] = {&source_server, &sink_server};
    chain_domain(0, &servers[0], 1, TOTAL, no_step);
    chain_domain(1, &servers[1], 1, 0, no_step);

    pthread_t threads[2];
    int numbers[2] = {0, 1};
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, thread_main, &numbers[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(chain_of(0)->seen, TOTAL);
    assert_int_equal(chain_of(1)->seen, TOTAL);
    assert_false(chain_of(0)->wrong || chain_of(1)->wrong);
    free(out);
    free(back);
    place_free(0);
    place_free(1);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(each_server_starts_with_a_state_of_its_own),
        RIG_TEST(a_failing_start_says_which_server),
        RIG_TEST(too_little_private_memory_is_refused),
        RIG_TEST(too_many_counters_or_servers_are_refused),
        RIG_TEST(connections_are_found_by_name_and_server),
        RIG_TEST(pools_files_and_settings_are_found_by_name),
        RIG_TEST(counters_of_two_servers_do_not_meet),
        RIG_TEST(time_is_nanoseconds_since_boot),
        RIG_TEST(random_numbers_differ),
        RIG_TEST(the_processors_random_bits_are_used),
        RIG_TEST(batch_end_follows_start),
        RIG_TEST(messages_reach_their_server_in_order),
        RIG_TEST(one_busy_connection_does_not_starve_another),
        RIG_TEST(a_refused_message_waits_without_spinning),
        RIG_TEST(what_happens_later_in_a_round_is_not_slept_over),
        RIG_TEST(room_wakes_a_stalled_connection),
        RIG_TEST(room_for_held_back_messages_wakes_batch_end),
        RIG_TEST(a_sleeping_peer_is_rung_once_per_round),
        RIG_TEST(the_domain_says_that_it_sleeps),
        RIG_TEST(a_busy_domain_still_asks_for_interrupts),
        RIG_TEST(messages_to_the_port_are_counted),
        RIG_TEST(a_message_to_the_port_reaches_who_listens),
        RIG_TEST(memory_is_asked_back_and_the_pager_told),
        RIG_TEST(interrupts_reach_the_device_of_their_server),
        RIG_TEST(a_deadline_is_called_once_and_not_early),
        RIG_TEST(the_earliest_of_several_deadlines_is_waited_for),
        RIG_TEST(far_deadlines_do_not_wrap),
        RIG_TEST(new_log_lines_are_announced_once_per_round),
        RIG_TEST(a_broken_peer_is_counted_and_others_go_on),
        RIG_TEST(random_rings_do_no_harm),
        cmocka_unit_test(no_interleaving_loses_a_wake_up),
        cmocka_unit_test(any_partition_completes),
        cmocka_unit_test(without_fences_a_wake_up_is_lost),
        cmocka_unit_test(two_threads_exchange_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
