/* SPDX-License-Identifier: ISC
 *
 * From records to who ran and who waited: the state of each thread as the records tell it. With
 * switch, idle and wake recorded nothing of it is left open but what was before the first record.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libos/trace.h"
#include "motet/abi.h"
#include "tools/trace/dump.h"

enum {
    THREADS_MAX = 4096,
    UNKNOWN = -1, /* a thread's state before its first record */
    CPUS_MAX = 256,
};

struct life {
    uint32_t thread;
    uint16_t domain;
    int state; /* enum thread_state or UNKNOWN */
    uint64_t since;
    uint64_t ran, waited, switches, wakes; /* waited: ready, and another ran */
};

struct lives {
    struct life life[THREADS_MAX];
    size_t count;
    struct life *running[CPUS_MAX]; /* NULL: idle */
    bool known[CPUS_MAX];           /* who runs */
    uint64_t last[CPUS_MAX];
    const struct dump *dump;
    uint64_t now;
    size_t number, problems;
};

static void problem(struct lives *lives, const char *what, const struct life *who)
{
    fprintf(stderr, "trace: record %zu: %s %s\n", lives->number,
            who ? dump_domain(lives->dump, who->domain) : "nobody", what);
    lives->problems++;
}

static struct life *find(struct lives *lives, uint32_t thread, uint16_t domain)
{
    if (!thread)
        return NULL;
    for (size_t i = 0; i < lives->count; i++)
        if (lives->life[i].thread == thread) {
            lives->life[i].domain = domain ? domain : lives->life[i].domain;
            return &lives->life[i];
        }
    if (lives->count == THREADS_MAX) {
        fprintf(stderr, "trace: more than %d threads\n", THREADS_MAX);
        exit(2);
    }
    struct life *life = &lives->life[lives->count++];
    *life = (struct life){.thread = thread, .domain = domain, .state = UNKNOWN};
    return life;
}

static void becomes(struct lives *lives, struct life *life, int state)
{
    if (life->state == THREAD_RUNNING)
        life->ran += lives->now - life->since;
    else if (life->state == THREAD_READY)
        life->waited += lives->now - life->since;
    life->state = state;
    life->since = lives->now;
}

static void switched(struct lives *lives, const struct trace_record *r)
{
    struct life *next = find(lives, r->thread, r->domain);
    struct life *before = find(lives, r->other, r->other_domain);
    if (lives->known[r->cpu] && lives->running[r->cpu] != before)
        problem(lives, "stopped, and another one had run", before);
    if (before)
        becomes(lives, before, r->detail);
    if (next && next->state != UNKNOWN && next->state != THREAD_READY)
        problem(lives, "runs, and wasn't ready", next);
    if (next) {
        becomes(lives, next, THREAD_RUNNING);
        next->switches++;
    }
    lives->running[r->cpu] = next;
    lives->known[r->cpu] = true;
}

static void woken(struct lives *lives, const struct trace_record *r)
{
    struct life *life = find(lives, r->thread, r->domain);
    if (!life) {
        problem(lives, "was woken", NULL);
        return;
    }
    /* One that stopped in this very entry has no switch yet. */
    if (life->state == THREAD_READY)
        problem(lives, "was woken, and was ready", life);
    if (life->state != THREAD_RUNNING)
        becomes(lives, life, THREAD_READY);
    life->wakes++;
}

static void follow(struct lives *lives)
{
    const struct dump *dump = lives->dump;
    for (size_t i = 0; i < dump->count; i++) {
        const struct trace_record *r = &dump->record[i];
        lives->number = i;
        if (r->event == TRACE_none || r->event >= TRACE_EVENT_COUNT)
            problem(lives, "did something unknown", NULL);
        if (r->time < lives->last[r->cpu])
            problem(lives, "came before the record in front of it", NULL);
        lives->last[r->cpu] = lives->now = r->time;
        if (r->event == TRACE_switch || r->event == TRACE_idle)
            switched(lives, r);
        else if (r->event == TRACE_wake)
            woken(lives, r);
    }
    for (size_t i = 0; i < lives->count; i++)
        becomes(lives, &lives->life[i], lives->life[i].state);
}

static struct lives *lives_of(const struct dump *dump)
{
    struct lives *lives = calloc(1, sizeof(*lives));
    if (!lives)
        exit(2);
    lives->dump = dump;
    follow(lives);
    return lives;
}

bool dump_check(const struct dump *dump)
{
    struct lives *lives = lives_of(dump);
    bool good = lives->problems == 0;
    free(lives);
    return good;
}

static double microseconds(const struct dump *dump, uint64_t ticks)
{
    return (double)ticks * 1e6 / (double)dump->frequency;
}

void dump_summary(const struct dump *dump)
{
    struct lives *lives = lives_of(dump);
    printf("%-16s %10s %10s %10s %14s %14s\n", "domain", "thread", "switches", "wakes", "ran us",
           "waited us");
    for (size_t i = 0; i < lives->count; i++) {
        const struct life *life = &lives->life[i];
        printf("%-16s %#10" PRIx32 " %10" PRIu64 " %10" PRIu64 " %14.1f %14.1f\n",
               dump_domain(dump, life->domain), life->thread, life->switches, life->wakes,
               microseconds(dump, life->ran), microseconds(dump, life->waited));
    }
    free(lives);
}
