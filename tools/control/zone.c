/* SPDX-License-Identifier: ISC
 *
 * `motet zone reload`: other zones for a DNS server that runs. They are compiled by zonec, as the
 * image's are, and replace the file "zones" of the domain that has it (docs/swap.md).
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libos/start.h"
#include "servers/dnsd/zone_format.h"
#include "tools/control/swap.h"

enum { PATH_BYTES = 512 };

static const char server[] = "dnsd", file_name[] = "zones";

/* Beside this program, which is build/tools/motet. */
static void beside(char path[PATH_BYTES], const char *name)
{
    const ssize_t length = readlink("/proc/self/exe", path, PATH_BYTES - 64);
    path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, name);
}

static bool is_database(const char *path)
{
    char magic[sizeof(ZONE_MAGIC) - 1] = "";
    FILE *file = fopen(path, "rb");
    const bool is = file && fread(magic, 1, sizeof(magic), file) == sizeof(magic) &&
                    !memcmp(magic, ZONE_MAGIC, sizeof(magic));
    if (file)
        fclose(file);
    return is;
}

/* Its messages go to our standard error: they name the file and the line. */
static void compile(const char *out, char *const *files, size_t count)
{
    char zonec[PATH_BYTES];
    beside(zonec, "zonec");
    if (access(zonec, X_OK))
        fail(STATUS_USAGE, "%s: %s — make build/tools/zonec", zonec, strerror(errno));
    char **words = calloc(count + 4, sizeof(*words));
    if (!words)
        fail(STATUS_USAGE, "out of memory");
    words[0] = zonec;
    words[1] = "-o";
    words[2] = (char *)out;
    for (size_t i = 0; i < count; i++)
        words[3 + i] = files[i];
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(127);
        execv(zonec, words);
        _exit(127);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        fail(STATUS_USAGE, "the zones weren't compiled, and nothing was changed");
    free(words);
}

/* The database of these zone files, in memory. */
static void compiled(struct upload *upload, char *const *files, size_t count, uint32_t room)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/motet-zones-XXXXXX", folder && folder[0] ? folder : "/tmp");
    const int fd = mkstemp(path);
    if (fd < 0)
        fail(STATUS_USAGE, "%s: %s", path, strerror(errno));
    close(fd);
    compile(path, files, count);
    struct stat status;
    const bool fits = !stat(path, &status) && status.st_size <= (off_t)room;
    if (fits)
        upload->bytes = upload_read(path, room, &upload->size);
    unlink(path);
    if (!fits)
        fail(STATUS_REFUSED,
             "these zones are %lld bytes, %s has room for %u — a larger room of the file in the "
             "manifest and a new image help",
             (long long)status.st_size, upload->name, room);
    upload->path = "zones";
}

static void folder_compiled(struct upload *upload, const char *folder, uint32_t room)
{
    char pattern[PATH_BYTES];
    glob_t found;
    if (snprintf(pattern, sizeof(pattern), "%s/*.zone", folder) >= (int)sizeof(pattern) ||
        glob(pattern, 0, NULL, &found))
        fail(STATUS_USAGE, "no ORIGIN.zone files in %s", folder);
    compiled(upload, found.gl_pathv, found.gl_pathc, room);
    globfree(&found);
}

static uint32_t word_at(const struct upload *upload, uint32_t at)
{
    uint32_t word;
    memcpy(&word, upload->bytes + at, sizeof(word));
    return word;
}

/* What the database says of itself; whether that is so, the server looks at. */
static void done_text(const struct upload *upload, char text[64])
{
    if (upload->size < ZONE_HEADER_SIZE)
        snprintf(text, 64, "the new zones are served");
    else
        snprintf(text, 64, "%u records in %u zones are served",
                 word_at(upload, ZONE_AT_RECORD_COUNT), word_at(upload, ZONE_AT_ZONE_COUNT));
}

/* The domain's file of that name; what it has room for. */
static uint32_t file_find(struct client *client, struct upload *upload)
{
    for (uint32_t n = 0; n < START_FILES_MAX; n++) {
        struct control_file told;
        enum error error =
            client_get(client, CONTROL_FILE, upload->domain | n << 16, &told, sizeof(told));
        if (error == ERROR_UNKNOWN_CALL)
            fail(STATUS_REFUSED,
                 "this image doesn't allow swaps — add swap = true to domain %s, "
                 "reload = true to its file \"%s\", and a loader (docs/swap.md)",
                 upload->name, file_name);
        if (error || strncmp(told.name, file_name, sizeof(told.name)) != 0)
            continue;
        if (!told.room)
            fail(STATUS_REFUSED,
                 "the file \"%s\" of %s stays as it is — add reload = true and a "
                 "room to it in the manifest and boot that image",
                 file_name, upload->name);
        upload->what = (uint16_t)(CONTROL_SWAP_FILE + n);
        return told.room;
    }
    fail(STATUS_REFUSED,
         "domain %s has no file \"%s\" — motet ps lists the domains; the one with "
         "the zones is chosen by --domain",
         upload->name, file_name);
}

int command_zone(struct client *client, const struct options *options)
{
    struct upload upload = {.size = 0};
    char tree[PATH_BYTES];
    if (!options->word_count || strcmp(options->words[0], "reload") != 0)
        fail(STATUS_USAGE, "%s? motet zone reload [FILE.zdb | FILE.zone... | --zones DIR]",
             options->word_count ? options->words[0] : "what");
    char *const *files = options->words + 1;
    const size_t count = options->word_count - 1;
    if (count && options->zones)
        fail(STATUS_USAGE, "%s and --zones: one of them says which zones", files[0]);
    const char *name = options->domain ? options->domain : server;
    upload.domain = domain_find(client, name);
    snprintf(upload.name, sizeof(upload.name), "%s", name);
    const uint32_t room = file_find(client, &upload);
    beside(tree, "../../zones");
    if (count == 1 && is_database(files[0])) {
        upload.path = files[0];
        upload.bytes = upload_read(files[0], room, &upload.size);
    } else if (count) {
        compiled(&upload, files, count, room);
    } else {
        folder_compiled(&upload, options->zones ? options->zones : tree, room);
    }
    char done[64];
    done_text(&upload, done);
    return upload_swap(client, options, &upload, done);
}
