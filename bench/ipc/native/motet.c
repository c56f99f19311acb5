/* SPDX-License-Identifier: ISC
 *
 * Domains as processes: this file writes their start pages, and is libos/kernel.h on the host. A
 * doorbell sets a bit of the peer's pending word, in shared memory, and wakes it by a futex; or the
 * peer polls that word ("spin"). "fused" is both servers in one domain of one process.
 */
#include "bench/ipc/native/native.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/ipc/transfer.h"
#include "libos/kernel.h"
#include "libos/state.h"

enum {
    DOMAINS = 2,
    SLOTS = 512,
    POOL_BUFFERS = 64,
    PRIVATE_BYTES = 1 << 20,
    SLOT_PEER = SLOT_FIRST_FREE,
    WAITS_FOR_NOTHING = 1, /* deadline of a wait that only asks for what is pending */
};

const char *const motet_kinds[] = {"futex", "spin", "fused", NULL};

extern const struct server motet_server_source, motet_server_sink;

/* What one process shows the other. */
struct place {
    alignas(64) uint64_t pending; /* signals since the last wait */
    uint32_t rung;                /* how many signals there were: the futex */
    uint32_t waiting;             /* 1: in the futex, or about to be */
};

struct shared {
    struct place place[DOMAINS];
    alignas(4096) uint8_t ring[DOMAINS][(RING_HEADER_BYTES + SLOTS * RING_ENTRY_BYTES + 63) & ~63];
    alignas(4096) uint8_t payload[POOL_BUFFERS][TRANSFER_PIECE_MAX];
};

static struct shared *shared;
static unsigned self; /* domain of this process */
static bool spins;

/* What this process has alone. The information page stands where domain_run looks for it. */
static struct own {
    alignas(4096) struct start_page start;
    alignas(4096) struct kernel_info info;
    alignas(4096) struct log_page log;
    struct log_reader reader;
    struct counter_page counters;
    alignas(64) uint8_t private[PRIVATE_BYTES];
    struct msg queue[DOMAINS][SLOTS];
} own;
_Static_assert(offsetof(struct own, info) == KERNEL_INFO_OFFSET, "behind the start page");

/* --- libos/kernel.h --- */

void ring_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static long futex(uint32_t *word, int operation, uint32_t value)
{
    return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

/* Prints what the servers have logged; ends the program when all is measured. */
static void log_print(void)
{
    char line[LOG_LINE_BYTES];
    while (log_read(&own.reader, &own.log, line, sizeof(line))) {
        /* In a domain with several servers a line begins with the server's name. */
        const char *text = strstr(line, "ipc ");
        if (text && !strcmp(text, "ipc done")) {
            puts(text);
            exit(0); /* the child ends with it */
        }
        printf("native: %s\n", line);
        if (text && !strncmp(text, "ipc error", 9))
            exit(1);
    }
}

void kernel_signal(uint64_t slot)
{
    if (slot == SLOT_SUPERVISOR) {
        log_print();
        return;
    }
    struct place *peer = &shared->place[self ^ 1];
    __atomic_fetch_or(&peer->pending, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&peer->rung, 1, __ATOMIC_SEQ_CST);
    /* `pending` is written before `waiting` is read; who waits has written `waiting` before it
     * reads `pending`. */
    if (__atomic_load_n(&peer->waiting, __ATOMIC_SEQ_CST))
        futex(&peer->rung, FUTEX_WAKE, INT_MAX);
}

uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message)
{
    struct place *place = &shared->place[self];
    (void)message;
    if (doorbell)
        kernel_signal(doorbell);
    for (;;) {
        uint32_t rung = __atomic_load_n(&place->rung, __ATOMIC_SEQ_CST);
        uint64_t pending = 0;
        if (__atomic_load_n(&place->pending, __ATOMIC_RELAXED))
            pending = __atomic_exchange_n(&place->pending, 0, __ATOMIC_SEQ_CST);
        if (pending || deadline == WAITS_FOR_NOTHING)
            return pending;
        if (spins) {
            __builtin_ia32_pause();
            continue;
        }
        __atomic_store_n(&place->waiting, 1, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&place->pending, __ATOMIC_SEQ_CST))
            futex(&place->rung, FUTEX_WAIT, rung);
        __atomic_store_n(&place->waiting, 0, __ATOMIC_SEQ_CST);
    }
}

