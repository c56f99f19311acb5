/* SPDX-License-Identifier: ISC
 *
 * See options.h.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/composer/options.h"

static const char usage[] =
    "usage: compose --explain IMAGE|MANIFEST [--svg FILE]\n"
    "       compose --check [IMAGE|MANIFEST]...\n"
    "       compose -o BLOCK [--map FILE] [--programs DIR] MANIFEST\n"
    "       compose --program DOMAIN -o ELF [--server SERVER=OBJECT]... IMAGE|MANIFEST\n"
    "\n"
    "      --explain          print what may do what and what it costs, and draw it\n"
    "      --svg FILE         where to draw it\n"
    "      --check            only check; without a name, all images\n"
    "      --file NAME=PATH   the file that the manifest calls NAME; may be repeated\n"
    "      --program DOMAIN   its program alone, to be swapped in (docs/swap.md)\n"
    "      --server SERVER=OBJECT  with OBJECT in the place of SERVER.o; may be repeated\n"
    "      --help             print this\n"
    "\n"
    "tools/compose builds what is needed and adds the following; by hand:\n"
    "\n"
    "      --objects DIR      where start.o, init.o and each server's NAME.o are; without it,\n"
    "                         --check looks at the manifest's own text only\n"
    "      --libos FILE       libos.a\n"
    "      --script FILE      linker script of a domain (libos/domain.ld)\n"
    "      --images DIR       a folder of manifests that can be called by name; may be repeated\n"
    "      --pictures DIR     draw DIR/IMAGE.svg, without --svg\n"
    "      --servers          only print which servers the manifests name\n"
    "  -o, --output FILE      write the composition block\n"
    "      --map FILE         write where everything lies, as JSON\n"
    "      --programs DIR     write DIR/DOMAIN.elf for each domain that can be swapped\n"
    "      --work DIR         where the linked domains go (OUTPUT without its suffix)\n"
    "The linker is $LD, or ld.\n";

_Noreturn static void misuse(const char *what)
{
    fprintf(stderr, "compose: %s\n%s", what, usage);
    exit(2);
}

static void add_file(struct options *options, const char *text)
{
    if (!strchr(text, '=') || options->file_count == FILE_OPTIONS_MAX)
        misuse("--file takes NAME=PATH, 64 times at most");
    options->files[options->file_count++] = text;
}

static void add_replaced(struct options *options, const char *text)
{
    if (!strchr(text, '=') || options->paths.replaced_count == SERVERS_MAX)
        misuse("--server takes SERVER=OBJECT, 8 times at most");
    options->paths.replaced = options->replaced;
    options->replaced[options->paths.replaced_count++] = text;
}

static void add_folder(struct options *options, const char *text)
{
    if (options->folder_count == FOLDERS_MAX)
        misuse("--images can be given 8 times at most");
    options->folders[options->folder_count++] = text;
}

/* Where the text of an option goes; NULL: it isn't one of these. */
static const char **text_option(struct options *options, int option)
{
    switch (option) {
    case 'o':
        return &options->output;
    case 'm':
        return &options->map;
    case 'v':
        return &options->svg;
    case 'p':
        return &options->pictures;
    case 'P':
        return &options->program;
    case 'd':
        return &options->programs;
    case 'b':
        return &options->paths.objects;
    case 'l':
        return &options->paths.libos;
    case 's':
        return &options->paths.script;
    case 'w':
        return &options->paths.work;
    default:
        return NULL;
    }
}

static void take_option(struct options *options, int option)
{
    const char **text = text_option(options, option);
    if (text) {
        *text = optarg;
        return;
    }
    switch (option) {
    case 'f':
        add_file(options, optarg);
        break;
    case 'i':
        add_folder(options, optarg);
        break;
    case 'r':
        add_replaced(options, optarg);
        break;
    case 'c':
        options->check = true;
        break;
    case 'e':
        options->explain = true;
        break;
    case 'n':
        options->servers = true;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default:
        misuse("unknown option");
    }
}

static void check_options(const struct options *options)
{
    if (options->check ? !options->word_count && !options->folder_count
                       : options->word_count != 1 && !options->servers)
        misuse("name one manifest");
    if (options->servers)
        return;
    if (!options->check && !options->explain && !options->output)
        misuse("nothing to do: give -o, --explain or --check");
    if (options->check && (options->output || options->map || options->svg))
        misuse("--check writes nothing: leave out -o, --map and --svg");
    if (options->check && options->explain)
        misuse("--explain checks, too: leave out --check");
    if (options->program && (!options->output || options->map || options->explain))
        misuse("--program wants -o, and nothing else is made");
    if (options->paths.replaced_count && !options->program)
        misuse("--server goes with --program");
    if (!options->paths.objects != !options->paths.libos)
        misuse("--objects and --libos go together");
    if (!options->paths.objects && !options->check)
        misuse("linking needs --objects and --libos");
}

void options_parse(struct options *options, int count, char **arguments)
{
    static const struct option known[] = {
        {"output", 1, NULL, 'o'},  {"map", 1, NULL, 'm'},      {"svg", 1, NULL, 'v'},
        {"objects", 1, NULL, 'b'}, {"libos", 1, NULL, 'l'},    {"script", 1, NULL, 's'},
        {"work", 1, NULL, 'w'},    {"file", 1, NULL, 'f'},     {"images", 1, NULL, 'i'},
        {"check", 0, NULL, 'c'},   {"explain", 0, NULL, 'e'},  {"pictures", 1, NULL, 'p'},
        {"help", 0, NULL, 'h'},    {"servers", 0, NULL, 'n'},  {"program", 1, NULL, 'P'},
        {"server", 1, NULL, 'r'},  {"programs", 1, NULL, 'd'}, {NULL, 0, NULL, 0},
    };
    int option;
    *options = (struct options){.paths.script = "libos/domain.ld"};
    while ((option = getopt_long(count, arguments, "o:h", known, NULL)) != -1)
        take_option(options, option);
    options->words = arguments + optind;
    options->word_count = (size_t)(count - optind);
    check_options(options);
}
