/* SPDX-License-Identifier: ISC
 *
 * cpus [--seed N] [--runs N] [--verbose]: runs of run.h from seed N on. The exit status is 0 when
 * all held, 1 at the first that didn't, 2 for misuse.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cpus/run.h"

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--seed N] [--runs N] [--verbose]\n", program);
    return 2;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"echo", "twice", "hold", "relay"};
    static const char *const ends[] = {"", ", planned hand-over", ", crash"};
    uint64_t seed = 1, runs = 1;
    bool verbose = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose"))
            verbose = true;
        else if (i + 1 == argc)
            return usage(argv[0]);
        else if (!strcmp(argv[i], "--seed"))
            seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--runs"))
            runs = strtoull(argv[++i], NULL, 10);
        else
            return usage(argv[0]);
    }
    for (uint64_t n = seed; n < seed + runs; n++) {
        const char *what;
        if (run_all(n, verbose, &what))
            continue;
        printf("FAILED: %s\n  %s%s, %u messages, %u slots\n  repeat: %s --seed %lu --verbose\n",
               what, modes[run.mode], ends[run.end], run.messages, run.slots, argv[0], n);
        return 1;
    }
    printf("%lu runs from seed %lu: all held\n", runs, seed);
    return 0;
}