void kernel_acknowledge(uint64_t slot)
{
    (void)slot;
}

void kernel_report(const struct msg *m)
{
    (void)m;
    log_print();
    give_up("a server didn't start");
}

uint64_t kernel_clock(void)
{
    return now_nanoseconds();
}

uint64_t kernel_random(void)
{
    return 0;
}

void kernel_stop(uint64_t code)
{
    fprintf(stderr, "ipc error: stopped with 0x%lx\n", (unsigned long)code);
    exit(1);
}

/* --- start pages --- */

static void settings_write(const struct how *how, char *text)
{
    snprintf(text, START_SETTING_BYTES, "ipc.samples=%s", how->samples);
    text += strlen(text) + 1;
    snprintf(text, START_SETTING_BYTES / 2, "ipc.rounds=%s", how->rounds);
    text += strlen(text) + 1;
    if (how->is_short)
        strcpy(text, "ipc.short=1");
}

static void start_make(const struct how *how)
{
    own.start = (struct start_page){
        .magic = START_MAGIC,
        .version = START_VERSION,
        .private_address = (uint64_t)own.private,
        .private_bytes = PRIVATE_BYTES,
        .log_address = (uint64_t)&own.log,
        .counters_address = (uint64_t)&own.counters,
        .pools = 1,
        .pool[0] = {.name = "payload",
                    .base = (uint64_t)shared->payload,
                    .buffers = POOL_BUFFERS,
                    .buffer_size = TRANSFER_PIECE_MAX,
                    .rights = POOL_READ | POOL_WRITE,
                    .server = START_EVERY_SERVER},
    };
    own.info = (struct kernel_info){
        .magic = KERNEL_INFO_MAGIC,
        .abi = ABI_VERSION,
        .clock_frequency = 1000000000, /* a tick is a nanosecond */
        .clock_multiplier = UINT64_C(1) << 32,
    };
    settings_write(how, own.start.settings);
}

static void channel_add(const char *name, unsigned domain)
{
    own.start.conn[own.start.conns++] = (struct start_conn){
        .mine = (uint64_t)shared->ring[domain],
        .theirs = (uint64_t)shared->ring[domain ^ 1],
        .slots = SLOTS,
        .doorbell = SLOT_PEER,
        .transport = START_CHANNEL,
    };
    strcpy(own.start.conn[0].name, name);
}

static void direct_add(const char *name, uint8_t server)
{
    struct start_conn *conn = &own.start.conn[own.start.conns++];
    *conn = (struct start_conn){
        .mine = (uint64_t)own.queue[server],
        .slots = SLOTS,
        .server = server,
        .transport = START_DIRECT,
        .peer = server ^ 1,
    };
    strcpy(conn->name, name);
}

static _Noreturn void domain_go(const struct server *const *servers, uint64_t count)
{
    struct linked linked = {
        .servers = servers,
        .count = count,
        .transport = {[START_CHANNEL] = &channel_transport, [START_DIRECT] = &direct_transport},
    };
    domain_run(&own.start, &linked);
}

_Noreturn void motet_run(const struct how *how, const char *doorbell)
{
    static const struct server *const servers[] = {&motet_server_sink, &motet_server_source};
    shared = shared_memory(sizeof(*shared));
    spins = !strcmp(doorbell, "spin");
    start_make(how);
    if (!strcmp(doorbell, "fused")) {
        cpu_keep(how, 0);
        direct_add("in", 0);
        direct_add("out", 1);
        domain_go(servers, 2);
    }
    self = child_start() ? 1 : 0;
    cpu_keep(how, self);
    channel_add(self ? "out" : "in", self);
    domain_go(&servers[self], 1);
}
