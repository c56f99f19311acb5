/* SPDX-License-Identifier: ISC
 *
 * `motet swap`: see swap.h and docs/swap.md.
 */
#include "tools/control/swap.h"
#include "libos/crc.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MILLISECONDS = 10,        /* between two looks at a swap that goes */
    QUIET_MILLISECONDS = 1000,     /* without a word, unless it takes longer */
    PROGRAM_BYTES_MAX = 16 << 20,  /* no image's staging memory holds more */
    COME_OUT_MILLISECONDS = 30000, /* its phases have a second each, and hosts are slow */
    REASON_BYTES = 512,
};

static const char *const phases[CONTROL_SWAP_PHASES] = {
    [CONTROL_SWAP_NONE] = "none",           [CONTROL_SWAP_STAGING] = "staging",
    [CONTROL_SWAP_LOADING] = "loading",     [CONTROL_SWAP_REHEARSING] = "rehearsing",
    [CONTROL_SWAP_RESTING] = "resting",     [CONTROL_SWAP_STARTING] = "starting",
    [CONTROL_SWAP_PROBATION] = "probation", [CONTROL_SWAP_DONE] = "done",
    [CONTROL_SWAP_REFUSED] = "refused",     [CONTROL_SWAP_ROLLED_BACK] = "rolled back",
};

static const char *phase_name(uint8_t phase)
{
    return phase < CONTROL_SWAP_PHASES ? phases[phase] : "unknown";
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

uint8_t *upload_read(const char *path, uint32_t most, uint32_t *size)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status))
        fail(STATUS_USAGE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        fail(STATUS_USAGE, "%s: no regular file", path);
    if (!status.st_size)
        fail(STATUS_USAGE, "%s: it is empty", path);
    if (status.st_size > (off_t)most)
        fail(STATUS_REFUSED, "%s: %lld bytes; there is room for %u", path,
             (long long)status.st_size, most);
    *size = (uint32_t)status.st_size;
    uint8_t *bytes = malloc(*size);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        fail(STATUS_USAGE, "%s: it can't be read, or changes meanwhile", path);
    fclose(file);
    return bytes;
}

