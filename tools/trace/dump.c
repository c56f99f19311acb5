/* SPDX-License-Identifier: ISC
 *
 * See dump.h.
 */
#include "tools/trace/dump.h"

#include <stdlib.h>
#include <string.h>

#include "libos/trace.h"

enum { LINE_BYTES = 512 };

static bool complain(size_t line, const char *what)
{
    fprintf(stderr, "trace: line %zu: %s\n", line, what);
    return false;
}

static void restart(struct dump *dump)
{
    free(dump->record);
    *dump = (struct dump){0};
}

static bool add_record(struct dump *dump, const uint64_t word[4])
{
    if (dump->count % 4096 == 0) {
        size_t bytes = (dump->count + 4096) * sizeof(*dump->record);
        struct trace_record *grown = realloc(dump->record, bytes);
        if (!grown)
            return false;
        dump->record = grown;
    }
    memcpy(&dump->record[dump->count++], word, sizeof(*dump->record));
    return true;
}

static bool begin(struct dump *dump, const char *text, size_t line)
{
    unsigned version;
    unsigned long frequency, base;
    restart(dump);
    if (sscanf(text, "%u %lx %lx", &version, &frequency, &base) != 3)
        return complain(line, "no beginning of a dump");
    if (version != TRACE_VERSION)
        return complain(line, "a dump of another version: use the tool of that image's source");
    if (frequency == 0)
        return complain(line, "a clock that stands still");
    dump->frequency = frequency;
    dump->base = base;
    return true;
}

static bool domain(struct dump *dump, const char *text, size_t line)
{
    unsigned number;
    char name[IMAGE_NAME_BYTES];
    if (sscanf(text, "%u %15[a-z0-9_]", &number, name) != 2 || number >= IMAGE_DOMAINS_MAX)
        return complain(line, "no domain");
    strcpy(dump->domain[number], name);
    return true;
}

static bool record(struct dump *dump, const char *text, size_t line)
{
    unsigned long w[4];
    int end = 0;
    if (sscanf(text, "%lx %lx %lx %lx%n", &w[0], &w[1], &w[2], &w[3], &end) != 4 ||
        text[end + (int)strspn(text + end, "\r\n")])
        return complain(line, "no record: was the dump cut off?");
    if (!add_record(dump, (const uint64_t[4]){w[0], w[1], w[2], w[3]}))
        return complain(line, "no memory for so many records");
    return true;
}

static bool starts(const char *text, const char *with, const char **rest)
{
    size_t length = strlen(with);
    *rest = text + length;
    return !strncmp(text, with, length);
}

bool dump_read(struct dump *dump, FILE *file)
{
    char text[LINE_BYTES];
    const char *rest;
    bool inside = false;
    *dump = (struct dump){0};
    for (size_t line = 1; fgets(text, sizeof(text), file); line++) {
        bool good = true;
        if (starts(text, "trace begin ", &rest))
            good = inside = begin(dump, rest, line);
        else if (!inside)
            continue;
        else if (starts(text, "trace end", &rest))
            inside = false;
        else if (starts(text, "trace domain ", &rest))
            good = domain(dump, rest, line);
        else if (starts(text, "trace ", &rest))
            good = record(dump, rest, line);
        if (!good)
            return false;
    }
    if (!dump->frequency)
        fputs("trace: there is no dump in it: boot with trace=PAGES and type T\n", stderr);
    return dump->frequency != 0;
}

const char *dump_domain(const void *context, uint16_t number)
{
    const struct dump *dump = context;
    return number < IMAGE_DOMAINS_MAX && dump->domain[number][0] ? dump->domain[number] : "?";
}

uint64_t dump_time(const struct dump *dump, const struct trace_record *r)
{
    return (uint64_t)((__uint128_t)(r->time - dump->base) * 1000000000 / dump->frequency);
}
