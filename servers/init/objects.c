/* SPDX-License-Identifier: ISC
 *
 * Making objects out of untyped memory, and mapping them.
 */
#include "libos/syscall.h"
#include "servers/init/init.h"

uint32_t slot_new(struct init *init)
{
    if (init->next_slot >= init->boot->slots)
        init_fail("init's %u capability slots are used up", init->boot->slots);
    return init->next_slot++;
}

void init_check(enum error error, const char *what, const char *name)
{
    if (error)
        init_fail("%s of %s: %s", what, name, error_text(error));
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

uint32_t object_copy(struct init *init, uint32_t slot, uint8_t rights, const char *what,
                     const char *name)
{
    uint32_t copy = slot_new(init);
    init_check(sys_invoke(INIT_CAPTABLE, OPERATION_captable_copy, slot, copy, rights, 0, 0, NULL),
               what, name);
    return copy;
}

bool object_try(struct init *init, enum object type, uint64_t pages, uint32_t slot)
{
    for (uint32_t i = 0; i < init->boot->untyped_count; i++) {
        if (init->boot->untyped[i].kind != UNTYPED_MEMORY)
            continue;
        if (retype(INIT_UNTYPED + i, type, pages, slot, 0) == OK)
            return true;
    }
    return false;
}

uint32_t object_make(struct init *init, enum object type, uint64_t pages)
{
    uint32_t slot = slot_new(init);
    if (object_try(init, type, pages, slot))
        return slot;
    init_fail("too little memory: the machine has %lu KiB, and %lu KiB in one piece more are "
              "wanted (QEMU: -m)",
              (unsigned long)(init->boot->memory_bytes / 1024), (unsigned long)(pages * 4));
}

static bool device_pages(struct init *init, uint64_t address, uint64_t pages, uint32_t slot)
{
    for (uint32_t i = 0; i < init->boot->untyped_count; i++) {
        if (init->boot->untyped[i].kind != UNTYPED_DEVICE)
            continue;
        if (retype(INIT_UNTYPED + i, OBJECT_page, pages, slot, address) == OK)
            return true;
    }
    return false;
}

uint32_t object_make_device(struct init *init, uint64_t address, uint64_t pages)
{
    uint32_t slot = slot_new(init);
    return device_pages(init, address, pages, slot) ? slot : 0;
}

bool device_page_open(struct init *init, uint64_t address, uint64_t window, uint8_t rights)
{
    if (!device_pages(init, address, 1, init->spare_slot))
        return false;
    object_map(init, init->spare_slot, INIT_SPACE, window, rights);
    return true;
}

void device_page_close(struct init *init)
{
    while (sys_invoke(INIT_CAPTABLE, OPERATION_captable_delete, init->spare_slot, 0, 0, 0, 0,
                      NULL) == ERROR_MORE)
        ;
}

uint32_t object_from_image(struct init *init, uint64_t offset, uint64_t pages)
{
    uint32_t slot = slot_new(init);
    enum error error =
        retype(INIT_IMAGE, OBJECT_page, pages, slot, init->boot->image_address + offset);
    if (error)
        init_fail("bad image: contents at offset 0x%lx: %s", (unsigned long)offset,
                  error_text(error));
    return slot;
}

void image_open(struct init *init, uint64_t offset, uint64_t pages, uint64_t window)
{
    init_check(retype(INIT_IMAGE, OBJECT_page, pages, init->spare_slot,
                      init->boot->image_address + offset),
               "contents", "the image");
    object_map(init, init->spare_slot, INIT_SPACE, window, RIGHT_READ);
}

void image_close(struct init *init)
{
    device_page_close(init);
}

void tables_add(struct init *init, uint32_t space, uint64_t address)
{
    /* The last one finds nothing missing, and serves the next address. */
    for (;;) {
        if (!init->spare_table)
            init->spare_table = object_make(init, OBJECT_table, 1);
        if (sys_invoke(init->spare_table, OPERATION_table_map, space, address, 0, 0, 0, NULL) != OK)
            return;
        init->spare_table = 0;
    }
}

/* One page table more in `space`, somewhere under the run at `address`. */
static void table_add(struct init *init, uint32_t space, uint64_t address, uint64_t pages)
{
    uint32_t table = object_make(init, OBJECT_table, 1);
    for (uint64_t i = 0; i < pages; i++)
        if (sys_invoke(table, OPERATION_table_map, space, address + i * PAGE_BYTES, 0, 0, 0,
                       NULL) == OK)
            return;
}

void object_map(struct init *init, uint32_t slot, uint32_t space, uint64_t address, uint8_t rights)
{
    struct invoked info;
    enum error error;
    sys_invoke(slot, OPERATION_page_info, 0, 0, 0, 0, 0, &info);
    for (;;) {
        error = sys_invoke(slot, OPERATION_page_map, space, address, rights, 0, 0, NULL);
        if (error != ERROR_NO_TABLE)
            break;
        table_add(init, space, address, info.a[1]);
    }
    if (error)
        init_fail("mapping at 0x%lx: %s", (unsigned long)address, error_text(error));
}

void object_share(struct init *init, uint32_t slot, uint8_t rights, uint32_t space,
                  uint64_t address, uint32_t captable, uint32_t to)
{
    const uint8_t mappable = RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE;
    const uint32_t copy = init->spare_slot; /* empty again when the copy has moved on */
    enum error error =
        sys_invoke(INIT_CAPTABLE, OPERATION_captable_copy, slot, copy, rights, 0, 0, NULL);
    if (!error && address)
        object_map(init, copy, space, address, rights & mappable);
    if (!error)
        error = sys_invoke(captable, OPERATION_captable_move, copy, to, 0, 0, 0, NULL);
    if (error)
        init_fail("capability for slot %u: %s", to, error_text(error));
}
