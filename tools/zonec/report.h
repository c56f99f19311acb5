/* SPDX-License-Identifier: ISC
 *
 * What the zone compiler tells its user: `FILE:LINE: error: what is wrong, way out`. Used by all of
 * zonec. Prints the first REPORT_SHOWN errors and as many warnings, and counts them all.
 */
#ifndef MOTET_ZONEC_REPORT_H
#define MOTET_ZONEC_REPORT_H

#include <stdint.h>
#include <stdio.h>

enum { REPORT_SHOWN = 20 };

/* Where a record was read. */
struct place {
    uint32_t file; /* index into report.files */
    uint32_t line; /* 1 is the first; 0 speaks of the whole file */
};

struct report {
    FILE *stream; /* kept by the caller */
    char **files;
    uint32_t file_count;
    uint32_t errors;
    uint32_t warnings;
    int64_t last_progress; /* milliseconds of the monotonic clock */
};

void report_init(struct report *report, FILE *stream);
void report_free(struct report *report);

/* Makes a file known; the name is copied. Returns its index. */
uint32_t report_file(struct report *report, const char *name);

__attribute__((format(printf, 3, 4))) void report_error(struct report *report, struct place place,
                                                        const char *format, ...);
__attribute__((format(printf, 3, 4))) void report_warning(struct report *report, struct place place,
                                                          const char *format, ...);

/* Says how far the work is, unless it did so (or started) less than a second ago. */
__attribute__((format(printf, 2, 3))) void report_progress(struct report *report,
                                                           const char *format, ...);

#endif
