/* SPDX-License-Identifier: ISC
 *
 * compose: makes a bootable composition of a manifest and its servers. docs/compose.md is its
 * manual. Exit status: 0, or 1 after errors (each printed with file and line), 2 for misuse. Memory
 * is never given back: the program runs once over bounded input.
 */
#define _GNU_SOURCE 1 /* mkdtemp */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/composer/check.h"
#include "tools/composer/explain.h"
#include "tools/composer/write.h"

static const char usage[] =
    "usage: compose [options] MANIFEST\n"
    "  -o, --output FILE      write the composition block\n"
    "      --map FILE         write where everything lies, as JSON\n"
    "      --objects DIR      where start.o, init.o and each server's NAME.o are\n"
    "      --libos FILE       libos.a\n"
    "      --script FILE      linker script of a domain (libos/domain.ld)\n"
    "      --work DIR         where the linked domains go (OUTPUT without its suffix)\n"
    "      --file NAME=PATH   the file that the manifest calls NAME; may be repeated\n"
    "      --check            only check; without --objects, only the manifest's own text\n"
    "      --explain          print what may do what, and what it costs\n"
    "      --help             print this\n"
    "The linker is $LD, or ld.\n";

enum { FILE_OPTIONS_MAX = 64 };

struct options {
    const char *output, *map, *manifest;
    struct link_paths paths;
    const char *files[FILE_OPTIONS_MAX]; /* "NAME=PATH" */
    unsigned file_count;
    bool check, explain;
    bool temporary; /* paths.work is ours to remove */
};

_Noreturn static void misuse(const char *what)
{
    fprintf(stderr, "compose: %s\n%s", what, usage);
    exit(2);
}

static void take_option(struct options *options, int option)
{
    switch (option) {
    case 'o':
        options->output = optarg;
        break;
    case 'm':
        options->map = optarg;
        break;
    case 'b':
        options->paths.objects = optarg;
        break;
    case 'l':
        options->paths.libos = optarg;
        break;
    case 's':
        options->paths.script = optarg;
        break;
    case 'w':
        options->paths.work = optarg;
        break;
    case 'f':
        if (!strchr(optarg, '=') || options->file_count == FILE_OPTIONS_MAX)
            misuse("--file takes NAME=PATH, 64 times at most");
        options->files[options->file_count++] = optarg;
        break;
    case 'c':
        options->check = true;
        break;
    case 'e':
        options->explain = true;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default:
        misuse("unknown option");
    }
}

static void parse_options(int count, char **arguments, struct options *options)
{
    static const struct option known[] = {
        {"output", 1, NULL, 'o'}, {"map", 1, NULL, 'm'},    {"objects", 1, NULL, 'b'},
        {"libos", 1, NULL, 'l'},  {"script", 1, NULL, 's'}, {"work", 1, NULL, 'w'},
        {"file", 1, NULL, 'f'},   {"check", 0, NULL, 'c'},  {"explain", 0, NULL, 'e'},
        {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0},
    };
    int option;
    *options = (struct options){.paths.script = "libos/domain.ld"};
    while ((option = getopt_long(count, arguments, "o:h", known, NULL)) != -1)
        take_option(options, option);
    if (optind != count - 1)
        misuse("name one manifest");
    options->manifest = arguments[optind];
    if (!options->check && !options->explain && !options->output)
        misuse("nothing to do: give -o, --explain or --check");
    if (options->check && (options->output || options->map))
        misuse("--check writes nothing: leave out -o and --map");
    if (!options->paths.objects != !options->paths.libos)
        misuse("--objects and --libos go together");
    if (!options->paths.objects && !options->check)
        misuse("linking needs --objects and --libos");
}

