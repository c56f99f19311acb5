/* SPDX-License-Identifier: ISC
 *
 * Time, chance and what will happen. See world.h.
 */
#include "tools/sim/world.h"

#include <string.h>

#include "kernel/arch/sim/machine.h"
#include "tools/sim/invariants.h"

struct world world;

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t random_below(uint64_t limit)
{
    return limit ? next(&world.random) % limit : 0;
}

bool chance(uint32_t per_million)
{
    return per_million && world.phase == PHASE_FAULTS && random_below(1000000) < per_million;
}

void world_mix(uint64_t value)
{
    world.hash = (world.hash ^ value) * 0x9fb21c651e98df25ull;
    world.hash ^= world.hash >> 32;
}

/* --- events: a binary heap, the earliest on top --- */

static bool before(const struct event *a, const struct event *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void event_add(uint64_t delay, enum event_kind kind, uint32_t argument)
{
    struct event event = {sim_clock + delay, world.order++, kind, argument};
    if (world.event_count == EVENTS_MAX) {
        world.count.events_lost++;
        return;
    }
    uint32_t at = world.event_count++;
    for (; at && before(&event, &world.events[(at - 1) / 2]); at = (at - 1) / 2)
        world.events[at] = world.events[(at - 1) / 2];
    world.events[at] = event;
}

static struct event event_take(void)
{
    struct event first = world.events[0], last = world.events[--world.event_count];
    uint32_t at = 0;
    for (uint32_t child = 1; child < world.event_count; child = 2 * at + 1) {
        if (child + 1 < world.event_count && before(&world.events[child + 1], &world.events[child]))
            child++;
        if (!before(&world.events[child], &last))
            break;
        world.events[at] = world.events[child];
        at = child;
    }
    world.events[at] = last;
    return first;
}

uint64_t event_next_time(void)
{
    return world.event_count ? world.events[0].time : UINT64_MAX;
}

static void interrupt_from_nowhere(void)
{
    world.count.interrupts_spurious++;
    interrupt_raise(IRQ_VECTOR_FIRST + (uint32_t)random_below(8));
    if (world.options.spurious)
        event_add(random_below(2 * 1000000000ull / world.options.spurious), EVENT_SPURIOUS, 0);
}

void clock_jump(uint64_t ticks)
{
    world.count.jumps++;
    world.jumped += ticks;
    sim_clock += ticks;
}

static void event_run(const struct event *event)
{
    struct frame *frame = &world.frames[event->argument % FRAMES_MAX];
    bool calm = world.phase == PHASE_LIVENESS;
    switch (event->kind) {
    case EVENT_TO_MACHINE:
        nic_receive(frame);
        frame_free(frame);
        break;
    case EVENT_TO_CLIENT:
        client_frame(frame);
        frame_free(frame);
        break;
    case EVENT_CLIENT:
        client_event(event->argument);
        break;
    case EVENT_LEGACY:
        legacy_event(event->argument);
        break;
    case EVENT_SPURIOUS:
        if (!calm)
            interrupt_from_nowhere();
        break;
    case EVENT_JUMP:
        if (!calm)
            clock_jump(random_below(3600ull * 1000000000));
        break;
    default:
        device_event(event->kind, event->argument);
    }
}

void events_run(void)
{
    while (world.event_count && world.events[0].time <= sim_clock) {
        struct event event = event_take();
        world_mix(event.kind ^ event.time);
        event_run(&event);
    }
}

/* --- frames --- */

struct frame *frame_new(void)
{
    if (!world.free_count || FRAMES_MAX - world.free_count >= world.options.congestion)
        return NULL;
    struct frame *frame = &world.frames[world.free[--world.free_count]];
    frame->used = true;
    return frame;
}

uint32_t frame_number(const struct frame *frame)
{
    return (uint32_t)(frame - world.frames);
}

void frame_free(struct frame *frame)
{
    frame->used = false;
    world.free[world.free_count++] = frame_number(frame);
}

/* Jumps come while there is something to disturb. */
static uint64_t busy_ticks(void)
{
    return world.options.queries * 1000000000ull / world.options.rate;
}

void world_start(const struct options *options)
{
    memset(&world, 0, sizeof(world));
    world.options = *options;
    world.random = options->seed * 0x2545f4914f6cdd1dull + 1;
    world.user_random = options->seed ^ 0x5bf03635ull;
    for (uint32_t i = 0; i < FRAMES_MAX; i++)
        world.free[world.free_count++] = FRAMES_MAX - 1 - i;
    ports_start();
    devices_start();
    legacy_start();
    clients_start();
    invariants_reset();
    if (options->spurious)
        event_add(random_below(1000000000), EVENT_SPURIOUS, 0);
    for (uint32_t i = 0; i < options->jumps; i++)
        event_add(random_below(busy_ticks()), EVENT_JUMP, 0);
}
