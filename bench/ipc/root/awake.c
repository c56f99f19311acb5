/* SPDX-License-Identifier: ISC
 *
 * The libOS as it ships (libos/loop.c, libos/channels.c, ipc/channel.c), twice in one program: two
 * domains that stand for two processors and have their rounds in turn. Both have something else to
 * do all the time, so that neither sleeps and neither rings; every 8 rounds each asks the kernel
 * for interrupts, which is paid for here too. A doorbell or a sleep would end the program: the
 * figure would be none.
 *
 * This file is the rest of libos/kernel.h and ring_fence for this program.
 */
#include "bench/ipc/root/awake.h"

#include "bench/kernel/rig.h"
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/image.h"

enum {
    SIDES = 2, /* 0 sends, 1 receives */
    RING_SLOTS = AWAKE_BATCH_MAX,
    PRIVATE_BYTES = LIBOS_PRIVATE_BYTES + PAGE_BYTES,
    WARM_ROUNDS = 3,
};
#define AWAKE_ADDRESS 0x60400000ull

struct side {
    alignas(4096) uint8_t private[PRIVATE_BYTES];
    alignas(4096) struct start_page start;
    alignas(4096) struct log_page log;
    alignas(4096) struct counter_page counters;
    alignas(4096) uint8_t ring[(RING_HEADER_BYTES + RING_SLOTS * RING_ENTRY_BYTES + 4095) & ~4095];
};

struct awake {
    struct side side[SIDES];
    uint32_t own_port;
    uint32_t batch;
    bool echo; /* the receiver answers, and the answer starts the next batch */
    uint64_t sum;
    uint32_t received;
};

static struct awake *const awake = (struct awake *)AWAKE_ADDRESS;

/* --- the two servers: as little as there can be --- */

struct sender {
    struct conn *out;
};

/* As if a message of another server of this domain were left for the next round. */
static void stay_awake(uint32_t number)
{
    ((struct libos *)awake->side[number].private)->queued = true;
}

static enum error sender_start(void *state, struct domain *domain)
{
    ((struct sender *)state)->out = domain_conn(domain, "out", 0);
    return OK;
}

static void sender_batch_end(void *state)
{
    struct conn *out = ((struct sender *)state)->out;
    struct msg m = {.op = 1};
    for (uint32_t i = 0; i < awake->batch; i++) {
        m.w[0] = i;
        if (conn_send(out, &m))
            must(ERROR_FULL, "send");
    }
    if (!awake->echo)
        conn_room(out); /* none: what comes then is what starts the next batch */
    stay_awake(0);
}

static bool sender_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    (void)conn;
    (void)m;
    return true;
}

static enum error receiver_start(void *state, struct domain *domain)
{
    (void)state;
    (void)domain;
    return OK;
}

static bool receiver_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    awake->sum += m->w[0];
    awake->received++;
    return !awake->echo || conn_send(conn, m) == OK;
}

static void receiver_batch_end(void *state)
{
    (void)state;
    stay_awake(1);
}

static const struct server sender = {.name = "sender",
                                     .state_size = sizeof(struct sender),
                                     .start = sender_start,
                                     .receive = sender_receive,
                                     .batch_end = sender_batch_end};
static const struct server receiver = {.name = "receiver",
                                       .start = receiver_start,
                                       .receive = receiver_receive,
                                       .batch_end = receiver_batch_end};

/* --- what the libOS asks for --- */

void ring_fence(void)
{
    __asm__ volatile("lock orl $0, (%%rsp)" : : : "memory", "cc"); /* as kernel_x86_64.c */
}

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    struct received received = {0};
    (void)message;
    if (doorbell || deadline != 1) /* a time long past: it only asks for interrupts */
        must(ERROR_BAD_STATE, "an awake domain sleeps or rings");
    sys_wait(awake->own_port, 0, deadline, &received);
    return received.pending;
}

void kernel_signal(uint64_t slot)
{
    (void)slot;
    must(ERROR_BAD_STATE, "an awake domain rings");
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
    return clock_low();
}

uint64_t kernel_random(void)
{
    return 0;
}

void kernel_stop(uint64_t code)
{
    for (;;)
        __asm__ volatile("ud2" : : "D"(code));
}

/* --- the two domains --- */

static void side_make(uint32_t number, const struct server *server, uint32_t slots)
{
    const struct server *const servers[] = {server};
    const struct linked linked = {
        .servers = servers, .count = 1, .transport = {[START_CHANNEL] = &channel_transport}};
    struct side *side = &awake->side[number];
    memset(side, 0, sizeof(*side));
    side->start = (struct start_page){
        .private_address = (uint64_t)side->private,
        .private_bytes = PRIVATE_BYTES,
        .log_address = (uint64_t)&side->log,
        .counters_address = (uint64_t)&side->counters,
        .domain = (uint16_t)number,
        .conns = 1,
        .conn[0] = {.name = "out",
                    .mine = (uint64_t)side->ring,
                    .theirs = (uint64_t)awake->side[number ^ 1].ring,
                    .slots = slots,
                    .doorbell = 1},
    };
    struct libos *libos = (struct libos *)side->private;
    const void *info = (const void *)(INIT_BOOT_ADDRESS + KERNEL_INFO_OFFSET);
    uint32_t failed;
    must(domain_init(libos, &side->start, info, &linked), "domain_init");
    must(loop_start(libos, &failed), "loop_start");
}

void awake_make(void)
{
    uint32_t pages = (sizeof(struct awake) + PAGE_BYTES - 1) / PAGE_BYTES;
    uint32_t slot = make(rig()->next_slot++, OBJECT_page, pages);
    rig()->next_slot =
        map(rig()->next_slot, slot, INIT_SPACE, AWAKE_ADDRESS, RIGHT_READ | RIGHT_WRITE);
    awake->own_port = port_make();
}

/* Ticks of so many rounds of both. */
static uint32_t rounds_run(uint32_t rounds)
{
    uint64_t pending[SIDES] = {0};
    uint32_t began = clock_low();
    for (uint32_t i = 0; i < rounds; i++)
        for (uint32_t n = 0; n < SIDES; n++)
            pending[n] = loop_round((struct libos *)awake->side[n].private, pending[n]);
    return clock_low() - began;
}

static enum error plain_put(struct conn *conn, const struct msg *m)
{
    return receiver_receive(NULL, conn, m) ? OK : ERROR_FULL;
}

static uint32_t plain_room(struct conn *conn)
{
    (void)conn;
    return 0;
}

uint32_t awake_plain(uint32_t batch, uint32_t rounds)
{
    struct conn conn = {.put = plain_put, .room = plain_room};
    struct sender state = {&conn};
    awake->batch = batch;
    awake->echo = false;
    uint32_t began = clock_low();
    for (uint32_t i = 0; i < rounds; i++)
        sender.batch_end(&state);
    return clock_low() - began;
}

uint32_t awake_measure(uint32_t batch, uint32_t rounds)
{
    uint32_t slots = batch < RING_SLOTS_MIN ? RING_SLOTS_MIN : batch;
    awake->batch = batch;
    awake->echo = batch == 1;
    side_make(0, &sender, slots);
    side_make(1, &receiver, slots);
    rounds_run(WARM_ROUNDS);
    awake->received = 0;
    uint32_t ticks = rounds_run(rounds);
    if (awake->received != batch * rounds)
        must(ERROR_BAD_STATE, "messages were lost");
    return ticks;
}