/* The directory for linked domains: as asked, or the output without suffix, or a temporary one. */
static bool make_work(struct options *options)
{
    if (!options->paths.work && !options->output) {
        char *path = text_format("%s/compose.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
        options->paths.work = mkdtemp(path);
        options->temporary = options->paths.work != NULL;
        return options->temporary ||
               report((struct place){path, 0}, "can't be made (%s) — set $TMPDIR", strerror(errno));
    }
    if (!options->paths.work) {
        const char *base = strrchr(options->output, '/');
        const char *dot = strrchr(base ? base : options->output, '.');
        int length = dot ? (int)(dot - options->output) : (int)strlen(options->output);
        options->paths.work = text_format("%.*s%s", length, options->output, dot ? "" : ".d");
    }
    if (mkdir(options->paths.work, 0777) && errno != EEXIST)
        return report((struct place){options->paths.work, 0},
                      "can't be made (%s) — make the folder above it first", strerror(errno));
    return true;
}

/* Domains with the same servers share a program. */
static bool link_domains(const struct manifest *manifest, const struct link_paths *paths,
                         struct program *programs[IMAGE_DOMAINS_MAX])
{
    for (uint32_t d = 0; d < manifest->domain_count; d++) {
        for (uint32_t other = 1; other < d && !programs[d]; other++) {
            if (domains_run_the_same(&manifest->domains[other], &manifest->domains[d]))
                programs[d] = programs[other];
        }
        if (programs[d])
            continue;
        programs[d] = calloc(1, sizeof *programs[d]);
        if (!programs[d])
            return false;
        program_link(programs[d], manifest, d, paths);
    }
    return report_count() == 0;
}

static void remove_work(const struct options *options, struct program *const programs[])
{
    for (uint32_t d = 0; d < IMAGE_DOMAINS_MAX; d++) {
        if (options->temporary && programs[d] && programs[d]->path)
            unlink(programs[d]->path);
    }
    if (options->temporary)
        rmdir(options->paths.work);
}

/* The path that the command line gives for `name`; NULL: none. */
static const char *file_path(const struct options *options, const char *name)
{
    size_t length = strlen(name);
    for (unsigned i = 0; i < options->file_count; i++) {
        const char *option = options->files[i];
        if (!strncmp(option, name, length) && option[length] == '=')
            return option + length + 1;
    }
    return NULL;
}

static void load_file(struct composition *composition, const struct options *options,
                      const struct manifest_file *drawn)
{
    struct content_file *file = &composition->files[composition->file_count];
    for (uint32_t i = 0; i < composition->file_count; i++) {
        if (!strcmp(composition->files[i].name, drawn->file))
            return;
    }
    const char *path = file_path(options, drawn->file);
    size_t size = 0;
    if (!path) {
        report(drawn->at, "no file is given for \"%s\" — pass --file %s=PATH", drawn->file,
               drawn->file);
        return;
    }
    file->name = drawn->file;
    file->bytes = file_load(path, &size, drawn->at);
    file->size = size;
    if (file->bytes && !size)
        report(drawn->at, "%s is empty — give a file with contents, or drop it from the manifest",
               path);
    composition->file_count++;
}

static bool load_files(struct composition *composition, const struct options *options,
                       const struct manifest *manifest)
{
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        for (uint32_t i = 0; i < manifest->domains[d].file_count; i++)
            load_file(composition, options, &manifest->domains[d].files[i]);
    }
    return report_count() == 0;
}

static bool compose(const struct options *options, struct manifest *manifest,
                    struct program *programs[])
{
    static struct composition composition;
    if (!load_files(&composition, options, manifest) ||
        !link_domains(manifest, &options->paths, programs) || !check_image(manifest, programs) ||
        !layout_image(&composition, manifest, programs))
        return false;
    if (options->explain)
        explain(stdout, &composition);
    if (options->output && !block_write(&composition, options->output))
        return false;
    return !options->map || map_write(&composition, options->map);
}

int main(int count, char **arguments)
{
    struct options options;
    static struct manifest manifest;
    struct program *programs[IMAGE_DOMAINS_MAX] = {0};
    parse_options(count, arguments, &options);
    if (!manifest_read(&manifest, options.manifest))
        return 1;
    if (!options.paths.objects)
        return 0;
    if (!make_work(&options))
        return 1;
    bool done = compose(&options, &manifest, programs);
    remove_work(&options, programs);
    return done ? 0 : 1;
}
