/* SPDX-License-Identifier: ISC
 *
 * The zone compiler: master files in, one zone database out. Called by the Makefile for the images
 * and by hand. Refuses zones that break the rules of check.c: then there is no output.
 */
#define _GNU_SOURCE 1 /* strdup */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/dnsd/zone_format.h"
#include "tools/zonec/check.h"
#include "tools/zonec/master.h"
#include "tools/zonec/memory.h"
#include "tools/zonec/write.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "Usage: zonec [-o OUT.zdb] [--name ORIGIN] FILE.zone...\n"
    "\n"
    "Compiles master files (RFC 1035) to one zone database for Motet's DNS server. The name of\n"
    "each file gives its origin: example.org.zone, root.zone for the root.\n"
    "\n"
    "  -o OUT.zdb      where to write; default zones.zdb\n"
    "  --name ORIGIN   the origin of the next file, whatever its name\n"
    "  --help          this text\n"
    "\n"
    "Problems are printed as FILE:LINE: what is wrong, way out. With an error nothing is written,\n"
    "and the status is 1.\n";

static int usage_error(const char *problem, const char *argument)
{
    fprintf(stderr, "zonec: %s %s, try zonec --help\n", problem, argument);
    return EXIT_USAGE;
}

/* The origin that a file's name gives, for free(). */
static char *origin_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *origin = strdup(slash == NULL ? path : slash + 1);
    size_t length = strlen(origin);

    if (length > 5 && strcmp(origin + length - 5, ".zone") == 0)
        origin[length - 5] = '\0';
    if (strcmp(origin, "root") == 0)
        strcpy(origin, ".");
    return origin;
}

/* Writes beside the target first, so that nobody ever sees half a database. */
static bool file_write(const char *path, const uint8_t *bytes, size_t size)
{
    char *temporary = memory_resize(NULL, strlen(path) + 5, 1);
    sprintf(temporary, "%s.new", path);
    FILE *file = fopen(temporary, "wb");
    bool done = file != NULL && fwrite(bytes, 1, size, file) == size;

    if (file != NULL && fclose(file) != 0)
        done = false;
    if (done && rename(temporary, path) != 0)
        done = false;
    if (!done) {
        fprintf(stderr, "zonec: can't write %s: %s\n", path, strerror(errno));
        remove(temporary);
    }
    free(temporary);
    return done;
}

/* Checks and writes what was read. Returns the exit status. */
static int compile(struct store *store, const char *out)
{
    size_t size = 0;
    uint8_t *bytes = store_check(store) ? store_write(store, &size) : NULL;

    if (bytes == NULL) {
        fprintf(stderr, "zonec: %u errors, %u warnings: nothing written\n", store->report->errors,
                store->report->warnings);
        return EXIT_FAILURE;
    }
    bool written = file_write(out, bytes, size);
    if (written)
        printf("%s: zones %zu, records %zu, names %u, octets %zu\n", out, store->zone_count,
               store->record_count, load_le32(bytes + ZONE_AT_NODE_COUNT), size);
    free(bytes);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct arguments {
    const char *out;
    const char *name; /* for the next file, or NULL */
    unsigned files;
};

/* Takes the argument at *index, with its value. Returns an exit status, or -1 to go on. */
static int argument_take(struct arguments *arguments, struct store *store, int count, char **values,
                         int *index)
{
    const char *argument = values[*index];

    if (strcmp(argument, "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(argument, "-o") == 0 || strcmp(argument, "--name") == 0) {
        if (++*index == count)
            return usage_error("no value after", argument);
        *(argument[1] == 'o' ? &arguments->out : &arguments->name) = values[*index];
        return -1;
    }
    if (argument[0] == '-')
        return usage_error("unknown option", argument);

    char *origin = arguments->name != NULL ? strdup(arguments->name) : origin_of_path(argument);
    master_read(store, origin, argument);
    free(origin);
    arguments->name = NULL;
    arguments->files++;
    return -1;
}

int main(int count, char **values)
{
    struct arguments arguments = {.out = "zones.zdb"};
    struct report report;
    struct store store;
    int status = -1;

    report_init(&report, stderr);
    store_init(&store, &report);
    for (int index = 1; index < count && status < 0; index++)
        status = argument_take(&arguments, &store, count, values, &index);
    if (status < 0 && arguments.files == 0)
        status = usage_error("no FILE.zone", "given");
    if (status < 0)
        status = compile(&store, arguments.out);
    store_free(&store);
    report_free(&report);
    return status;
}
