/* SPDX-License-Identifier: ISC
 *
 * See report.h.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/composer/report.h"

static unsigned reported;

static void say(struct place at, const char *kind, const char *format, va_list arguments)
{
    if (at.line)
        fprintf(stderr, "%s:%u: %s: ", at.file, at.line, kind);
    else
        fprintf(stderr, "%s: %s: ", at.file, kind);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

bool report(struct place at, const char *format, ...)
{
    reported++;
    va_list arguments;
    va_start(arguments, format);
    say(at, "error", format, arguments);
    va_end(arguments);
    return false;
}

void warn(struct place at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(at, "warning", format, arguments);
    va_end(arguments);
}

unsigned report_count(void)
{
    return reported;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters to insert, drop, change or swap with their neighbour; names that don't fit the
 * table are never near. */
static unsigned distance(const char *a, const char *b)
{
    enum { LENGTH_MAX = 63 };
    unsigned cost[LENGTH_MAX + 1][LENGTH_MAX + 1];
    size_t rows = strlen(a), columns = strlen(b);
    if (rows > LENGTH_MAX || columns > LENGTH_MAX)
        return UINT32_MAX;
    for (unsigned i = 0; i <= rows; i++) {
        for (unsigned j = 0; j <= columns; j++) {
            if (!i || !j) {
                cost[i][j] = i + j;
                continue;
            }
            unsigned change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            unsigned gap = least(cost[i - 1][j], cost[i][j - 1]) + 1;
            cost[i][j] = least(change, gap);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[rows][columns];
}

static const char *list(char buffer[SUGGESTION_BYTES], const char *const *names, size_t count)
{
    size_t used = (size_t)snprintf(buffer, SUGGESTION_BYTES, "%s", count ? "there are: " : "");
    for (size_t i = 0; i < count && used < SUGGESTION_BYTES; i++)
        used += (size_t)snprintf(buffer + used, SUGGESTION_BYTES - used, "%s%s", i ? ", " : "",
                                 names[i]);
    if (!count)
        snprintf(buffer, SUGGESTION_BYTES, "there are none");
    return buffer;
}

const char *suggest(char buffer[SUGGESTION_BYTES], const char *wrong, const char *const *names,
                    size_t count)
{
    /* A third of the letters wrong still counts as a slip. */
    unsigned best = (unsigned)(strlen(wrong) + 2) / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        unsigned far = distance(wrong, names[i]);
        if (far < best) {
            best = far;
            nearest = names[i];
        }
    }
    if (!nearest)
        return list(buffer, names, count);
    snprintf(buffer, SUGGESTION_BYTES, "did you mean \"%s\"?", nearest);
    return buffer;
}