static struct control_swap status_get(struct client *client)
{
    struct control_swap status;
    enum error error = client_get(client, CONTROL_SWAP_STATUS, 0, &status, sizeof(status));
    if (error == ERROR_UNKNOWN_CALL)
        fail(STATUS_REFUSED, "this image doesn't allow swaps — add swap = true to a domain of its "
                             "manifest, and a loader (docs/swap.md)");
    if (error)
        refused("swap", error);
    status.version[sizeof(status.version) - 1] = 0;
    for (char *at = status.version; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    return status;
}

static void domain_name(struct client *client, uint32_t domain, char name[CONTROL_NAME_BYTES])
{
    struct control_domain told;
    strcpy(name, "?");
    if (domain && client_get(client, CONTROL_DOMAIN, domain, &told, sizeof(told)) == OK) {
        memcpy(name, told.name, CONTROL_NAME_BYTES);
        name[CONTROL_NAME_BYTES - 1] = 0;
        for (char *at = name; *at; at++)
            if (*at < '!' || *at > '~')
                *at = '?';
    }
}

/* --- on the way --- */

/* How far it is: on a terminal in one line, else now and then a line, if it takes long. */
struct progress {
    const char *name;
    int64_t began, said;
    bool shown;
};

static void progress_show(struct progress *progress, uint32_t sent, uint32_t size)
{
    const bool terminal = isatty(STDERR_FILENO);
    const unsigned percent = (unsigned)(size ? (uint64_t)sent * 100 / size : 100);
    const int64_t time = now();
    if (!progress->began)
        progress->began = progress->said = time;
    if (terminal && time - progress->said >= 100) {
        fprintf(stderr, "\r%s: %u of %u bytes sent (%u%%)", progress->name, sent, size, percent);
        progress->shown = true;
        progress->said = time;
    } else if (!terminal && time - progress->said >= QUIET_MILLISECONDS) {
        fprintf(stderr, "%s: %u%% sent\n", progress->name, percent);
        progress->said = time;
    }
}

static void progress_end(const struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
}

/* --- asking --- */

/* Why it wasn't begun, and the way out. */
static void begin_reason(struct client *client, const struct upload *upload, enum error error,
                         char text[REASON_BYTES])
{
    struct control_swap status;
    char other[CONTROL_NAME_BYTES];
    switch (error) {
    case ERROR_UNKNOWN_CALL:
        snprintf(text, REASON_BYTES,
                 "this image doesn't allow swaps — add swap = true to domain %s in its manifest, "
                 "and a loader (docs/swap.md)",
                 upload->name);
        break;
    case ERROR_NO_RIGHT:
        snprintf(text, REASON_BYTES,
                 "domain %s can't be swapped — add swap = true to it in the manifest and boot that "
                 "image (docs/swap.md)",
                 upload->name);
        break;
    case ERROR_NOT_FOUND:
        snprintf(text, REASON_BYTES,
                 "domain %s has no such file that can be replaced — add reload = true to it in the "
                 "manifest",
                 upload->name);
        break;
    case ERROR_LIMIT:
        snprintf(text, REASON_BYTES,
                 "%s: %u bytes are more than the image has room for — a larger %s in the manifest "
                 "and a new image help",
                 upload->path, upload->size,
                 upload->what == CONTROL_SWAP_PROGRAM ? "staging" : "room of the file");
        break;
    case ERROR_BAD_STATE:
        status = status_get(client);
        domain_name(client, status.domain, other);
        if (status.phase >= CONTROL_SWAP_LOADING && status.phase <= CONTROL_SWAP_PROBATION)
            snprintf(text, REASON_BYTES,
                     "another swap is under way (%s, %s) — motet swap --status; one in its "
                     "probation is over with motet swap --commit",
                     other, phase_name(status.phase));
        else
            snprintf(text, REASON_BYTES,
                     "domain %s doesn't run — motet ps says why, motet restart %s begins it anew",
                     upload->name, upload->name);
        break;
    default:
        snprintf(text, REASON_BYTES, "%s: refused: %s", upload->name, error_text(error));
    }
}

__attribute__((noreturn)) static void begin_refused(struct client *client,
                                                    const struct options *options,
                                                    const struct upload *upload, enum error error)
{
    char reason[REASON_BYTES];
    begin_reason(client, upload, error, reason);
    if (options->json) {
        printf("{\"domain\": ");
        json_text(stdout, upload->name);
        printf(", \"phase\": \"refused\", \"at\": \"staging\", \"error\": \"%s\", \"reason\": ",
               error_name(error));
        json_text(stdout, reason);
        printf("}\n");
    }
    fail(STATUS_REFUSED, "%s", reason);
}

static void piece_send(struct client *client, const struct upload *upload, uint32_t from,
                       uint32_t bytes, struct progress *progress)
{
    uint8_t request[CONTROL_REQUEST_MAX];
    for (uint32_t at = 0; at < bytes;) {
        struct control_stage head = {.offset = at, .bytes = bytes - at};
        if (head.bytes > CONTROL_STAGE_MAX)
            head.bytes = CONTROL_STAGE_MAX;
        memcpy(request, &head, sizeof(head));
        memcpy(request + sizeof(head), upload->bytes + from + at, head.bytes);
        enum error error =
            client_ask(client, CONTROL_STAGE, request, sizeof(head) + head.bytes, NULL, 0, NULL);
        if (error == ERROR_BAD_STATE)
            fail(STATUS_REFUSED,
                 "%s: another motet has begun a swap, or the control server began "
                 "anew: nothing was swapped — try again",
                 upload->name);
        if (error)
            refused(upload->name, error);
        at += head.bytes;
        progress_show(progress, from + at, upload->size);
    }
}

static void all_send(struct client *client, const struct upload *upload, uint32_t room)
{
    struct progress progress = {.name = upload->name};
    const bool is_file = upload->what != CONTROL_SWAP_PROGRAM;
    for (uint32_t from = 0; from < upload->size;) {
        const uint32_t left = upload->size - from, bytes = left < room ? left : room;
        piece_send(client, upload, from, bytes, &progress);
        enum error error = is_file ? client_get(client, CONTROL_SWAP_TAKE, bytes, NULL, 0) : OK;
        if (error)
            refused(upload->name, error);
        from += bytes;
    }
    progress_end(&progress);
}

static void begin(struct client *client, const struct options *options, const struct upload *upload)
{
    struct control_swap_room room;
    const struct control_swap_begin begin = {.domain = (uint16_t)upload->domain,
                                             .what = upload->what,
                                             .bytes = upload->size,
                                             .check = crc_add(0, upload->bytes, upload->size)};
    enum error error =
        client_ask(client, CONTROL_SWAP_BEGIN, &begin, sizeof(begin), &room, sizeof(room), NULL);
    if (error)
        begin_refused(client, options, upload, error);
    if (upload->size > room.bytes &&
        (upload->what == CONTROL_SWAP_PROGRAM || room.bytes < CONTROL_STAGE_MAX))
        fail(STATUS_NO_ANSWER, "%s: the image says nonsense", client->path);
    all_send(client, upload, room.bytes);
    error = client_get(client, CONTROL_SWAP_GO, 0, NULL, 0);
    if (error)
        begin_refused(client, options, upload, error);
}

/* --- how it comes out --- */

static bool is_going(const struct control_swap *status)
{
    return status->phase >= CONTROL_SWAP_STAGING && status->phase < CONTROL_SWAP_PROBATION;
}

/* Looks until it has come out, and, with `probation`, until the probation is over: that is as long
 * as the image says, and nobody's but the user's to end. */
static struct control_swap wait_for(struct client *client, bool probation)
{
    for (const int64_t end = now() + COME_OUT_MILLISECONDS;;) {
        const struct control_swap status = status_get(client);
        if (!is_going(&status) && !(probation && status.phase == CONTROL_SWAP_PROBATION))
            return status;
        if (is_going(&status) && now() > end)
            fail(STATUS_NO_ANSWER, "%s: the swap doesn't come to an end (%s) — motet log says more",
                 client->path, phase_name(status.phase));
        usleep(LOOK_MILLISECONDS * 1000);
    }
}

/* 21344 as 21,344. */
static const char *grouped(uint64_t value, char text[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = 0;
    return text;
}

static void status_json(const struct control_swap *status, const char *name, const char *reason)
{
    printf("{\"domain\": ");
    json_text(stdout, name);
    printf(", \"version\": ");
    json_text(stdout, status->version);
    printf(", \"phase\": \"%s\", \"at\": \"%s\", \"blackout_ns\": %" PRIu64
           ", \"queued\": %u, \"state_bytes\": %u, \"probation_left_ms\": %u, \"refusal\": %u, "
           "\"detail\": %u, \"error\": \"%s\", \"state_lost\": %s, \"swaps\": %u, \"reason\": ",
           phase_name(status->phase), phase_name(status->at), status->blackout, status->queued,
           status->state_bytes, status->left * 100u, status->refusal, status->detail,
           error_name((enum error)status->error), status->lost ? "true" : "false", status->count);
    json_text(stdout, reason);
    printf("}\n");
}

static void serving_print(const struct control_swap *status, const char *name, const char *done)
{
    char bytes[32];
    if (done)
        printf("%s: %s", name, done);
    else if (status->version[0])
        printf("%s: version %s serves", name, status->version);
    else
        printf("%s: the new version serves", name);
    printf(": blackout %.2f ms, %u messages queued meanwhile, state %s bytes",
           (double)status->blackout / 1e6, status->queued, grouped(status->state_bytes, bytes));
    if (status->phase == CONTROL_SWAP_PROBATION)
        printf("; %.1f s of probation left\n", status->left / 10.0);
    else
        printf("; its probation is over\n");
}

/* What the new version's end was, if it had one of its own. */
static void end_add(struct client *client, const struct control_swap *status, char *reason)
{
    struct control_end end;
    char cause[END_TEXT_BYTES];
    const size_t used = strlen(reason);
    if (status->phase != CONTROL_SWAP_ROLLED_BACK || status->error ||
        status->at == CONTROL_SWAP_REHEARSING || /* the domain's own end is another one */
        client_get(client, CONTROL_END, status->domain, &end, sizeof(end)))
        return;
    end_text(&end, cause);
    if (cause[0])
        snprintf(reason + used, REASON_BYTES - used, " (%s)", cause);
}

static int outcome(struct client *client, const struct options *options,
                   const struct control_swap *status, const char *name, const char *done)
{
    char reason[REASON_BYTES];
    const bool serves =
        status->phase == CONTROL_SWAP_PROBATION || status->phase == CONTROL_SWAP_DONE;
    swap_reason(status, name, reason, sizeof(reason));
    end_add(client, status, reason);
    if (options->json)
        status_json(status, name, reason);
    else if (serves)
        serving_print(status, name, done);
    else
        fprintf(stderr, "motet: %s: %s: %s\n", name,
                status->phase == CONTROL_SWAP_REFUSED ? "not swapped"
                : status->lost ? "rolled back, the old version began anew and its state is lost"
                               : "rolled back, the old version goes on",
                reason);
    return serves ? STATUS_OK : STATUS_REFUSED;
}

int upload_swap(struct client *client, const struct options *options, const struct upload *upload,
                const char *done)
{
    begin(client, options, upload);
    struct control_swap status = wait_for(client, false);
    if (options->commit && status.phase == CONTROL_SWAP_PROBATION)
        client_get(client, CONTROL_SWAP_COMMIT, 0, NULL, 0); /* the status says what came of it */
    if (options->commit || options->wait)
        status = wait_for(client, options->wait);
    if (status.domain != upload->domain)
        fail(STATUS_REFUSED, "%s: another swap was begun meanwhile — motet log", upload->name);
    return outcome(client, options, &status, upload->name, done);
}

/* --- the command --- */

void upload_check_elf(const char *path, const uint8_t *bytes, uint32_t size)
{
    static const char *const make_one = "make build/programs/IMAGE/DOMAIN.elf";
    Elf64_Ehdr header;
    if (size < sizeof(header) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        fail(STATUS_USAGE, "%s: no ELF file — %s", path, make_one);
    memcpy(&header, bytes, sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
        header.e_type != ET_EXEC)
        fail(STATUS_USAGE, "%s: no ELF program for x86-64 — %s", path, make_one);
}

static int show_status(struct client *client, const struct options *options)
{
    const struct control_swap status = status_get(client);
    char name[CONTROL_NAME_BYTES], reason[REASON_BYTES];
    domain_name(client, status.domain, name);
    swap_reason(&status, name, reason, sizeof(reason));
    end_add(client, &status, reason);
    if (options->json)
        status_json(&status, name, reason);
    else if (status.phase == CONTROL_SWAP_NONE)
        printf("no swap since the image booted, or it was cancelled\n");
    else if (status.phase == CONTROL_SWAP_PROBATION || status.phase == CONTROL_SWAP_DONE)
        serving_print(&status, name, NULL);
    else
        printf("%s: %s%s%s\n", name, phase_name(status.phase), reason[0] ? ": " : "", reason);
    return STATUS_OK;
}

static int cancel(struct client *client, const struct options *options)
{
    enum error error = client_get(client, CONTROL_SWAP_CANCEL, 0, NULL, 0);
    if (error == ERROR_BAD_STATE) {
        const struct control_swap status = status_get(client);
        fail(STATUS_REFUSED,
             "nothing to cancel: the last swap is %s — one that goes can't be "
             "cancelled; motet kill in its probation takes it back",
             phase_name(status.phase));
    }
    if (error)
        refused("swap --cancel", error);
    printf(options->json ? "{\"cancelled\": true}\n" : "cancelled\n");
    return STATUS_OK;
}

static int commit(struct client *client, const struct options *options)
{
    enum error error = client_get(client, CONTROL_SWAP_COMMIT, 0, NULL, 0);
    const struct control_swap status = status_get(client);
    char name[CONTROL_NAME_BYTES];
    if (error == ERROR_BAD_STATE)
        fail(STATUS_REFUSED, "no version is in its probation: the last swap is %s",
             phase_name(status.phase));
    if (error)
        refused("swap --commit", error);
    domain_name(client, status.domain, name);
    return outcome(client, options, &status, name, NULL);
}

int command_swap(struct client *client, const struct options *options)
{
    struct upload upload = {.what = CONTROL_SWAP_PROGRAM};
    if (options->status)
        return show_status(client, options);
    if (options->cancel)
        return cancel(client, options);
    if (options->commit && !options->word_count)
        return commit(client, options);
    if (!options->word_count)
        fail(STATUS_USAGE, "which domain? motet swap DOMAIN [FILE.elf]");
    if (options->word_count > 1) {
        upload.path = options->words[1];
        upload.bytes = upload_read(upload.path, PROGRAM_BYTES_MAX, &upload.size);
    }
    upload.domain = domain_find(client, options->words[0]);
    domain_name(client, upload.domain, upload.name);
    if (upload.path)
        upload_check_elf(upload.path, upload.bytes, upload.size);
    return upload_swap(client, options, &upload, NULL);
}
