/* SPDX-License-Identifier: ISC
 *
 * Errors, warnings and progress of the zone compiler, see report.h.
 */
#define _GNU_SOURCE 1 /* clock_gettime */
#include "tools/zonec/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/zonec/memory.h"

static int64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void report_init(struct report *report, FILE *stream)
{
    *report = (struct report){.stream = stream, .last_progress = milliseconds_now()};
}

void report_free(struct report *report)
{
    for (uint32_t index = 0; index < report->file_count; index++)
        free(report->files[index]);
    free(report->files);
}

uint32_t report_file(struct report *report, const char *name)
{
    char *copy = memory_resize(NULL, strlen(name) + 1, 1);

    report->files = memory_resize(report->files, report->file_count + 1, sizeof *report->files);
    strcpy(copy, name);
    report->files[report->file_count] = copy;
    return report->file_count++;
}

static void print(struct report *report, struct place place, const char *kind, uint32_t number,
                  const char *format, va_list arguments)
{
    if (number > REPORT_SHOWN)
        return;
    fprintf(report->stream, "%s:", report->files[place.file]);
    if (place.line > 0)
        fprintf(report->stream, "%u:", place.line);
    fprintf(report->stream, " %s: ", kind);
    vfprintf(report->stream, format, arguments);
    fputc('\n', report->stream);
    if (number == REPORT_SHOWN)
        fprintf(report->stream, "zonec: further %ss are only counted\n", kind);
}

void report_error(struct report *report, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print(report, place, "error", ++report->errors, format, arguments);
    va_end(arguments);
}

void report_warning(struct report *report, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print(report, place, "warning", ++report->warnings, format, arguments);
    va_end(arguments);
}

void report_progress(struct report *report, const char *format, ...)
{
    int64_t now = milliseconds_now();
    va_list arguments;

    if (now < report->last_progress + 1000)
        return;
    report->last_progress = now;
    fputs("zonec: ", report->stream);
    va_start(arguments, format);
    vfprintf(report->stream, format, arguments);
    va_end(arguments);
    fputs(" ...\n", report->stream);
    fflush(report->stream);
}
