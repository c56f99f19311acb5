/* SPDX-License-Identifier: ISC
 *
 * compose: makes a bootable composition of a manifest and its servers. docs/compose.md is its
 * manual. Exit status: 0, or 1 after errors (each printed with file and line), 2 for misuse. Memory
 * is never given back: the program runs once over bounded input.
 */
#define _GNU_SOURCE 1 /* mkdtemp */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/composer/check.h"
#include "tools/composer/explain.h"
#include "tools/composer/options.h"
#include "tools/composer/picture.h"
#include "tools/composer/names.h"
#include "tools/composer/picture_text.h"
#include "tools/composer/standalone.h"
#include "tools/composer/write.h"

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

/* Domains with the same servers share a program, but for `alone`: only there servers are replaced.
 */
static bool link_domains(const struct manifest *manifest, const struct link_paths *paths,
                         uint32_t alone, struct program *programs[IMAGE_DOMAINS_MAX])
{
    struct link_paths plain = *paths;
    plain.replaced_count = 0;
    for (uint32_t d = 0; d < manifest->domain_count; d++) {
        for (uint32_t other = 1; other < d && d != alone && !programs[d]; other++) {
            if (other != alone &&
                domains_run_the_same(&manifest->domains[other], &manifest->domains[d]))
                programs[d] = programs[other];
        }
        if (programs[d])
            continue;
        programs[d] = calloc(1, sizeof *programs[d]);
        if (!programs[d])
            return false;
        program_link(programs[d], manifest, d, d == alone ? paths : &plain);
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
    for (size_t i = 0; i < options->file_count; i++) {
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

/* As --svg or --pictures say; without both, none. */
static bool draw(const struct options *options, const struct composition *composition)
{
    const char *path = options->svg;
    if (!path && options->pictures)
        path = text_format("%s/%s.svg", options->pictures, composition->manifest->image);
    if (!path)
        return true;
    FILE *out = fopen(path, "w");
    if (out)
        picture_draw(out, composition);
    if (!out || ferror(out) | fclose(out))
        return report((struct place){path, 0},
                      "can't be written (%s) — choose another place with "
                      "--svg",
                      strerror(errno));
    printf("\npicture: %s\n", path);
    return true;
}

/* The program of each domain that can be swapped. */
static bool write_programs(const struct options *options, const struct manifest *manifest,
                           struct program *const programs[])
{
    if (!options->programs || !manifest->swaps)
        return true;
    if (mkdir(options->programs, 0777) && errno != EEXIST)
        return report((struct place){options->programs, 0},
                      "can't be made (%s) — make the folder above it first", strerror(errno));
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        const struct manifest_domain *domain = &manifest->domains[d];
        if (domain->swap &&
            !standalone_write(programs[d],
                              text_format("%s/%s.elf", options->programs, domain->name)))
            return false;
    }
    return true;
}

/* One domain's program, checked against the whole image. */
static bool compose_program(const struct options *options, struct manifest *manifest,
                            struct program *programs[])
{
    uint32_t d = find_domain(manifest, manifest->at, options->program);
    if (!d)
        return false;
    if (!manifest->domains[d].swap)
        return report(manifest->domains[d].at,
                      "domain \"%s\" can't be swapped — add swap = true; to it", options->program);
    for (size_t i = 0; i < options->paths.replaced_count; i++) {
        const char *server = options->replaced[i];
        char *name = text_format("%.*s", (int)strcspn(server, "="), server);
        if (find_server(&manifest->domains[d], manifest->domains[d].at, name) == SERVERS_MAX)
            return false;
    }
    return report_count() == 0 && link_domains(manifest, &options->paths, d, programs) &&
           check_image(manifest, programs) && standalone_write(programs[d], options->output);
}

static bool compose(const struct options *options, struct manifest *manifest,
                    struct program *programs[])
{
    static struct composition composition;
    if (!load_files(&composition, options, manifest) ||
        !link_domains(manifest, &options->paths, 0, programs) || !check_image(manifest, programs) ||
        !layout_image(&composition, manifest, programs))
        return false;
    if (options->check) {
        char counts[PICTURE_LINE_BYTES];
        picture_counts(manifest, counts);
        printf("%s: good: %s, needs %" PRIu64 " KiB\n", manifest->at.file, counts,
               composition.needed_bytes / 1024);
    }
    if (options->explain) {
        explain(stdout, &composition);
        if (!draw(options, &composition))
            return false;
    }
    if (options->output && !block_write(&composition, options->output))
        return false;
    if (!write_programs(options, manifest, programs))
        return false;
    return !options->map || map_write(&composition, options->map);
}

/* All that is asked for with one manifest. */
static bool treat(struct options *options, const char *path)
{
    static struct manifest manifest;
    struct program *programs[IMAGE_DOMAINS_MAX] = {0};
    if (!manifest_read(&manifest, path))
        return false;
    if (options->servers) {
        for (uint32_t d = 0; d < manifest.domain_count; d++) {
            for (uint32_t s = 0; s < manifest.domains[d].server_count; s++)
                puts(manifest.domains[d].servers[s].text);
        }
        return true;
    }
    if (!options->paths.objects)
        return true;
    if (!make_work(options))
        return false;
    bool done = options->program ? compose_program(options, &manifest, programs)
                                 : compose(options, &manifest, programs);
    remove_work(options, programs);
    return done;
}

/* In a process of its own: what one manifest leaves behind, the next one doesn't see. */
static bool treat_apart(struct options *options, const char *path)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exit(treat(options, path) ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

int main(int count, char **arguments)
{
    struct options options;
    struct manifest_list list = {.count = 0};
    bool good = true;
    options_parse(&options, count, arguments);
    if (!options.word_count)
        good = manifest_find_all(&list, options.folders, options.folder_count);
    for (size_t i = 0; i < options.word_count; i++)
        good &= manifest_find(&list, options.words[i], options.folders, options.folder_count);
    if (!good)
        return 1;
    for (size_t i = 0; i < list.count; i++)
        good &= treat_apart(&options, list.path[i]);
    return good ? 0 : 1;
}
