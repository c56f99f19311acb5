/* SPDX-License-Identifier: ISC
 *
 * See cases.h. Called by source.c.
 */
#include "bench/ipc/servers/source/cases.h"

const char *const pattern_names[PATTERN_COUNT] = {
    [PATTERN_PING] = "ping", [PATTERN_STREAM] = "stream", [PATTERN_ECHO] = "echo"};
const char *const mode_names[MODE_COUNT] = {[MODE_MESSAGE] = "message",
                                            [MODE_INLINE] = "inline",
                                            [MODE_SHARED] = "shared",
                                            [MODE_COPIED] = "copied",
                                            [MODE_TWICE] = "twice"};

void cases_first(struct cases *cases)
{
    cases->now = (struct measured){PATTERN_PING, MODE_MESSAGE, 1, 0};
}

/* The case behind *now in the order batch, payload, mode; messages have two patterns instead of
 * payloads. False: that was the last. */
static bool step(struct measured *now)
{
    if (now->pattern == PATTERN_PING) {
        now->pattern = PATTERN_STREAM;
        return true;
    }
    now->batch *= 2;
    if (now->batch <= CASE_BATCH_MAX)
        return true;
    now->batch = 1;
    if (now->mode == MODE_MESSAGE && now->pattern == PATTERN_STREAM) {
        now->pattern = PATTERN_ECHO;
        return true;
    }
    now->pattern = PATTERN_STREAM;
    now->payload *= 2;
    if (now->mode != MODE_MESSAGE && now->payload <= TRANSFER_PAYLOAD_MAX)
        return true;
    now->payload = CASE_PAYLOAD_MIN;
    return ++now->mode < MODE_COUNT;
}

static bool is_possible(const struct measured *now)
{
    if (now->mode == MODE_INLINE)
        return now->payload <= TRANSFER_INLINE_MAX;
    return (uint64_t)now->batch * now->payload <= CASE_BYTES_MAX;
}

static bool is_chosen(const struct measured *now, bool is_short)
{
    return !is_short || ((now->batch == 1 || now->batch == 32) &&
                         (now->payload <= CASE_PAYLOAD_MIN || now->payload >= 32768));
}

bool cases_next(struct cases *cases, bool is_short)
{
    while (step(&cases->now))
        if (is_possible(&cases->now) && is_chosen(&cases->now, is_short))
            return true;
    return false;
}
