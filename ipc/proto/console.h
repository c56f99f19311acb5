/* SPDX-License-Identifier: ISC
 *
 * Class protocol: console, version 1: a stream of bytes in each direction, without borders and
 * without a promise that anybody is at the other end. Client: who reads and writes it. Server: a
 * driver.
 *
 * The bytes travel inside the messages: a console is slow, so that a copy costs less than a pool
 * and its account of buffers. The channel is the flow control, both ways: the driver takes no more
 * from the device than the client's ring has room for, and leaves messages in the queue that the
 * device has no room for.
 *
 * Bounds: CONSOLE_DATA_MAX bytes in a message. Answer beyond: the message is dropped and counted.
 *
 * | op    | direction        | idempotent | |
 * |-------|------------------|------------|-|
 * | OPEN  | client to driver | yes | asks for a STATE |
 * | STATE | driver to client | yes | after OPEN, and when the device breaks |
 * | DATA  | both             | no  | the next bytes of the stream |
 */
#ifndef MOTET_PROTO_CONSOLE_H
#define MOTET_PROTO_CONSOLE_H

#include "motet/msg.h"

#define CONSOLE_PROTOCOL "console"

enum { CONSOLE_VERSION = 1, CONSOLE_DATA_MAX = MSG_BYTES - 2 };

enum console_op {
    CONSOLE_OPEN = 1,
    CONSOLE_STATE,
    CONSOLE_DATA,
};

struct console_state {
    uint8_t up; /* 0: there is no device, or it is broken: bytes are dropped */
};

struct console_data {
    uint16_t length; /* 1 to CONSOLE_DATA_MAX */
    uint8_t bytes[CONSOLE_DATA_MAX];
};

_Static_assert(sizeof(struct console_state) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct console_data) <= MSG_BYTES, "fits a message");

#endif
