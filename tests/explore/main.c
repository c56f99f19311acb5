/* SPDX-License-Identifier: ISC
 *
 * explore: searches the states of tiny machines that run the real kernel. See docs/explore.md.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/arch/sim/arena.h"
#include "kernel/arch/sim/check_step.h"
#include "kernel/arch/sim/machine.h"
#include "tests/explore/memory.h"
#include "tests/explore/search.h"

enum { MEMORY_GIB = 8 };

static const char usage[] =
    "usage: explore [options]\n"
    "\n"
    "Searches the states that tiny machines running the real kernel can reach, breadth first,\n"
    "and checks all invariants in each.\n"
    "\n"
    "  --config NAME     only this configuration (--list shows them); default: all in turn\n"
    "  --seconds N       stop after N seconds; all configurations together\n"
    "  --depth N         stop at depth N\n"
    "  --states N        stop after N states of each configuration\n"
    "  --memory GIB      keep at most so much; default 8\n"
    "  --verify N        compare one of N merged states with its twin: the same successors?\n"
    "  --save FILE       where the way to a violation is written; default: nowhere\n"
    "  --replay FILE     repeat such a way, step by step; for gdb\n"
    "  --list            what configurations there are\n"
    "\n"
    "Exit status: 0 nothing is wrong, 1 something is, 2 it couldn't be searched.\n";

static void list(void)
{
    for (int i = 0; i < configuration_count; i++)
        printf("%-8s %s\n", configurations[i].name, configurations[i].summary);
}

static void report(const struct configuration *configuration, const struct search_result *r)
{
    printf("%s: %s\n", configuration->name, configuration->summary);
    if (r->violated)
        printf("  VIOLATION: %s\n  depth %d, ", r->violation, r->violation_depth);
    else if (r->complete)
        printf("  complete (no state beyond depth %d), ", r->closed - 1);
    else
        printf("  closed to depth %d%s, ", r->closed, r->memory_full ? " (memory used up)" : "");
    printf("%lu states, %lu transitions (%lu changed nothing, %lu merged), %.1f s, %.0f states/s, "
           "%.0f transitions/s, %.0f MiB\n",
           (unsigned long)r->states, (unsigned long)r->transitions, (unsigned long)r->unchanged,
           (unsigned long)r->merged, r->seconds, (double)r->states / r->seconds,
           (double)r->transitions / r->seconds, (double)r->memory_bytes / (1 << 20));
    printf("  first reached at depth 0, 1, ...:");
    for (int i = 0; i <= DEPTH_MAX && r->level[i]; i++)
        printf(" %lu", (unsigned long)r->level[i]);
    printf("\n  longest kernel entry: %u loads and stores: %s\n", r->longest, r->longest_what);
    if (r->verified)
        printf("  merged states compared with their twins: %lu, all alike\n",
               (unsigned long)r->verified);
    fflush(stdout);
}

/* How much of calls.def all configurations together have met. */
static void report_met(const uint32_t *met)
{
    static const char *const names[CALL_COUNT + OPERATION_COUNT] = {
#define CALL(name, ...)              [CALL_##name] = #name,
#define OPERATION(object, name, ...) [CALL_COUNT + OPERATION_##object##_##name] = #object "." #name,
#include "motet/calls.def"
    };
    int met_errors = 0, errors = 0, succeeded = 0;
    for (int i = 0; i < CALL_COUNT + OPERATION_COUNT; i++) {
        uint64_t call = i < CALL_COUNT ? (uint64_t)i : CALL_invoke;
        if (i == CALL_invoke)
            continue;
        succeeded += met[i] & 1;
        for (int error = 1; error < ERROR_COUNT; error++) {
            if (error == ERROR_UNKNOWN_CALL)
                continue; /* isn't an operation's */
            errors += check_error_documented(call, (uint64_t)i - CALL_COUNT, (enum error)error);
            met_errors += met[i] >> error & 1;
        }
        if (!(met[i] & 1))
            printf("never succeeded: %s\n", names[i]);
    }
    printf("calls and operations that succeeded: %d of %d; documented errors met: %d of %d\n",
           succeeded, CALL_COUNT + OPERATION_COUNT - 1, met_errors, errors);
}

static bool run_all(const char *only, struct search_options *options)
{
    static uint32_t met[CALL_COUNT + OPERATION_COUNT];
    double left = options->seconds;
    bool good = true;
    for (int i = 0; i < configuration_count; i++) {
        struct search_result result;
        if (only && strcmp(configurations[i].name, only) != 0)
            continue;
        if (left)
            options->seconds = only ? left : left / (configuration_count - i);
        search_run(&configurations[i], options, &result);
        report(&configurations[i], &result);
        good = good && !result.violated;
        for (int k = 0; k < CALL_COUNT + OPERATION_COUNT; k++)
            met[k] |= result.met[k];
        if (left && !only)
            left -= result.seconds < left - 0.01 ? result.seconds : left - 0.01;
        if (!good)
            break; /* the first is enough */
    }
    if (good && !only)
        report_met(met);
    return good;
}

struct arguments {
    struct search_options options;
    const char *only, *replay;
    int status; /* < 0: search; else the exit status */
};

static void argument_take(struct arguments *arguments, int option, const char *value)
{
    struct search_options *options = &arguments->options;
    switch (option) {
    case 'c':
        arguments->only = value;
        break;
    case 's':
        options->seconds = atof(value);
        break;
    case 'd':
        options->depth = atoi(value);
        break;
    case 'n':
        options->states = strtoull(value, NULL, 0);
        break;
    case 'm':
        options->memory_bytes = (uint64_t)(atof(value) * (1 << 30));
        break;
    case 'v':
        options->verify = strtoull(value, NULL, 0);
        break;
    case 'o':
        options->save = value;
        break;
    case 'r':
        arguments->replay = value;
        break;
    case 'l':
        list();
        arguments->status = 0;
        break;
    default:
        fputs(usage, option == 'h' ? stdout : stderr);
        arguments->status = option == 'h' ? 0 : 2;
    }
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"depth", required_argument, NULL, 'd'},
        {"states", required_argument, NULL, 'n'},
        {"memory", required_argument, NULL, 'm'},
        {"verify", required_argument, NULL, 'v'},
        {"save", required_argument, NULL, 'o'},
        {"replay", required_argument, NULL, 'r'},
        {"list", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct arguments arguments = {
        .options = {.memory_bytes = (uint64_t)MEMORY_GIB << 30, .progress = isatty(STDERR_FILENO)},
        .status = -1};
    int option;
    while (arguments.status < 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        argument_take(&arguments, option, optarg);
    if (arguments.status >= 0)
        return arguments.status;
    const char *only = arguments.only, *replay = arguments.replay;
    if (only && !configuration_find(only)) {
        fprintf(stderr, "explore: no configuration '%s', see --list\n", only);
        return 2;
    }
    sim_arena_map(false);
    memory_init(sim_memory, SIM_PAGES);
    if (replay && !search_replay(replay)) {
        fprintf(stderr, "explore: %s isn't a saved way\n", replay);
        return 2;
    }
    return replay ? 0 : !run_all(only, &arguments.options);
}
