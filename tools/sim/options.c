/* SPDX-License-Identifier: ISC
 *
 * See options.h.
 */
#include "tools/sim/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct description {
    const char *name, *text;
    uint32_t from, to, calm;
    size_t offset;
} descriptions[] = {
#define OPTION(name, from, to, calm, text)                                                         \
    {#name, text, from, to, calm, offsetof(struct options, name)},
    OPTIONS(OPTION)
#undef OPTION
};
enum { OPTION_COUNT = sizeof(descriptions) / sizeof(descriptions[0]) };

/* Which were said on the command line: they stand whatever the seed. */
static bool said[OPTION_COUNT];
static uint32_t said_value[OPTION_COUNT];
static bool calm_all;

static const char usage[] =
    "usage: sim [options] [name=value ...]\n"
    "Boots a composed image in the simulator, lets clients ask it over a bad network, and checks\n"
    "what must hold. Everything is drawn from the seed; the same seed gives the same run.\n"
    "  --image FILE      the composition (build/images/dns.bundle)\n"
    "  --seed N          the first seed (1)\n"
    "  --runs N          so many seeds, one after the other (1)\n"
    "  --calm            nothing goes wrong but what is said on the command line\n"
    "  --every N         steps between two checks of everything; 1: after each step\n"
    "  --copy            try retype, map, unmap, revoke and delete on a copy first\n"
    "  --twice           each run twice: both must give the same trace\n"
    "  --sweep           a calm run, repeated for each message boundary with a death there\n"
    "  --measure N       N calm simulated seconds: how many take how long\n"
    "  --until N         stop after N steps\n"
    "  --trace FILE      write the kernel's trace there (trace_pages=16 if nothing else is said)\n"
    "  --save FILE       save the machine at the end\n"
    "  --load FILE       start from a saved machine\n"
    "  --inspect         read commands: look at the machine, step, save (\"help\" lists them)\n"
    "  --no-shrink       don't look for a simpler run that fails in the same way\n"
    "  -v, --verbose     print the console\n"
    "  -q, --quiet       print failures only\n"
    "  --help            print this\n"
    "name=value sets what would be drawn:\n";

static void print_usage(void)
{
    fputs(usage, stdout);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        printf("  %-16s %s (%u to %u; calm: %u)\n", descriptions[i].name, descriptions[i].text,
               descriptions[i].from, descriptions[i].to, descriptions[i].calm);
}

_Noreturn static void misuse(const char *what, const char *which)
{
    fprintf(stderr, "sim: %s: %s (--help lists what there is)\n", which, what);
    exit(2);
}

static uint64_t number(const char *text, const char *option)
{
    char *end;
    uint64_t value = strtoull(text, &end, 0);
    if (!*text || *text == '-' || *end)
        misuse("a number is wanted", option);
    return value;
}

static void take_value(const char *argument)
{
    const char *equals = strchr(argument, '=');
    if (!equals)
        misuse("neither an option nor name=value", argument);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t length = strlen(descriptions[i].name);
        if ((size_t)(equals - argument) != length || memcmp(argument, descriptions[i].name, length))
            continue;
        uint64_t value = number(equals + 1, argument);
        if (value > UINT32_MAX)
            misuse("too large", argument);
        said[i] = true;
        said_value[i] = (uint32_t)value;
        return;
    }
    misuse("no such name", argument);
}

static void take_option(int option, struct options *options, struct how *how)
{
    switch (option) {
    case 'i':
        how->image = optarg;
        break;
    case 's':
        options->seed = number(optarg, "--seed");
        break;
    case 'r':
        how->runs = number(optarg, "--runs");
        break;
    case 'c':
        calm_all = true;
        break;
    case 'e':
        how->interval = number(optarg, "--every");
        break;
    case 'f':
        how->copy_first = true;
        break;
    case 't':
        how->twice = true;
        break;
    case 'w':
        how->sweep = true;
        break;
    case 'm':
        how->measure = number(optarg, "--measure");
        break;
    case 'u':
        how->until = number(optarg, "--until");
        break;
    case 'o':
        how->save = optarg;
        break;
    case 'k':
        how->trace = optarg;
        break;
    case 'l':
        how->load = optarg;
        break;
    case 'n':
        how->inspect = true;
        break;
    case 'x':
        how->shrink = false;
        break;
    case 'v':
        how->verbose = true;
        break;
    case 'q':
        how->quiet = true;
        break;
    case 'h':
        print_usage();
        exit(0);
    default:
        exit(2); /* getopt has said why */
    }
}

/* A ring that holds what one step can write, unless another was said. */
static void trace_wanted(void)
{
    enum { PAGES = 16 };
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (descriptions[i].offset != offsetof(struct options, trace_pages) || said[i])
            continue;
        said[i] = true;
        said_value[i] = PAGES;
    }
}

void options_read(int count, char **arguments, struct options *options, struct how *how)
{
    static const struct option known[] = {
        {"image", 1, NULL, 'i'},   {"seed", 1, NULL, 's'},      {"runs", 1, NULL, 'r'},
        {"calm", 0, NULL, 'c'},    {"every", 1, NULL, 'e'},     {"copy", 0, NULL, 'f'},
        {"twice", 0, NULL, 't'},   {"sweep", 0, NULL, 'w'},     {"measure", 1, NULL, 'm'},
        {"until", 1, NULL, 'u'},   {"save", 1, NULL, 'o'},      {"load", 1, NULL, 'l'},
        {"inspect", 0, NULL, 'n'}, {"no-shrink", 0, NULL, 'x'}, {"verbose", 0, NULL, 'v'},
        {"quiet", 0, NULL, 'q'},   {"help", 0, NULL, 'h'},      {"trace", 1, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    int option;
    *how = (struct how){.image = "build/images/dns.bundle",
                        .command = arguments[0],
                        .interval = 1,
                        .runs = 1,
                        .shrink = true};
    *options = (struct options){.seed = 1};
    while ((option = getopt_long(count, arguments, "vq", known, NULL)) != -1)
        take_option(option, options, how);
    for (; optind < count; optind++)
        take_value(arguments[optind]);
    if (how->interval == 0)
        misuse("at least 1", "--every");
    if (how->trace)
        trace_wanted();
    calm_all |= how->sweep || how->measure;
}

static uint32_t *value_of(struct options *options, size_t index)
{
    return (uint32_t *)((char *)options + descriptions[index].offset);
}

/* xorshift: its own, so that what is drawn doesn't depend on what happens. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

/* Half of what can go wrong stays calm, so that the rest is seen by itself too. */
void options_draw(struct options *options, uint64_t seed)
{
    uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15ull;
    options->seed = seed;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct description *d = &descriptions[i];
        uint64_t drawn = d->from + draw(&state) % (d->to - d->from + 1ull);
        bool calm = draw(&state) & 1;
        *value_of(options, i) = said[i]            ? said_value[i]
                                : calm || calm_all ? d->calm
                                                   : (uint32_t)drawn;
    }
}

size_t option_count(void)
{
    return OPTION_COUNT;
}

bool option_is_calm(const struct options *options, size_t index)
{
    return *value_of((struct options *)options, index) == descriptions[index].calm;
}

void option_calm(struct options *options, size_t index)
{
    *value_of(options, index) = descriptions[index].calm;
}

void options_text(const struct options *options, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "--seed %lu --calm", (unsigned long)options->seed);
    for (size_t i = 0; i < OPTION_COUNT && used < size; i++)
        if (!option_is_calm(options, i))
            used += (size_t)snprintf(text + used, size - used, " %s=%u", descriptions[i].name,
                                     *value_of((struct options *)options, i));
}
