/* SPDX-License-Identifier: ISC */
/*
 * The triad (bench/triad/triad.h) as the only process of a Linux guest: prints what it measured.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bench/triad/triad.h"

static uint64_t now(void *context)
{
    struct timespec time;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int main(void)
{
    static struct triad triad;

    printf("triad: %u MB/s\n", triad_measure(&triad, now, NULL));
    fflush(stdout);
    for (;;)
        pause();
}
