/* SPDX-License-Identifier: ISC
 *
 * A server for tests in the control server's place: without a host it asks init for swaps, of one
 * domain after the other, each to the same program. What it knows of a swap under way is carried
 * over when it is swapped itself. swapper.every: milliseconds from the end of one to the next;
 * swapper.swaps: how many; swapper.domain: of this one only.
 */
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

enum step { STEP_IDLE, STEP_BEGIN, STEP_GO, STEP_STATUS };

/* Carried over as it is. */
struct plan {
    uint32_t step;    /* what is being asked */
    uint32_t waiting; /* 1: for the answer to that */
    uint32_t domain;  /* whose turn it is */
    uint32_t left;
    uint64_t every; /* milliseconds */
    uint32_t only;  /* a domain; 0: all */
    uint32_t reserved;
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
    struct msg m;
    msg_set(&m, (uint16_t)(SUPERVISOR_CONTROL + op), payload, bytes);
    swapper->plan.waiting = supervisor_ask(swapper->domain, &m) == OK;
    later(swapper, ANSWER);
}

static void step_ask(struct swapper *swapper)
{
    static const uint16_t ops[] = {
        [STEP_GO] = CONTROL_SWAP_GO, [STEP_STATUS] = CONTROL_SWAP_STATUS};
    struct plan *plan = &swapper->plan;
    if (plan->step == STEP_IDLE && !plan->left)
        return;
    if (plan->step > STEP_BEGIN) {
        ask(swapper, ops[plan->step], NULL, 0);
        return;
    }
    const struct control_swap_begin begin = {.domain = (uint16_t)plan->domain};
    plan->step = STEP_BEGIN;
    ask(swapper, CONTROL_SWAP_BEGIN, &begin, sizeof(begin));
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
    if (error == OK) {
        plan->step = STEP_GO;
        step_ask(swapper);
    } else if (error == ERROR_NOT_FOUND) {
        plan->domain = 0; /* behind the last one */
        next(swapper);
    } else {
        next(swapper); /* it can't be swapped, or not now */
    }
}

static void message(void *state, const struct msg *m)
{
    static const uint16_t ops[] = {[STEP_BEGIN] = CONTROL_SWAP_BEGIN,
                                   [STEP_GO] = CONTROL_SWAP_GO,
                                   [STEP_STATUS] = CONTROL_SWAP_STATUS};
    struct swapper *swapper = state;
    struct plan *plan = &swapper->plan;
    if (!plan->waiting || !plan->step || m->op != SUPERVISOR_CONTROL + ops[plan->step])
        return;
    plan->waiting = 0;
    if (plan->step == STEP_BEGIN) {
        begun(swapper, (enum error)m->status);
    } else if (plan->step == STEP_GO && m->status == OK) {
        plan->step = STEP_STATUS;
        later(swapper, POLL);
    } else if (plan->step == STEP_STATUS) {
        status_look(swapper, m);
    } else {
        next(swapper);
    }
}

static enum error start(void *state, struct domain *domain)
{
    struct swapper *swapper = state;
    swapper->domain = domain;
    swapper->plan = (struct plan){.left = (uint32_t)number(domain, "swapper.swaps", 0),
                                  .every = number(domain, "swapper.every", 100),
                                  .only = (uint32_t)number(domain, "swapper.domain", 0)};
    swapper->plan.domain = swapper->plan.only ? swapper->plan.only : 1;
    later(swapper, swapper->plan.every);
    return OK;
}

static const char *const counters[] = {[COUNT_DONE] = "swaps_done",
                                       [COUNT_REFUSED] = "swaps_refused",
                                       [COUNT_ROLLED_BACK] = "swaps_rolled_back",
                                       [COUNT_LOST] = "swaps_state_lost",
                                       [COUNT_UNANSWERED] = "unanswered"};
static const char *const settings[] = {"swapper.every", "swapper.swaps", "swapper.domain"};

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
