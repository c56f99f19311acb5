/* SPDX-License-Identifier: ISC
 *
 * motet's commands for a running image: docs/motet.1. This program is build/tools/motet, which
 * tools/motet calls.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/control/command.h"

enum { WORDS_MAX = 1000000 };
enum { LIMIT_MILLISECONDS = 2000, INTERVAL_MILLISECONDS = 1000, FOLLOW_MILLISECONDS = 250 };

static const struct command {
    const char *name;
    int (*run)(struct client *client, const struct options *options);
    const char *wants;   /* what to ask for when there is no word; NULL: it may do without */
    unsigned words_most; /* that are no options */
    const char *usage, *text;
} commands[] = {
    {"ps", command_ps, NULL, 1, "ps [--json]",
     "The domains of the image: servers, state, priority, memory that each may write, CPU time,\n"
     "restarts, messages that wait for it, and why it ended last.\n"},
    {"top", command_top, NULL, 1, "top [--interval MS] [--count N] [--json]",
     "The same again and again (every 1000 ms, until it is stopped), CPU since the last look.\n"},
    {"log", command_log, NULL, 1, "log [-f] [SERVER] [--json]",
     "What was printed on the console, or logged by SERVER's domain: the newest 4 KiB.\n"
     "  -f, --follow     go on with what is new, until it is stopped\n"},
    {"stats", command_stats, NULL, 1, "stats [SERVER] [-a] [--json]",
     "Counters that aren't zero, of all domains or one.\n"
     "  -a, --all        those at zero too\n"},
    {"restart", command_restart, "which server", 1, "restart SERVER [--json]",
     "Stops SERVER's domain, if it runs, and starts it anew. Its state is lost.\n"},
    {"kill", command_kill, "which server", 1, "kill SERVER [--json]",
     "Stops SERVER's domain as if it had crashed: what happens then is up to the manifest.\n"},
    {"swap", command_swap, NULL, 2,
     "swap SERVER [FILE.elf] [--wait | --commit] | --status | --cancel | --commit [--json]",
     "Replaces SERVER's domain by the program in FILE.elf (make build/programs/IMAGE/DOMAIN.elf)\n"
     "while it serves; without FILE by the same program. A version that fails is taken back\n"
     "(docs/swap.md).\n"
     "  --wait           until its probation is over\n"
     "  --commit         ends its probation at once; alone: that of the last swap\n"
     "  --status         how the last swap came out\n"
     "  --cancel         of one that was begun and didn't go: somebody's who went away\n"},
    {"zone", command_zone, "what", WORDS_MAX,
     "zone reload [FILE.zdb | FILE.zone... | --zones DIR] [--domain SERVER] [--wait | --commit]",
     "Compiles the zones (without a word those of this tree) and lets dnsd serve them instead of\n"
     "those that it has, without a pause. What can't be compiled changes nothing.\n"
     "  --zones DIR      all DIR/ORIGIN.zone\n"
     "  --domain SERVER  the domain that has the file \"zones\" (dnsd)\n"
     "  --wait           until its probation is over\n"
     "  --commit         ends its probation at once\n"},
    {"key", command_key, "which file", 1, "key FILE",
     "Makes a private key, for programs that are to be swapped in, unless FILE has one; says the\n"
     "line for the manifest: the image takes only what is signed by it. No image needs to run.\n"},
    {"sign", command_sign, "which key", 2, "sign KEYFILE PROGRAM.elf",
     "Signs a program with the key in KEYFILE: the signature is the end of the file.\n"},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char common[] =
    "  --socket PATH    the image's control socket; else $MOTET_SOCKET, else the only one that is\n"
    "                   in use in build/run/\n"
    "  --timeout MS     wait so long for an answer (2000)\n"
    "  --json           for scripts\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done, 1 refused by the image, 2 wrong usage, 3 no image is running,\n"
    "4 no answer in time.\n";

static void usage(FILE *out)
{
    fputs("usage: motet COMMAND [OPTION]...\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  motet %s\n", commands[i].usage);
    fprintf(out, "\n%s\nmotet COMMAND --help says more. docs/motet.1 is the manual page.\n",
            common);
}

static unsigned number(const char *option, const char *text, unsigned least)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || value < least || value > 1000000)
        fail(STATUS_USAGE, "%s %s: not a number from %u to 1000000", option, text, least);
    return (unsigned)value;
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    fail(STATUS_USAGE, "no command \"%s\"; motet --help lists them", name);
}

static void options_read(int argc, char **argv, const struct command *command,
                         struct client *client, struct options *options)
{
    enum {
        JSON = 256,
        SOCKET,
        TIMEOUT,
        INTERVAL,
        COUNT,
        WAIT,
        COMMIT,
        CANCEL,
        STATUS,
        ZONES,
        DOMAIN_,
        HELP
    };
    static const struct option known[] = {
        {"json", no_argument, NULL, JSON},
        {"socket", required_argument, NULL, SOCKET},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"interval", required_argument, NULL, INTERVAL},
        {"count", required_argument, NULL, COUNT},
        {"wait", no_argument, NULL, WAIT},
        {"commit", no_argument, NULL, COMMIT},
        {"cancel", no_argument, NULL, CANCEL},
        {"status", no_argument, NULL, STATUS},
        {"zones", required_argument, NULL, ZONES},
        {"domain", required_argument, NULL, DOMAIN_},
        {"follow", no_argument, NULL, 'f'},
        {"all", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "fa", known, NULL)) != -1;) {
        if (option == JSON)
            options->json = true;
        else if (option == SOCKET)
            client->given = optarg;
        else if (option == TIMEOUT)
            client->milliseconds = (int)number("--timeout", optarg, 1);
        else if (option == INTERVAL)
            options->interval = number("--interval", optarg, 10);
        else if (option == COUNT)
            options->count = number("--count", optarg, 1);
        else if (option == WAIT)
            options->wait = true;
        else if (option == COMMIT)
            options->commit = true;
        else if (option == CANCEL)
            options->cancel = true;
        else if (option == STATUS)
            options->status = true;
        else if (option == ZONES)
            options->zones = optarg;
        else if (option == DOMAIN_)
            options->domain = optarg;
        else if (option == 'f')
            options->follow = true;
        else if (option == 'a')
            options->all = true;
        else if (option == HELP) {
            printf("usage: motet %s\n\n%s%s", command->usage, command->text, common);
            exit(STATUS_OK);
        } else {
            exit(STATUS_USAGE); /* getopt has said what is wrong */
        }
    }
    options->words = argv + optind;
    options->word_count = (unsigned)(argc - optind);
    if (options->word_count)
        options->name = argv[optind];
    if (options->word_count > command->words_most)
        fail(STATUS_USAGE, "%s: one word too many; usage: motet %s",
             argv[optind + (int)command->words_most], command->usage);
    if (command->wants && !options->name)
        fail(STATUS_USAGE, "%s? usage: motet %s", command->wants, command->usage);
}

int main(int argc, char **argv)
{
    struct client client = {
        .given = getenv("MOTET_SOCKET"), .socket = -1, .milliseconds = LIMIT_MILLISECONDS};
    struct options options = {0};
    if (argc < 2) {
        usage(stderr);
        return STATUS_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
        usage(stdout);
        return STATUS_OK;
    }
    const struct command *command = command_find(argv[1]);
    options_read(argc - 1, argv + 1, command, &client, &options);
    if (!options.interval)
        options.interval =
            command->run == command_top ? INTERVAL_MILLISECONDS : FOLLOW_MILLISECONDS;
    return command->run(&client, &options);
}
