/* SPDX-License-Identifier: ISC
 *
 * trace: decodes a dump of the kernel's trace (dump.h). Exit status: 0 when it was decoded, 1 when
 * --check found records that don't fit together, 2 when there is nothing to decode.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "libos/trace.h"
#include "motet/abi.h"
#include "tools/trace/dump.h"

static const char usage[] =
    "usage: trace [OPTION] [FILE]\n"
    "\n"
    "Decodes the last dump of a trace in FILE (default: standard input), such as the text of a\n"
    "console on which T was typed, or what the simulator's --trace wrote.\n"
    "\n"
    "  --json       as JSON: an object with all numbers and names, a line per record\n"
    "  --summary    how long each thread ran, and waited while it was ready\n"
    "  --check      nothing but whether the records fit together\n"
    "  --help\n";

static void print_text(const struct dump *dump)
{
    char text[TRACE_TEXT_BYTES];
    for (size_t i = 0; i < dump->count; i++) {
        const struct trace_record *r = &dump->record[i];
        uint64_t time = dump_time(dump, r);
        trace_text(text, r, dump_domain, dump);
        printf("%" PRIu64 ".%09" PRIu64 " cpu%u %s\n", time / 1000000000, time % 1000000000, r->cpu,
               text);
    }
}

/* What the detail is a number of. */
static void print_detail(const struct trace_record *r)
{
    if (r->event == TRACE_switch || r->event == TRACE_idle)
        printf(", \"other_state\": \"%s\"", trace_state_name(r->detail));
    else if (r->event == TRACE_wake)
        printf(", \"why\": \"%s\"", trace_wake_name(r->detail));
}

static void print_json(const struct dump *dump)
{
    printf("{\"frequency\": %" PRIu64 ", \"records\": [", dump->frequency);
    for (size_t i = 0; i < dump->count; i++) {
        const struct trace_record *r = &dump->record[i];
        printf("%s\n{\"ns\": %" PRIu64 ", \"tick\": %" PRIu64 ", \"cpu\": %u, \"event\": \"%s\"",
               i ? "," : "", dump_time(dump, r), r->time, r->cpu, trace_event_name(r->event));
        if (r->thread)
            printf(", \"domain\": \"%s\"", dump_domain(dump, r->domain));
        if (r->other)
            printf(", \"other_domain\": \"%s\"", dump_domain(dump, r->other_domain));
        printf(", \"thread\": %" PRIu32 ", \"other\": %" PRIu32 ", \"argument\": %" PRIu64
               ", \"detail\": %u",
               r->thread, r->other, r->argument, r->detail);
        print_detail(r);
        putchar('}');
    }
    puts("\n]}");
}

int main(int count, char **arguments)
{
    static const struct option known[] = {{"json", 0, NULL, 'j'},
                                          {"summary", 0, NULL, 's'},
                                          {"check", 0, NULL, 'c'},
                                          {"help", 0, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct dump dump;
    int option, how = 't';
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
        if (option == '?')
            return 2;
        how = option;
    }
    if (how == 'h') {
        fputs(usage, stdout);
        return 0;
    }
    FILE *file = optind < count ? fopen(arguments[optind], "r") : stdin;
    if (!file) {
        perror(arguments[optind]);
        return 2;
    }
    if (!dump_read(&dump, file))
        return 2;
    if (how == 'c')
        return dump_check(&dump) ? 0 : 1;
    if (how == 's')
        dump_summary(&dump);
    else if (how == 'j')
        print_json(&dump);
    else
        print_text(&dump);
    return 0;
}
