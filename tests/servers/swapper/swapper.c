/* SPDX-License-Identifier: ISC
 *
 * A server for tests in the control server's place: without a host it asks init for swaps, of one
 * domain after the other. What it knows of a swap under way is carried over when it is swapped
 * itself. swapper.every: milliseconds from the end of one to the next; swapper.swaps: how many;
 * swapper.domain: of this one only; swapper.file=N: with the file "new" of its own as file N - 1 of
 * that domain, in place of the same program; swapper.damage: one in so many of these has a wrong
 * byte, and its check is right.
 */
#include "libos/crc.h"
#include "libos/domain.h"
#include "libos/server.h"
#include "libos/supervisor.h"
#include "libos/swap.h"
#include "motet/control.h"

enum {
    MILLISECOND = 1000000, /* nanoseconds */
    POLL = 20,             /* milliseconds between two looks at a swap */
    ANSWER = 1000,         /* that a question waits for its answer */
};

enum step { STEP_IDLE, STEP_BEGIN, STEP_TAKE, STEP_GO, STEP_STATUS, STEPS };

/* Carried over as it is. */
struct plan {
    uint32_t step;    /* what is being asked */
    uint32_t waiting; /* 1: for the answer to that */
    uint32_t domain;  /* whose turn it is */
    uint32_t left;
    uint64_t every;         /* milliseconds */
    uint32_t only;          /* a domain; 0: all */
    uint32_t file;          /* 1 + its number; 0: no new one */
    uint32_t staged, piece; /* bytes of it */
    uint32_t damage;        /* one in so many */
    uint32_t damaged;       /* 1 + which byte of this one; 0: none */
};

struct swapper {
    struct domain *domain;
    struct plan plan;
};

enum counter { COUNT_DONE, COUNT_REFUSED, COUNT_ROLLED_BACK, COUNT_LOST, COUNT_UNANSWERED };

static uint64_t number(struct domain *domain, const char *key, uint64_t otherwise)
{
    const char *text = domain_setting(domain, key);
    uint64_t value = 0;
    if (!text)
        return otherwise;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return value;
}

static void later(struct swapper *swapper, uint64_t milliseconds)
{
    domain_set_deadline(swapper->domain, domain_time(swapper->domain) + milliseconds * MILLISECOND);
}

static void count(struct swapper *swapper, enum counter counter)
{
    domain_counters(swapper->domain)[counter]++;
}

static void ask(struct swapper *swapper, enum control_op op, const void *payload, uint32_t bytes)
{
    struct msg m = {.op = (uint16_t)(SUPERVISOR_CONTROL + op)};
    if (bytes)
        msg_set(&m, m.op, payload, bytes);
    swapper->plan.waiting = supervisor_ask(swapper->domain, &m) == OK;
    later(swapper, ANSWER);
}

static const uint16_t ops[STEPS] = {[STEP_BEGIN] = CONTROL_SWAP_BEGIN,
                                    [STEP_TAKE] = CONTROL_SWAP_TAKE,
                                    [STEP_GO] = CONTROL_SWAP_GO,
                                    [STEP_STATUS] = CONTROL_SWAP_STATUS};

static const uint8_t *file_of(const struct swapper *swapper, uint32_t *bytes)
{
    size_t size = 0;
    const void *file = swapper->plan.file ? domain_file(swapper->domain, "new", &size) : NULL;
    *bytes = (uint32_t)size;
    return file;
}

/* A byte of the file as it is sent. */
static uint8_t byte_at(const struct swapper *swapper, const uint8_t *file, uint32_t at)
{
    return at + 1 == swapper->plan.damaged ? file[at] ^ 0x10 : file[at];
}

static uint32_t check_of(const struct swapper *swapper, const uint8_t *file, uint32_t bytes)
{
    uint32_t check = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        const uint8_t byte = byte_at(swapper, file, i);
        check = crc_add(check, &byte, 1);
    }
    return check;
}

static void begin_ask(struct swapper *swapper)
{
    struct plan *plan = &swapper->plan;
    struct control_swap_begin begin = {.domain = (uint16_t)plan->domain};
    const uint8_t *file = file_of(swapper, &begin.bytes);
    plan->staged = plan->damaged = 0;
    if (file) {
        const uint64_t random = domain_random(swapper->domain);
        if (plan->damage && (uint32_t)random % plan->damage == 0)
            plan->damaged = 1 + (uint32_t)(random >> 32) % begin.bytes;
        begin.what = (uint16_t)(CONTROL_SWAP_FILE + plan->file - 1);
        begin.check = check_of(swapper, file, begin.bytes);
    }
    plan->step = STEP_BEGIN;
    ask(swapper, CONTROL_SWAP_BEGIN, &begin, sizeof(begin));
}

/* The next piece into the staging memory, and asks that it be taken. */
static void stage(struct swapper *swapper)
{
    struct plan *plan = &swapper->plan;
    uint32_t bytes, room;
    const uint8_t *file = file_of(swapper, &bytes);
    uint8_t *staging = supervisor_staging(swapper->domain, &room);
    const uint64_t piece = bytes - plan->staged < room ? bytes - plan->staged : room;
    for (uint32_t i = 0; i < piece; i++)
        staging[i] = byte_at(swapper, file, plan->staged + i);
    plan->piece = (uint32_t)piece;
    plan->step = STEP_TAKE;
    ask(swapper, CONTROL_SWAP_TAKE, &piece, sizeof(piece));
}

