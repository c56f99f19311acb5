/* SPDX-License-Identifier: ISC
 *
 * Frames of the control protocol (motet/control.h) out of a stream that may hold anything. No port,
 * no domain: bytes go in, checked requests come out.
 *
 * States of the input, all in `bytes`: nothing; the beginning of what may be a frame, in any case
 * one that begins with what a header begins with; a whole frame, until frame_next has taken it.
 * Invariant: `held` is at most FRAME_INPUT_MAX; a header with a right check names a length that
 * fits. So the input never fills up with something that isn't decided: either a frame is whole, or
 * its first byte is dropped and the rest looked at again.
 */
#ifndef MOTET_CONTROL_FRAME_H
#define MOTET_CONTROL_FRAME_H

#include <stdbool.h>

#include "motet/control.h"

/* A frame, and as much as comes at once: while a frame isn't whole there is room for that. */
enum {
    FRAME_FEED_MAX = 64,
    FRAME_INPUT_MAX = CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA + FRAME_FEED_MAX
};

struct frame_input {
    uint32_t held;
    uint64_t dropped; /* bytes that belonged to no frame */
    uint8_t bytes[FRAME_INPUT_MAX];
};

struct frame {
    uint16_t op;
    uint16_t length;
    uint32_t tag;
    uint8_t payload[CONTROL_REQUEST_MAX];
};

/* Takes as many bytes as there is room for; returns how many. */
uint32_t frame_feed(struct frame_input *input, const uint8_t *bytes, uint32_t count);

/* The next whole frame with right checks. False: it isn't there yet, and there is room for
 * FRAME_FEED_MAX bytes. */
bool frame_next(struct frame_input *input, struct frame *frame);

/* Writes a reply around the `length` bytes of payload that stand behind its header in `out` already
 * (at most CONTROL_REPLY_MAX). Returns the bytes in all. */
uint32_t frame_finish(uint8_t *out, uint16_t op, uint32_t tag, uint32_t length);

#endif
