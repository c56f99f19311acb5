/* SPDX-License-Identifier: ISC
 *
 * The machines that a search starts from, and what may happen in each: its configurations.
 *
 *   main  runs in the root table; A and B, where there are threads, share a table and a space
 *   root  1 itself, 2 main's space, 3 main, 4 main's port, 5 A's port, then what the configuration
 *         has, from above the memory and the machine's other roots
 *   A's   1 itself, 2 its space, 3 thread A, 4 main's port minted (badge 1, a share of 1), 5 its
 *         port, perhaps 6 B's port
 */
#ifndef EXPLORE_SCENE_H
#define EXPLORE_SCENE_H

#include <setjmp.h>
#include <stdint.h>

#include "kernel/captable.h"
#include "kernel/thread.h"
#include "tests/explore/action.h"

enum {
    PRIORITY = 10,
    TICK = 10, /* time goes by in such steps; a slice has two */
    PIN = 3,
    SOURCE = 0x18, /* of a device */
    IOPORT_FIRST = 0x60,
    IOPORT_COUNT = 4,
    SLOT_TABLE = 1,
    SLOT_SPACE,
    SLOT_THREAD,
    SLOT_PORT,
    SLOT_PORT_A,
};
#define AT             0x400000ull
#define IMAGE_ADDRESS  0x101000ull
#define DEVICE_ADDRESS 0xf0000000ull

struct configuration {
    const char *name, *summary;
    uint32_t parts;      /* bits: enum part of scene.c */
    uint32_t free_pages; /* that main's memory has left */
    struct action_set actions;
};

extern const struct configuration configurations[];
extern const int configuration_count;
const struct configuration *configuration_find(const char *name);

/* The machine at the start. Panics go to `panic`. */
void scene_create(const struct configuration *configuration, jmp_buf *panic);

struct captable *scene_root(void);
const struct cap *scene_first_cap(void);

/* For people: "main", "A", "B", or where another thread is. */
const char *scene_thread_name(const struct thread *thread);

#endif
