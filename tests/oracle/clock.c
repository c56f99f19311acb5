/* SPDX-License-Identifier: ISC
 *
 * NSD sends 100 errors per second at most, whatever is configured. Preloaded into it this makes two
 * calls of time() never give the same second, so that it answers every query that it would answer
 * alone.
 */
#include <sys/time.h>
#include <time.h>

time_t time(time_t *out)
{
    static unsigned calls;
    struct timeval now;

    gettimeofday(&now, NULL);
    now.tv_sec += calls++ & 1;
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
