/* SPDX-License-Identifier: ISC
 *
 * See report.h.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/compose/report.h"

static unsigned reported;

bool report(struct place at, const char *format, ...)
{
    reported++;
    if (at.line)
        fprintf(stderr, "%s:%u: error: ", at.file, at.line);
    else
        fprintf(stderr, "%s: error: ", at.file);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return false;
}

unsigned report_count(void)
{
    return reported;
}

/* Levenshtein's distance; names longer than the row are never near. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[64];
    size_t length = strlen(b);
    if (length >= sizeof row / sizeof row[0])
        return UINT32_MAX;
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < length; j++) {
            unsigned change = diagonal + (a[i] != b[j]);
            unsigned gap = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < gap ? change : gap;
        }
    }
    return row[length];
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
