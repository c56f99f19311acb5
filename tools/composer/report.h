/* SPDX-License-Identifier: ISC
 *
 * Errors for the person who writes manifests: each names file and line, says what is wrong, and
 * after a dash the way out. Reporting goes on until the phase ends, so that one run shows all.
 */
#ifndef COMPOSE_REPORT_H
#define COMPOSE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* A line of a manifest (`line` 0: the file as a whole). `file` outlives the program's run. */
struct place {
    const char *file;
    unsigned line;
};

/* Prints "FILE:LINE: error: ..." on standard error. The text says what, then " — ", then the way
 * out. Returns false, for `return report(...)`. */
__attribute__((format(printf, 2, 3))) bool report(struct place at, const char *format, ...);

/* The same for what is no error: "FILE:LINE: warning: ...". */
__attribute__((format(printf, 2, 3))) void warn(struct place at, const char *format, ...);

/* How many errors were reported so far. */
unsigned report_count(void);

enum { SUGGESTION_BYTES = 512 };

/* The way out for a name that isn't known: the one that was probably meant, or all there are.
 * Fills and returns `buffer`. */
const char *suggest(char buffer[SUGGESTION_BYTES], const char *wrong, const char *const *names,
                    size_t count);

#endif
