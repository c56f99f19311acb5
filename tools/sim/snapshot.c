/* SPDX-License-Identifier: ISC
 *
 * See snapshot.h. Belongs to the host process.
 */
#include "tools/sim/snapshot.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/sim/arena.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"

/* The linker's names for the ends of the machine's variables (sim.mk). */
extern uint8_t __start_machine_data[], __stop_machine_data[];
extern uint8_t __start_machine_bss[], __stop_machine_bss[];
extern const char sim_build[];

enum { NAME_BYTES = 64 };

struct header {
    char magic[16];
    char build[NAME_BYTES]; /* of the program that made it */
    uint64_t pages, data_bytes, bss_bytes;
};

static size_t data_bytes(void)
{
    return (size_t)(__stop_machine_data - __start_machine_data);
}

static size_t bss_bytes(void)
{
    return (size_t)(__stop_machine_bss - __start_machine_bss);
}

static uint8_t *allocate(size_t bytes)
{
    uint8_t *memory = malloc(bytes);
    if (!memory)
        sim_host_failed("no memory for a snapshot");
    return memory;
}

/* As memcpy, unseen by AddressSanitizer: between variables lies what it forbids to touch. */
static void copy(void *to, const void *from, size_t bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static void variables_copy(uint8_t *to)
{
    copy(to, __start_machine_data, data_bytes());
    copy(to + data_bytes(), __start_machine_bss, bss_bytes());
}

static void variables_put(const uint8_t *from)
{
    copy(__start_machine_data, from, data_bytes());
    copy(__start_machine_bss, from + data_bytes(), bss_bytes());
}

static uint8_t *first, *variables, *kept;

void snapshot_first_keep(void)
{
    first = allocate(data_bytes() + bss_bytes());
    variables_copy(first);
}

void snapshot_first_return(void)
{
    variables_put(first);
}

void snapshot_variables_save(void)
{
    if (!variables)
        variables = allocate(data_bytes() + bss_bytes());
    variables_copy(variables);
}

void snapshot_variables_restore(void)
{
    variables_put(variables);
}

void snapshot_keep(void)
{
    size_t size = data_bytes() + bss_bytes();
    if (!kept)
        kept = allocate(size + SIM_PAGES_MAX * (size_t)PAGE_BYTES);
    variables_copy(kept);
    copy(kept + size, sim_memory, sim_pages * PAGE_BYTES);
}

void snapshot_return(void)
{
    variables_put(kept);
    copy(sim_memory, kept + data_bytes() + bss_bytes(), sim_pages * PAGE_BYTES);
    sim_mappings_forget();
}

static struct header header_now(void)
{
    struct header header = {.magic = "motet snapshot",
                            .pages = sim_pages,
                            .data_bytes = data_bytes(),
                            .bss_bytes = bss_bytes()};
    snprintf(header.build, sizeof(header.build), "%s", sim_build);
    return header;
}

bool snapshot_save(const char *path)
{
    struct header header = header_now();
    FILE *file = fopen(path, "wb");
    bool done = file && fwrite(&header, sizeof(header), 1, file) == 1 &&
                fwrite(__start_machine_data, 1, data_bytes(), file) == data_bytes() &&
                fwrite(__start_machine_bss, 1, bss_bytes(), file) == bss_bytes() &&
                fwrite(sim_memory, PAGE_BYTES, sim_pages, file) == sim_pages;
    if (file && fclose(file))
        done = false;
    if (!done)
        perror(path);
    return done;
}

/* NULL, or why the file is none of ours. */
static const char *header_wrong(const struct header *header)
{
    struct header now = header_now();
    if (memcmp(header->magic, now.magic, sizeof(now.magic)))
        return "no snapshot";
    if (memcmp(header->build, now.build, sizeof(now.build)))
        return "made by another build of this program: make it again, with the command that the "
               "failing run printed";
    if (header->data_bytes != now.data_bytes || header->bss_bytes != now.bss_bytes ||
        header->pages > SIM_PAGES_MAX)
        return "damaged";
    return NULL;
}

bool snapshot_load(const char *path)
{
    struct header header;
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    const char *wrong =
        fread(&header, sizeof(header), 1, file) == 1 ? header_wrong(&header) : "no snapshot";
    sim_arena_map(false);
    if (!wrong && (fread(__start_machine_data, 1, data_bytes(), file) != data_bytes() ||
                   fread(__start_machine_bss, 1, bss_bytes(), file) != bss_bytes() ||
                   fread(sim_memory, PAGE_BYTES, header.pages, file) != header.pages))
        wrong = "cut off";
    fclose(file);
    if (wrong)
        fprintf(stderr, "%s: %s\n", path, wrong);
    sim_mappings_forget();
    return !wrong;
}
