/* SPDX-License-Identifier: ISC
 *
 * Source and sink as a Linux program would write them: the same cases as Motet's, payload always
 * from private memory of one process to private memory of the other, over each way that pipe.h
 * names. The sink of an echo answers each message; what a batch is, is its kind's business: one
 * system call per message, or one for as many as there are.
 */
#include "bench/ipc/native/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/ipc/native/pipe.h"
#include "bench/ipc/servers/source/cases.h"

enum { SAMPLES_MAX = 64 };

const char *const linux_kinds[] = {"pipe",      "pipe_batch",
                                   "stream",    "stream_batch",
                                   "seqpacket", "seqpacket_batch",
                                   "shm_futex", "shm_eventfd",
                                   "io_uring",  NULL};
static const struct pipe_kind *const kinds[] = {&pipe_each,    &pipe_batch,     &stream_each,
                                                &stream_batch, &seqpacket_each, &seqpacket_batch,
                                                &memory_futex, &memory_eventfd, &uring_seqpacket};

static uint8_t data[BATCH_BYTES_MAX + BATCH_MAX * MESSAGE_BYTES], answers[ANSWERS * MESSAGE_BYTES];

struct run {
    const struct pipe_kind *kind;
    struct measured now;
    uint32_t samples, rounds;
};

static uint32_t piece_bytes(const struct measured *now)
{
    return now->payload > MESSAGE_BYTES ? now->payload : MESSAGE_BYTES;
}

static uint32_t answer_count(const struct measured *now)
{
    return now->pattern == PATTERN_STREAM ? 1 : now->batch;
}

static void sink(const struct run *run)
{
    uint64_t batches = (uint64_t)(run->samples + 1) * run->rounds;
    for (; batches; batches--) {
        run->kind->receive(1, data, run->now.batch, piece_bytes(&run->now));
        memcpy(answers, data, MESSAGE_BYTES); /* the first piece's mark */
        run->kind->send(1, answers, answer_count(&run->now), MESSAGE_BYTES);
    }
}

static int compare(const void *left, const void *right)
{
    const uint64_t *l = left, *r = right;
    return (*l > *r) - (*l < *r);
}

static void source(const struct run *run)
{
    uint64_t ticks[SAMPLES_MAX + 1], mark = 0, answered;
    uint64_t began = now_nanoseconds();
    for (uint32_t sample = 0; sample <= run->samples; sample++) {
        for (uint32_t round = 0; round < run->rounds; round++) {
            memcpy(data, &(uint64_t){++mark}, sizeof(mark));
            run->kind->send(0, data, run->now.batch, piece_bytes(&run->now));
            run->kind->receive(0, answers, answer_count(&run->now), MESSAGE_BYTES);
            memcpy(&answered, answers, sizeof(answered));
            if (answered != mark)
                give_up("an answer to something else");
        }
        uint64_t ended = now_nanoseconds();
        ticks[sample] = ended - began;
        began = ended;
    }
    qsort(ticks + 1, run->samples, sizeof(ticks[0]), compare);
    printf("native: ipc %s %s %u %u %lu %lu %lu %u %u\n", pattern_names[run->now.pattern],
           mode_names[run->now.mode], run->now.batch, run->now.payload,
           (unsigned long)ticks[1 + run->samples / 2], (unsigned long)ticks[1],
           (unsigned long)ticks[run->samples], run->samples, run->rounds);
}

static bool case_run(const struct how *how, const struct run *run)
{
    if (!run->kind->open())
        return false;
    int child = child_start();
    cpu_keep(how, !child);
    run->kind->enter(!child);
    if (!child) {
        sink(run);
        _Exit(0);
    }
    source(run);
    int status;
    if (waitpid(child, &status, 0) != child || status)
        give_up("the sink failed");
    run->kind->close();
    return true;
}

bool linux_run(const struct how *how, const char *mechanism)
{
    struct run run = {.samples = (uint32_t)atoi(how->samples),
                      .rounds = (uint32_t)atoi(how->rounds)};
    struct cases cases;
    for (unsigned i = 0; linux_kinds[i]; i++)
        if (!strcmp(mechanism, linux_kinds[i]))
            run.kind = kinds[i];
    if (!run.samples || run.samples > SAMPLES_MAX || !run.rounds)
        give_up("samples and rounds are 1 to 64 and 1 or more");
    cases_first(&cases);
    do {
        run.now = cases.now;
        if (run.now.mode != MODE_MESSAGE && run.now.mode != MODE_TWICE)
            continue;
        if (!case_run(how, &run))
            return false;
    } while (cases_next(&cases, how->is_short));
    return true;
}
