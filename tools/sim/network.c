/* SPDX-License-Identifier: ISC
 *
 * The network between the machine's card and the clients: a frame may be lost, doubled, held up,
 * overtaken, spoiled or cut off, and is lost when too many are on the way.
 */
#include <string.h>

#include "tools/sim/world.h"

enum { TICKS_PER_MICROSECOND = 1000, FRAME_MIN = 14 };

static void spoil(struct frame *frame)
{
    if (chance(world.options.corrupt)) {
        frame->bytes[random_below(frame->length)] ^= (uint8_t)(1 + random_below(255));
        world.count.corrupted++;
    }
    if (chance(world.options.truncate) && frame->length > FRAME_MIN) {
        frame->length = FRAME_MIN + (uint32_t)random_below(frame->length - FRAME_MIN);
        world.count.truncated++;
    }
}

static uint64_t travel_time(void)
{
    uint64_t most = (uint64_t)world.options.delay * TICKS_PER_MICROSECOND;
    uint64_t ticks = most / 2 + random_below(most / 16 + 1);
    if (chance(world.options.reorder)) {
        ticks += random_below(4 * most + 1);
        world.count.reordered++;
    }
    return ticks;
}

static void carry_one(const uint8_t *bytes, uint32_t length, bool to_machine)
{
    struct frame *frame = frame_new();
    if (!frame) {
        world.count.congested++;
        return;
    }
    memcpy(frame->bytes, bytes, length);
    frame->length = length;
    spoil(frame);
    event_add(travel_time(), to_machine ? EVENT_TO_MACHINE : EVENT_TO_CLIENT, frame_number(frame));
}

void network_carry(const uint8_t *bytes, uint32_t length, bool to_machine)
{
    if (length < FRAME_MIN || length > FRAME_BYTES)
        return;
    if (chance(world.options.loss)) {
        world.count.lost++;
        return;
    }
    carry_one(bytes, length, to_machine);
    if (chance(world.options.duplicate)) {
        world.count.duplicated++;
        carry_one(bytes, length, to_machine);
    }
}

uint32_t internet_sum(const uint8_t *bytes, uint32_t length, uint32_t start)
{
    uint64_t total = start;
    for (uint32_t i = 0; i + 1 < length; i += 2)
        total += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (length & 1)
        total += (uint32_t)bytes[length - 1] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint32_t)total;
}
