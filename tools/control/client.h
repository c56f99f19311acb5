/* SPDX-License-Identifier: ISC
 *
 * The host's end of the control channel (motet/control.h): one connection to a running image, one
 * request at a time, each with a bound on its time.
 *
 * What comes from the image is checked like anything from outside: frames by their checks, replies
 * by tag, operation and length. Requests that change nothing are repeated until the time is over;
 * others are sent once.
 */
#ifndef TOOLS_CONTROL_CLIENT_H
#define TOOLS_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "motet/control.h"
#include "motet/error.h"

/* What the command exits with. */
enum status {
    STATUS_OK = 0,
    STATUS_REFUSED = 1,   /* the image said no, and why */
    STATUS_USAGE = 2,     /* the command line is wrong */
    STATUS_NO_IMAGE = 3,  /* nobody at the socket, or no socket */
    STATUS_NO_ANSWER = 4, /* connected, but nothing came in time */
};

struct client {
    const char *path;  /* of the socket */
    const char *given; /* by the user; NULL: it is looked for */
    int socket;        /* -1: not connected */
    int milliseconds;  /* at most, for an answer */
    uint32_t tag;
    size_t held;
    uint8_t bytes[4 * (CONTROL_REPLY_MAX + CONTROL_FRAME_EXTRA)];
};

/* Finds the image's socket, if none was given, and connects; ends the program with a message if
 * that fails. Connected already, nothing happens. */
void client_connect(struct client *client);

/* Lets others have their turn: QEMU serves one connection at a time. */
void client_close(struct client *client);

/* One request. Fills in at most `size` bytes of what stands behind the reply's status, and returns
 * the image's error; *bytes (if not NULL) is how many there are. Ends the program with a message
 * when no answer comes. */
enum error client_ask(struct client *client, uint16_t op, const void *request, size_t request_bytes,
                      void *reply, size_t size, size_t *bytes);

/* The same for a reply of exactly `size` bytes, by a number. */
enum error client_get(struct client *client, uint16_t op, uint32_t argument, void *reply,
                      size_t size);

/* Says what is wrong and ends the program. */
__attribute__((noreturn, format(printf, 2, 3))) void fail(enum status status, const char *format,
                                                          ...);

/* Ends the program because the image refused `what`. */
__attribute__((noreturn)) void refused(const char *what, enum error error);

#endif
