/* SPDX-License-Identifier: ISC
 *
 * See arena.h.
 */
#include "kernel/arch/sim/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/arch.h"

#define ARENA_BYTES (SIM_PAGES_MAX * (uint64_t)PAGE_BYTES)

static enum { UNMAPPED, SHARED, COPIED } state;

void sim_host_failed(const char *what)
{
    perror(what);
    exit(2);
}

int sim_arena_file(void)
{
    static int file = -1;
    if (file >= 0)
        return file;
    file = memfd_create("motet", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)ARENA_BYTES))
        sim_host_failed("no memory for the simulated machine");
    return file;
}

void sim_arena_map(bool copy)
{
    if (state == SHARED && !copy)
        return;
    int fixed = state == UNMAPPED ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    void *at = mmap(sim_memory, ARENA_BYTES, PROT_READ | PROT_WRITE,
                    fixed | (copy ? MAP_PRIVATE : MAP_SHARED), sim_arena_file(), 0);
    if (at != sim_memory)
        sim_host_failed("no room for the simulated machine's memory at its address");
    state = copy ? COPIED : SHARED;
}
