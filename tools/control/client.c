/* SPDX-License-Identifier: ISC
 *
 * See client.h.
 */
#include "tools/control/client.h"
#include "libos/crc.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire format is the host's");

enum { REPEAT_MILLISECONDS = 300, PATH_BYTES = 512 };

void fail(enum status status, const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("motet: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(status);
}

void refused(const char *what, enum error error)
{
    fail(STATUS_REFUSED, "%s: refused: %s", what, error_text(error));
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A connection to the socket, -1: nobody listens there (errno). */
static int try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Where `make run` puts its sockets: beside the folder of this program. */
static void run_folder(char folder[PATH_BYTES])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_BYTES - 16);
    folder[length > 0 ? length : 0] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = 0;
    }
    strcat(folder, "/run");
}

static const char how_to_start[] = "start one: make run IMAGE=dns-managed (docs/control.md)";

/* Connects to the only image that runs. */
static void find(struct client *client)
{
    char pattern[PATH_BYTES + 8], folder[PATH_BYTES];
    glob_t found;
    run_folder(folder);
    snprintf(pattern, sizeof(pattern), "%s/*.sock", folder);
    if (glob(pattern, 0, NULL, &found))
        found.gl_pathc = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int fd = try_connect(found.gl_pathv[i]);
        if (fd < 0)
            continue;
        if (client->socket >= 0)
            fail(STATUS_USAGE, "more than one image runs: choose by --socket %s or --socket %s",
                 client->path, found.gl_pathv[i]);
        client->socket = fd;
        client->path = strdup(found.gl_pathv[i]);
    }
    if (client->socket < 0)
        fail(STATUS_NO_IMAGE, "no image with a control channel is running (looked for %s); %s",
             pattern, how_to_start);
}

void client_connect(struct client *client)
{
    static const uint8_t flush[CONTROL_FLUSH_BYTES];
    if (client->socket >= 0)
        return;
    client->held = 0;
    if (!client->path && client->given)
        client->path = client->given;
    if (!client->path)
        find(client);
    else
        client->socket = try_connect(client->path);
    if (client->socket < 0)
        fail(STATUS_NO_IMAGE, "%s: %s: no image is running there; %s", client->path,
             strerror(errno), how_to_start);
    if (send(client->socket, flush, sizeof(flush), MSG_NOSIGNAL) < 0)
        fail(STATUS_NO_IMAGE, "%s: %s", client->path, strerror(errno));
}

void client_close(struct client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
}

static void request_send(struct client *client, uint16_t op, const void *payload, size_t bytes)
{
    uint8_t frame[CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA];
    struct control_header header = {
        .magic = CONTROL_MAGIC, .op = op, .length = (uint16_t)bytes, .tag = client->tag};
    header.check = crc_add(0, &header, offsetof(struct control_header, check));
    uint32_t check = crc_add(0, payload, bytes);
    memcpy(frame, &header, sizeof(header));
    if (bytes)
        memcpy(frame + sizeof(header), payload, bytes);
    memcpy(frame + sizeof(header) + bytes, &check, sizeof(check));
    if (send(client->socket, frame, bytes + CONTROL_FRAME_EXTRA, MSG_NOSIGNAL) < 0)
        fail(STATUS_NO_IMAGE, "%s: the image has ended (%s)", client->path, strerror(errno));
}

/* Waits for more bytes; false: the time is over. */
static bool more(struct client *client, int64_t end)
{
    struct pollfd wait = {.fd = client->socket, .events = POLLIN};
    int64_t left = end - now();
    if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
        return false;
    ssize_t got =
        recv(client->socket, client->bytes + client->held, sizeof(client->bytes) - client->held, 0);
    if (got <= 0)
        fail(STATUS_NO_IMAGE, "%s: the image has ended", client->path);
    client->held += (size_t)got;
    return true;
}

/* Is there a whole frame at the beginning? Its length, 0: not yet, -1: no frame begins here. */
static long frame_length(const struct client *client, struct control_header *header)
{
    uint32_t check;
    if (client->held < sizeof(*header))
        return 0;
    memcpy(header, client->bytes, sizeof(*header));
    if (header->magic != CONTROL_MAGIC || header->length > CONTROL_REPLY_MAX ||
        header->check != crc_add(0, header, offsetof(struct control_header, check)))
        return -1;
    size_t length = header->length + (size_t)CONTROL_FRAME_EXTRA;
    if (client->held < length)
        return 0;
    memcpy(&check, client->bytes + sizeof(*header) + header->length, sizeof(check));
    return check == crc_add(0, client->bytes + sizeof(*header), header->length) ? (long)length : -1;
}

static void drop(struct client *client, size_t count)
{
    client->held -= count;
    memmove(client->bytes, client->bytes + count, client->held);
}

/* The reply to the current request into `payload`: its length, -1: it didn't come until `end`. */
static long reply_get(struct client *client, uint16_t op, uint8_t payload[CONTROL_REPLY_MAX],
                      int64_t end)
{
    for (;;) {
        struct control_header header;
        long length = frame_length(client, &header);
        if (!length && !more(client, end))
            return -1;
        if (length < 0)
            drop(client, 1);
        if (length <= 0)
            continue;
        memcpy(payload, client->bytes + sizeof(header), header.length);
        drop(client, (size_t)length);
        if (header.tag == client->tag && header.op == (op | CONTROL_REPLY) &&
            header.length >= sizeof(struct control_status))
            return header.length;
    }
}

enum error client_ask(struct client *client, uint16_t op, const void *request, size_t request_bytes,
                      void *reply, size_t size, size_t *bytes)
{
    const bool once = op == CONTROL_KILL || op == CONTROL_RESTART || op == CONTROL_SWAP_TAKE ||
                      op == CONTROL_SWAP_GO || op == CONTROL_SWAP_CANCEL ||
                      op == CONTROL_SWAP_COMMIT;
    uint8_t payload[CONTROL_REPLY_MAX];
    struct control_status status;
    long length = -1;
    client_connect(client);
    if (!client->tag)
        client->tag = (uint32_t)getpid() << 12;
    client->tag++;
    for (int64_t end = now() + client->milliseconds; length < 0 && now() < end;) {
        int64_t again = once ? end : now() + REPEAT_MILLISECONDS;
        request_send(client, op, request, request_bytes);
        length = reply_get(client, op, payload, again < end ? again : end);
    }
    if (length < 0)
        fail(STATUS_NO_ANSWER,
             "%s: no answer within %d ms: the image is still booting, has no control channel, or "
             "another motet has the socket",
             client->path, client->milliseconds);
    memcpy(&status, payload, sizeof(status));
    size_t got = (size_t)length - sizeof(status);
    if (size)
        memcpy(reply, payload + sizeof(status), got < size ? got : size);
    if (bytes)
        *bytes = got;
    if (status.error == OK && got < size && !bytes)
        fail(STATUS_NO_ANSWER, "%s: the image speaks another version of the protocol",
             client->path);
    return (enum error)status.error;
}

enum error client_get(struct client *client, uint16_t op, uint32_t argument, void *reply,
                      size_t size)
{
    struct control_request request = {.argument = argument};
    return client_ask(client, op, &request, sizeof(request), reply, size, NULL);
}
