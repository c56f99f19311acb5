/* SPDX-License-Identifier: ISC
 *
 * See shrink.h. Each attempt is a whole run in this process: a run leaves nothing behind.
 */
#include "tools/sim/shrink.h"

#include <string.h>

enum { ATTEMPTS_MAX = 60 };

static bool still_fails(const struct options *options, const struct how *how,
                        const struct run_result *failure)
{
    struct run_result result;
    run_scenario(options, how, &result);
    return result.failed && !strcmp(result.text, failure->text);
}

static bool calm_each(struct options *options, const struct how *how,
                      const struct run_result *failure, int *attempts)
{
    bool simpler = false;
    for (size_t i = 0; i < option_count() && *attempts < ATTEMPTS_MAX; i++) {
        struct options trial = *options;
        if (option_is_calm(options, i))
            continue;
        option_calm(&trial, i);
        ++*attempts;
        if (still_fails(&trial, how, failure)) {
            *options = trial;
            simpler = true;
        }
    }
    return simpler;
}

/* Fewer questions, fewer clients: half as many as long as that does it. */
static bool halve(struct options *options, uint32_t *value, const struct how *how,
                  const struct run_result *failure, int *attempts)
{
    bool simpler = false;
    while (*value > 1 && *attempts < ATTEMPTS_MAX) {
        uint32_t before = *value;
        *value = before / 2;
        ++*attempts;
        if (!still_fails(options, how, failure)) {
            *value = before;
            break;
        }
        simpler = true;
    }
    return simpler;
}

bool shrink(struct options *options, const struct how *how, const struct run_result *failure)
{
    int attempts = 0;
    struct how quiet = *how;
    quiet.quiet = true;
    quiet.verbose = false;
    bool simpler = calm_each(options, &quiet, failure, &attempts);
    simpler |= halve(options, &options->queries, &quiet, failure, &attempts);
    simpler |= halve(options, &options->clients, &quiet, failure, &attempts);
    return simpler;
}