static void go(struct swapper *swapper)
{
    swapper->plan.step = STEP_GO;
    ask(swapper, CONTROL_SWAP_GO, NULL, 0);
}

/* What wasn't answered is asked again, but a piece: that may have been taken. */
static void step_ask(struct swapper *swapper)
{
    const struct plan *plan = &swapper->plan;
    if (plan->step > STEP_TAKE)
        ask(swapper, ops[plan->step], NULL, 0);
    else if (plan->step != STEP_IDLE || plan->left)
        begin_ask(swapper);
}

static void deadline(void *state)
{
    struct swapper *swapper = state;
    if (swapper->plan.waiting)
        count(swapper, COUNT_UNANSWERED);
    step_ask(swapper);
}

static void next(struct swapper *swapper)
{
    struct plan *plan = &swapper->plan;
    plan->step = STEP_IDLE;
    if (!plan->only)
        plan->domain++;
    later(swapper, plan->every);
}

static void status_look(struct swapper *swapper, const struct msg *m)
{
    static const uint8_t counters[] = {[CONTROL_SWAP_DONE] = COUNT_DONE,
                                       [CONTROL_SWAP_REFUSED] = COUNT_REFUSED,
                                       [CONTROL_SWAP_ROLLED_BACK] = COUNT_ROLLED_BACK};
    struct control_swap status;
    msg_get(m, &status, sizeof(status));
    if (status.phase < CONTROL_SWAP_DONE) {
        later(swapper, POLL);
        return;
    }
    if (status.phase < CONTROL_SWAP_PHASES)
        count(swapper, counters[status.phase]);
    if (status.lost)
        count(swapper, COUNT_LOST);
    swapper->plan.left--;
    next(swapper);
}

static void begun(struct swapper *swapper, enum error error)
{
    struct plan *plan = &swapper->plan;
    uint32_t bytes;
    if (error == OK && file_of(swapper, &bytes)) {
        stage(swapper);
    } else if (error == OK) {
        go(swapper);
    } else {
        if (error == ERROR_NOT_FOUND)
            plan->domain = 0; /* behind the last one; others can't be swapped, or not now */
        next(swapper);
    }
}

static void taken(struct swapper *swapper)
{
    struct plan *plan = &swapper->plan;
    uint32_t bytes;
    file_of(swapper, &bytes);
    plan->staged += plan->piece;
    if (plan->staged < bytes)
        stage(swapper);
    else
        go(swapper);
}

static void message(void *state, const struct msg *m)
{
    struct swapper *swapper = state;
    struct plan *plan = &swapper->plan;
    if (!plan->waiting || !plan->step || m->op != SUPERVISOR_CONTROL + ops[plan->step])
        return;
    plan->waiting = 0;
    if (plan->step == STEP_BEGIN) {
        begun(swapper, (enum error)m->status);
    } else if (m->status) {
        next(swapper);
    } else if (plan->step == STEP_TAKE) {
        taken(swapper);
    } else if (plan->step == STEP_GO) {
        plan->step = STEP_STATUS;
        later(swapper, POLL);
    } else {
        status_look(swapper, m);
    }
}

static enum error start(void *state, struct domain *domain)
{
    struct swapper *swapper = state;
    swapper->domain = domain;
    swapper->plan = (struct plan){.left = (uint32_t)number(domain, "swapper.swaps", 0),
                                  .every = number(domain, "swapper.every", 100),
                                  .only = (uint32_t)number(domain, "swapper.domain", 0),
                                  .file = (uint32_t)number(domain, "swapper.file", 0),
                                  .damage = (uint32_t)number(domain, "swapper.damage", 0)};
    swapper->plan.domain = swapper->plan.only ? swapper->plan.only : 1;
    later(swapper, swapper->plan.every);
    return OK;
}

static const char *const counters[] = {[COUNT_DONE] = "swaps_done",
                                       [COUNT_REFUSED] = "swaps_refused",
                                       [COUNT_ROLLED_BACK] = "swaps_rolled_back",
                                       [COUNT_LOST] = "swaps_state_lost",
                                       [COUNT_UNANSWERED] = "unanswered"};
static const char *const settings[] = {"swapper.every", "swapper.swaps", "swapper.domain",
                                       "swapper.file", "swapper.damage"};

extern const struct server motet_server_swapper;
const struct server motet_server_swapper = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "swapper",
    .version = "1",
    .state_size = sizeof(struct swapper),
    .stack_bytes = 1024,
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .counters = counters,
    .counter_count = sizeof(counters) / sizeof(counters[0]),
    .start = start,
    .deadline = deadline,
    .message = message,
};
SERVER_EXPORT(motet_server_swapper);

static const struct state_record records[] = {
    {.name = "plan", .id = 1, .version = 1, RECORD_OF(struct swapper, plan)},
};
SERVER_SWAP(motet_server_swapper, .records = records, .record_count = 1);
