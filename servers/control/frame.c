/* SPDX-License-Identifier: ISC
 *
 * See frame.h. Refuses headers with a wrong check, and lengths beyond CONTROL_REQUEST_MAX.
 */
#include "servers/control/frame.h"
#include "libos/crc.h"

#include <string.h>

uint32_t frame_feed(struct frame_input *input, const uint8_t *bytes, uint32_t count)
{
    uint32_t room = FRAME_INPUT_MAX - input->held;
    if (count > room)
        count = room;
    memcpy(input->bytes + input->held, bytes, count);
    input->held += count;
    return count;
}

static void drop(struct frame_input *input, uint32_t count)
{
    input->held -= count;
    memmove(input->bytes, input->bytes + count, input->held);
}

enum look { LOOK_SHORT, LOOK_WRONG, LOOK_WHOLE };

/* Is there a frame at `at`? */
static enum look look(const struct frame_input *input, uint32_t at, struct control_header *header)
{
    const uint32_t magic = CONTROL_MAGIC;
    const uint8_t *bytes = input->bytes + at;
    uint32_t held = input->held - at, known = held < sizeof(magic) ? held : sizeof(magic);
    if (memcmp(bytes, &magic, known))
        return LOOK_WRONG;
    if (held < sizeof(*header))
        return LOOK_SHORT;
    memcpy(header, bytes, sizeof(*header));
    if (header->check != crc_add(0, header, offsetof(struct control_header, check)) ||
        header->length > CONTROL_REQUEST_MAX)
        return LOOK_WRONG;
    if (held < (uint32_t)header->length + CONTROL_FRAME_EXTRA)
        return LOOK_SHORT;
    uint32_t check;
    memcpy(&check, bytes + sizeof(*header) + header->length, sizeof(check));
    return check == crc_add(0, bytes + sizeof(*header), header->length) ? LOOK_WHOLE : LOOK_WRONG;
}

bool frame_next(struct frame_input *input, struct frame *frame)
{
    struct control_header header;
    enum look found = LOOK_SHORT;
    uint32_t at = 0;
    while (at < input->held && (found = look(input, at, &header)) == LOOK_WRONG)
        at++;
    input->dropped += at;
    drop(input, at);
    if (!input->held || found != LOOK_WHOLE)
        return false;
    frame->op = header.op;
    frame->length = header.length;
    frame->tag = header.tag;
    memcpy(frame->payload, input->bytes + sizeof(header), header.length);
    drop(input, header.length + CONTROL_FRAME_EXTRA);
    return true;
}

uint32_t frame_finish(uint8_t *out, uint16_t op, uint32_t tag, uint32_t length)
{
    struct control_header header = {
        .magic = CONTROL_MAGIC, .op = op | CONTROL_REPLY, .length = (uint16_t)length, .tag = tag};
    header.check = crc_add(0, &header, offsetof(struct control_header, check));
    uint32_t check = crc_add(0, out + sizeof(header), length);
    memcpy(out, &header, sizeof(header));
    memcpy(out + sizeof(header) + length, &check, sizeof(check));
    return length + CONTROL_FRAME_EXTRA;
}
