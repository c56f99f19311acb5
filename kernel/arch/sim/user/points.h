/* SPDX-License-Identifier: ISC
 *
 * Points in user code at which the simulator may step in: it sets how many are passed over first,
 * so that a point costs a subtraction. Message boundaries are points of their own: the moment at
 * which a domain has taken the next message of a connection and not yet done anything about it.
 */
#ifndef KERNEL_SIM_POINTS_H
#define KERNEL_SIM_POINTS_H

#include <stdint.h>

/* The machine's; user code only counts them down. */
struct sim_points {
    int64_t left;       /* points until the simulator steps in */
    int64_t boundaries; /* message boundaries until it steps in there */
    uint64_t messages;  /* taken so far */
};
extern struct sim_points sim_points;

/* Leaves user code; comes back when the thread runs again. */
void sim_step_in(void);

static inline void sim_point(void)
{
    if (--sim_points.left < 0)
        sim_step_in();
}

/* Where `current` is in a ring's header (struct ring of ipc/channel.h, which includes this). */
enum { RING_CURRENT_OFFSET = 192, RING_ALIGN = 4096 };

static inline void sim_point_message(void)
{
    sim_points.messages++;
    if (--sim_points.boundaries < 0)
        sim_step_in();
}

static inline void sim_point_publish(const uint32_t *index)
{
    if ((uintptr_t)index % RING_ALIGN == RING_CURRENT_OFFSET)
        sim_point_message();
    sim_point();
}

#endif
