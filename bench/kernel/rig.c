/* SPDX-License-Identifier: ISC
 *
 * See rig.h.
 */
#include "bench/kernel/rig.h"

#include <stdarg.h>

#include "libos/format.h"
#include "libos/kernel.h"

enum {
    UART = 0x3f8,
    UART_STATUS = UART + 5,
    UART_EMPTY = 0x20,
    DEBUG_EXIT = 0xf4,
    RESET_CONTROL = 0xcf9,
};

/* --- the serial port, and the end --- */

static void text_write(const char *text)
{
    for (; *text; text++) {
        struct invoked status = {{0}};
        while (!(status.a[0] & UART_EMPTY))
            sys_invoke(INIT_IOPORTS, OPERATION_ioport_in, UART_STATUS, 1, 0, 0, 0, &status);
        sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, UART, 1, (uint8_t)*text, 0, 0, NULL);
    }
}

void print(const char *pattern, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, pattern);
    format(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    text_write(line);
    text_write("\r\n");
}

_Noreturn void end(void)
{
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, DEBUG_EXIT, 1, 0, 0, 0, NULL);
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, RESET_CONTROL, 1, 6, 0, 0, NULL);
    kernel_stop(STOP_INIT);
}

void must(enum error error, const char *what)
{
    if (!error)
        return;
    print("bench: %s: %s", what, error_name(error));
    end();
}

/* --- objects --- */

static const struct boot_page *boot(void)
{
    return (const struct boot_page *)INIT_BOOT_ADDRESS;
}

static enum error retype(uint32_t untyped, enum object type, uint64_t pages, uint32_t slot,
                         uint64_t address)
{
    enum error error;
    do
        error = sys_invoke(untyped, OPERATION_untyped_retype, type, pages, slot, address, 0, NULL);
    while (error == ERROR_MORE);
    return error;
}

uint32_t make(uint32_t slot, enum object type, uint64_t pages)
{
    enum error error = ERROR_NO_MEMORY;
    for (uint32_t i = 0; error && i < boot()->untyped_count; i++)
        if (boot()->untyped[i].kind == UNTYPED_MEMORY)
            error = retype(INIT_UNTYPED + i, type, pages, slot, 0);
    must(error, "retype");
    return slot;
}

/* Maps with tables as needed; returns the next free slot. */
uint32_t map(uint32_t next, uint32_t slot, uint32_t space, uint64_t address, uint8_t rights)
{
    enum error error;
    while ((error = sys_invoke(slot, OPERATION_page_map, space, address, rights, 0, 0, NULL)) ==
           ERROR_NO_TABLE) {
        make(next, OBJECT_table, 1);
        error = sys_invoke(next, OPERATION_table_map, space, address, 0, 0, 0, NULL);
        if (error == ERROR_OCCUPIED) /* it is the run's end that has none */
            error =
                sys_invoke(next, OPERATION_table_map, space, address + RUN_BYTES, 0, 0, 0, NULL);
        must(error, "table");
        next++;
    }
    must(error, "map");
    return next;
}

static uint32_t copy(uint32_t slot, uint32_t to)
{
    must(sys_invoke(INIT_CAPTABLE, OPERATION_captable_copy, slot, to, RIGHT_ALL, 0, 0, NULL),
         "copy");
    return to;
}

/* This program's text and constants in the second space too. */
static uint32_t program_map(uint32_t next, uint32_t space)
{
    const struct image_header *image = (const struct image_header *)INIT_IMAGE_ADDRESS;
    const struct image_region *region = (const void *)((const char *)image + image->regions.offset);
    const struct image_mapping *mapping =
        (const void *)((const char *)image + image->mappings.offset);
    for (uint32_t i = 0; i < image->regions.count; i++) {
        const struct image_mapping *m = &mapping[region[i].first_mapping];
        for (uint32_t n = 0; region[i].kind == IMAGE_CONTENT && n < region[i].mappings; n++) {
            if (m[n].domain != 0)
                continue;
            uint32_t slot = next++;
            must(retype(INIT_IMAGE, OBJECT_page, region[i].pages, slot,
                        boot()->image_address + region[i].offset),
                 "image");
            next = map(next, slot, space, m[n].address, m[n].rights);
        }
    }
    return next;
}

uint32_t thread_make(void (*entry)(void), uint32_t space, uint32_t priority)
{
    uint32_t slot = make(rig()->next_slot++, OBJECT_thread, 1);
    uint64_t stack = SHARED + (SHARED_PAGES - rig()->stacks++) * PAGE_BYTES - 8;
    must(sys_invoke(slot, OPERATION_thread_configure, space, INIT_CAPTABLE, priority, rig()->faults,
                    0, NULL),
         "configure");
    must(sys_invoke(slot, OPERATION_thread_set_registers, (uint64_t)entry, stack, 0, 0, 0, NULL),
         "set_registers");
    return slot;
}

void thread_start(uint32_t slot)
{
    must(sys_invoke(slot, OPERATION_thread_resume, 0, 0, 0, 0, 0, NULL), "resume");
}

void rig_make(void)
{
    uint32_t next = boot()->first_free_slot;
    uint32_t shared = make(next++, OBJECT_page, SHARED_PAGES);
    uint32_t space = make(next++, OBJECT_space, SPACE_PAGES);
    next = map(next, shared, INIT_SPACE, SHARED, RIGHT_READ | RIGHT_WRITE);
    uint32_t second = copy(shared, next++);
    next = map(next, second, space, SHARED, RIGHT_READ | RIGHT_WRITE);
    next = program_map(next, space);
    rig()->second_space = space;
    rig()->next_slot = next;
}

uint32_t port_make(void)
{
    uint32_t slot = rig()->next_slot++, badged = rig()->next_slot++;
    make(slot, OBJECT_port, 1);
    must(sys_invoke(INIT_CAPTABLE, OPERATION_captable_mint, slot, badged, RIGHT_ALL, 1, 0, NULL),
         "mint");
    return badged;
}

void samples_sort(uint32_t *values)
{
    for (int i = 1; i < SAMPLES; i++)
        for (int j = i; j > 0 && values[j - 1] > values[j]; j--) {
            uint32_t swapped = values[j];
            values[j] = values[j - 1];
            values[j - 1] = swapped;
        }
}
