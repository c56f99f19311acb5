/* SPDX-License-Identifier: ISC
 *
 * The errors of the operations on memory, spaces and capability tables.
 */
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

#include "motet/image.h"

#define RETYPE(type, pages, slot) INVOKE(E->memory, untyped_retype, type, pages, slot)

void test_untyped_retype_bad_argument(void)
{
    static const struct {
        uint64_t type, pages;
    } bad[] = {
        {OBJECT_none, 1},
        {OBJECT_irq, 1},
        {OBJECT_ioport, 1},
        {OBJECT_COUNT, 1},
        {1ull << 32 | OBJECT_page, 1},
        {UINT64_MAX, 1},
        {OBJECT_untyped, 0},
        {OBJECT_page, 0},
        {OBJECT_page, PAGE_RUN_MAX + 1},
        {OBJECT_page, 1ull << 32 | 1},
        {OBJECT_page, UINT64_MAX},
        {OBJECT_table, 2},
        {OBJECT_space, 1},
        {OBJECT_space, 3},
        {OBJECT_captable, 0},
        {OBJECT_captable, CAPTABLE_PAGES_MAX + 1},
        {OBJECT_thread, 0},
        {OBJECT_thread, 2},
        {OBJECT_port, 1ull << 63},
    };
    for (unsigned i = 0; i < COUNT(bad); i++)
        refused(BAD_ARGUMENT, RETYPE(bad[i].type, bad[i].pages, EMPTY));
    refused(BAD_ARGUMENT, RETYPE(OBJECT_port, 1, 0));
    refused(BAD_ARGUMENT, RETYPE(OBJECT_port, 1, E->slots));
    refused(BAD_ARGUMENT, RETYPE(OBJECT_port, 1, UINT64_MAX));
}

void test_untyped_retype_occupied(void)
{
    refused(OCCUPIED, RETYPE(OBJECT_port, 1, E->table));
    refused(OCCUPIED, RETYPE(OBJECT_port, 1, E->memory));
}

void test_untyped_retype_no_memory(void)
{
    static const uint64_t pages[] = {MEMORY_PAGES + 1, 1ull << 32, 1ull << 52, UINT64_MAX};
    for (unsigned i = 0; i < COUNT(pages); i++)
        refused(NO_MEMORY, RETYPE(OBJECT_untyped, pages[i], EMPTY));
    make(OBJECT_untyped, MEMORY_PAGES);
    refused(NO_MEMORY, RETYPE(OBJECT_port, 1, EMPTY));
}

void test_untyped_retype_limit(void)
{
    uint32_t inner = E->memory;
    for (;;) {
        uint32_t next = slot_new();
        enum error error = INVOKE(inner, untyped_retype, OBJECT_untyped, 1, next);
        if (error == ERROR_LIMIT)
            break;
        must(error);
        inner = next;
    }
    refused(LIMIT, INVOKE(inner, untyped_retype, OBJECT_page, 1, EMPTY));
    delete_all(E->memory); /* the whole chain, a step at a time */
}

void test_untyped_retype_bad_state(void)
{
    uint32_t part = make(OBJECT_untyped, 8);
    make_from(part, OBJECT_page, 1);
    make_from(part, OBJECT_page, 1);
    refused(MORE, INVOKE(E->table, captable_revoke, part));
    refused(BAD_STATE, INVOKE(part, untyped_retype, OBJECT_page, 1, EMPTY));
    revoke_all(part);
    make_from(part, OBJECT_page, 8);
}

void test_untyped_retype_more(void)
{
    refused(MORE, RETYPE(OBJECT_page, 9, EMPTY));
    must(RETYPE(OBJECT_page, 9, EMPTY));
}

/* Memory of which another object's clearing was begun is cleared for each. */
void test_untyped_retype_another_between(void)
{
    refused(MORE, RETYPE(OBJECT_page, 100, EMPTY));
    uint32_t table = make(OBJECT_captable, 1);
    refused(EMPTY_SLOT, INVOKE(table, captable_copy, EMPTY, 1, RIGHT_ALL));
    uint32_t page = make(OBJECT_page, 100);
    map_at(page, E->space, PLACE, RIGHT_READ);
    for (uint64_t i = 0; i < 100 * PAGE_BYTES / 8; i++)
        check(((const uint64_t *)PLACE)[i] == 0);
}

/* What one wrote isn't there for the next. */
void test_memory_is_cleared_before_reuse(void)
{
    uint32_t part = make(OBJECT_untyped, 4), page = make_from(part, OBJECT_page, 4);
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    for (uint64_t i = 0; i < 4 * PAGE_BYTES / 8; i++)
        ((uint64_t *)PLACE)[i] = i | 1ull << 63;
    delete_all(page);
    page = make_from(part, OBJECT_page, 4);
    must(INVOKE(page, page_map, E->space, PLACE, RIGHT_READ));
    for (uint64_t i = 0; i < 4 * PAGE_BYTES / 8; i++)
        check(((const volatile uint64_t *)PLACE)[i] == 0);
}

static const struct boot_page *boot(void)
{
    return (const struct boot_page *)INIT_BOOT_ADDRESS;
}

/* Root: image and device memory can't be given away while the supervisor has pages of it. */
void test_untyped_retype_of_image_and_device(void)
{
    uint32_t slot = slot_new(), at = slot_new();
    must(INVOKE(E->table, captable_copy, INIT_BOOT_PAGE, at, RIGHT_ALL));
    map_at(at, E->space, INIT_BOOT_ADDRESS, RIGHT_READ);
    uint64_t image = boot()->image_address, pages = boot()->image_pages;
    refused(BAD_ARGUMENT, INVOKE(INIT_IMAGE, untyped_retype, OBJECT_page, 1, slot, image - 4096));
    refused(BAD_ARGUMENT, INVOKE(INIT_IMAGE, untyped_retype, OBJECT_page, 1, slot, image + 1));
    refused(BAD_ARGUMENT, INVOKE(INIT_IMAGE, untyped_retype, OBJECT_port, 1, slot, image));
    refused(BAD_ARGUMENT, INVOKE(INIT_IMAGE, untyped_retype, OBJECT_untyped, 1, slot, image));
    refused(NO_MEMORY,
            INVOKE(INIT_IMAGE, untyped_retype, OBJECT_page, 1, slot, image + pages * PAGE_BYTES));
    refused(NO_MEMORY, INVOKE(INIT_IMAGE, untyped_retype, OBJECT_page, 1, slot, UINT64_MAX - 4095));
    must(INVOKE(INIT_IMAGE, untyped_retype, OBJECT_page, 1, slot, image));
    refused(NO_RIGHT, INVOKE(slot, page_map, E->space, PLACE, RIGHT_READ | RIGHT_WRITE));
    unsigned device = 0;
    while (device < boot()->untyped_count && boot()->untyped[device].kind != UNTYPED_DEVICE)
        device++;
    check(device < boot()->untyped_count);
    uint64_t first = boot()->untyped[device].address;
    uint32_t from = INIT_UNTYPED + device, page = slot_new();
    refused(BAD_ARGUMENT, INVOKE(from, untyped_retype, OBJECT_page, 1, page, first + 8));
    refused(BAD_ARGUMENT, INVOKE(from, untyped_retype, OBJECT_thread, 1, page, first));
    refused(NO_MEMORY, INVOKE(from, untyped_retype, OBJECT_page, 1, page,
                              first + boot()->untyped[device].pages * PAGE_BYTES));
}

void test_untyped_info(void)
{
    uint32_t part = make(OBJECT_untyped, 9);
    make_from(part, OBJECT_port, 1);
    must(INVOKE(part, untyped_info, 0));
    check(E->result[1] == 9 && E->result[2] == 1);
}

#define MAP(page, space, at, rights) INVOKE(page, page_map, space, at, rights)

void test_page_map_bad_argument(void)
{
    static const uint64_t at[] = {0,
                                  1,
                                  PLACE + 8,
                                  PLACE + 4095,
                                  USER_ADDRESS_END - PAGE_BYTES, /* the second page is outside */
                                  USER_ADDRESS_END,
                                  NOT_CANONICAL - PAGE_BYTES,
                                  NOT_CANONICAL,
                                  KERNEL_HALF - PAGE_BYTES,
                                  KERNEL_HALF,
                                  0xffffffff80000000,
                                  UINT64_MAX - 4095,
                                  UINT64_MAX};
    static const uint64_t rights[] = {0,
                                      RIGHT_WRITE,
                                      RIGHT_EXECUTE,
                                      RIGHT_READ | RIGHT_DMA,
                                      RIGHT_READ | RIGHT_CONTROL,
                                      RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE,
                                      RIGHT_ALL,
                                      256 | RIGHT_READ,
                                      1ull << 32 | RIGHT_READ,
                                      UINT64_MAX};
    uint32_t page = make(OBJECT_page, 2);
    for (unsigned i = 0; i < COUNT(at); i++)
        refused(BAD_ARGUMENT, MAP(page, E->space, at[i], RIGHT_READ));
    for (unsigned i = 0; i < COUNT(rights); i++)
        refused(BAD_ARGUMENT, MAP(page, E->space, PLACE, rights[i]));
}

void test_page_map_no_right(void)
{
    uint32_t page = make(OBJECT_page, 1);
    refused(NO_RIGHT, MAP(copy_with(page, RIGHT_READ), E->space, PLACE, RIGHT_READ | RIGHT_WRITE));
    refused(NO_RIGHT,
            MAP(copy_with(page, RIGHT_READ | RIGHT_WRITE), E->space, PLACE, RIGHT_READ | 4));
    refused(NO_RIGHT, MAP(page, copy_with(E->space, RIGHT_ALL & ~RIGHT_CONTROL), PLACE, 1));
    refused(NO_RIGHT, MAP(E->info, E->space, PLACE, RIGHT_READ | RIGHT_WRITE));
}

void test_page_map_wrong_type(void)
{
    refused(WRONG_TYPE, MAP(make(OBJECT_page, 1), E->table, PLACE, RIGHT_READ));
}

void test_page_map_empty_slot(void)
{
    uint32_t page = make(OBJECT_page, 1);
    refused(EMPTY_SLOT, MAP(page, EMPTY, PLACE, RIGHT_READ));
    refused(EMPTY_SLOT, MAP(page, UINT64_MAX, PLACE, RIGHT_READ));
}

void test_page_map_mapped(void)
{
    uint32_t page = make(OBJECT_page, 1);
    map_at(page, E->space, PLACE, RIGHT_READ);
    refused(MAPPED, MAP(page, E->space, PLACE, RIGHT_READ));
    refused(MAPPED, MAP(page, make(OBJECT_space, SPACE_PAGES), PLACE, RIGHT_READ));
}

void test_page_map_occupied(void)
{
    uint32_t page = make(OBJECT_page, 3), other = make(OBJECT_page, 3);
    map_at(page, E->space, PLACE + 3 * PAGE_BYTES, RIGHT_READ);
    for (uint64_t i = 1; i < 6; i++)
        refused(OCCUPIED, MAP(other, E->space, PLACE + i * PAGE_BYTES, RIGHT_READ));
    must(MAP(other, E->space, PLACE + 6 * PAGE_BYTES, RIGHT_READ));
}

void test_page_map_bad_state(void)
{
    refused(BAD_STATE, MAP(make(OBJECT_page, 1), half_revoked(E->space), PLACE, RIGHT_READ));
}

void test_page_map_no_table(void)
{
    uint32_t page = make(OBJECT_page, 1);
    uint32_t space = make(OBJECT_space, SPACE_PAGES);
    for (uint64_t level = 3; level; level--) {
        refused(NO_TABLE, MAP(page, space, PLACE, RIGHT_READ));
        check(E->result[0] == level);
        uint32_t table = make(OBJECT_table, 1);
        must(INVOKE(table, table_map, space, PLACE));
        check(E->result[0] == level);
    }
    must(MAP(page, space, PLACE, RIGHT_READ));
}

/* The longest that one entry does: 512 entries in two tables of the running space. */
void test_page_map_512_pages_in_two_tables(void)
{
    uint32_t run = make(OBJECT_page, PAGE_RUN_MAX);
    uint64_t at = PLACE + 5 * PAGE_BYTES;
    tables_for(E->space, at);
    tables_for(E->space, at + RUN_BYTES);
    must(MAP(run, E->space, at, RIGHT_READ | RIGHT_WRITE));
    *(volatile uint64_t *)(at + RUN_BYTES - 8) = 1;
    must(INVOKE(run, page_unmap, 0));
    expect_fault(FAULT_PAGE, at + RUN_BYTES - 8);
    *(volatile uint64_t *)(at + RUN_BYTES - 8) = 1;
}

void test_page_unmap_not_mapped(void)
{
    uint32_t page = make(OBJECT_page, 1);
    refused(NOT_MAPPED, INVOKE(page, page_unmap, 0));
    map_at(page, E->space, PLACE, RIGHT_READ);
    must(INVOKE(page, page_unmap, 0));
    refused(NOT_MAPPED, INVOKE(page, page_unmap, 0));
}

void test_page_info(void)
{
    uint32_t page = make(OBJECT_page, 7);
    must(INVOKE(page, page_info, 0));
    check(E->result[0] % PAGE_BYTES == 0 && E->result[1] == 7 && E->result[2] == 0);
    map_at(page, E->space, PLACE, RIGHT_READ);
    must(INVOKE(page, page_info, 0));
    check(E->result[2] == PLACE);
}

void test_table_map_bad_argument(void)
{
    uint32_t table = make(OBJECT_table, 1);
    static const uint64_t at[] = {0,           1,           PLACE + 8,  USER_ADDRESS_END,
                                  KERNEL_HALF, KERNEL_TEXT, UINT64_MAX, NOT_CANONICAL};
    for (unsigned i = 0; i < COUNT(at); i++)
        refused(BAD_ARGUMENT, INVOKE(table, table_map, E->space, at[i]));
}

void test_table_map_wrong_type(void)
{
    refused(WRONG_TYPE, INVOKE(make(OBJECT_table, 1), table_map, E->table, PLACE));
}

void test_table_map_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(make(OBJECT_table, 1), table_map, EMPTY, PLACE));
}

void test_table_map_mapped(void)
{
    uint32_t table = make(OBJECT_table, 1);
    must(INVOKE(table, table_map, make(OBJECT_space, SPACE_PAGES), PLACE));
    refused(MAPPED, INVOKE(table, table_map, E->space, PLACE));
}

void test_table_map_occupied(void)
{
    tables_for(E->space, PLACE);
    refused(OCCUPIED, INVOKE(make(OBJECT_table, 1), table_map, E->space, PLACE));
}

void test_table_map_no_right(void)
{
    uint32_t space = copy_with(E->space, RIGHT_ALL & ~RIGHT_CONTROL);
    refused(NO_RIGHT, INVOKE(make(OBJECT_table, 1), table_map, space, PLACE));
}

void test_table_map_bad_state(void)
{
    refused(BAD_STATE, INVOKE(make(OBJECT_table, 1), table_map, half_revoked(E->space), PLACE));
}

void test_table_unmap_not_mapped(void)
{
    refused(NOT_MAPPED, INVOKE(make(OBJECT_table, 1), table_unmap, 0));
}

void test_table_unmap_bad_state(void)
{
    uint32_t space = make(OBJECT_space, SPACE_PAGES);
    uint32_t outer = make(OBJECT_table, 1), inner = make(OBJECT_table, 1);
    must(INVOKE(outer, table_map, space, PLACE));
    must(INVOKE(inner, table_map, space, PLACE));
    refused(BAD_STATE, INVOKE(outer, table_unmap, 0));
    must(INVOKE(inner, table_unmap, 0));
    must(INVOKE(outer, table_unmap, 0));
}

/* --- capability tables --- */

void test_captable_copy_bad_argument(void)
{
    for (unsigned v = 6; v < HOSTILE_VALUES; v++)
        refused(BAD_ARGUMENT, INVOKE(E->table, captable_copy, E->space, hostile[v], RIGHT_ALL));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_copy, E->space, 0, RIGHT_ALL));
}

void test_captable_copy_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(E->table, captable_copy, EMPTY, slot_new(), RIGHT_ALL));
    refused(EMPTY_SLOT, INVOKE(E->table, captable_copy, 0, slot_new(), RIGHT_ALL));
    refused(EMPTY_SLOT, INVOKE(E->table, captable_copy, UINT64_MAX, slot_new(), RIGHT_ALL));
}

void test_captable_copy_occupied(void)
{
    refused(OCCUPIED, INVOKE(E->table, captable_copy, E->space, E->space, RIGHT_ALL));
}

void test_captable_copy_limit(void)
{
    refused(LIMIT, INVOKE(E->table, captable_copy, deepest(E->space), EMPTY, RIGHT_ALL));
}

/* Not one deeper than documented: the supervisor's memory has depth 0, the arena 1, E->memory 2. */
void test_derivation_depth_is_exact(void)
{
    uint32_t page = make(OBJECT_page, 1);
    check(deepest(page) - page == DERIVATION_DEPTH_MAX - 3);
}

void test_captable_copy_wrong_type(void)
{
    refused(WRONG_TYPE, INVOKE(E->table, captable_copy, E->memory, EMPTY, RIGHT_ALL));
    refused(WRONG_TYPE, INVOKE(E->table, captable_copy, make(OBJECT_table, 1), EMPTY, RIGHT_ALL));
}

void test_captable_copy_bad_state(void)
{
    refused(BAD_STATE, INVOKE(dying_table(), captable_copy, E->space, 101, RIGHT_ALL));
    refused(BAD_STATE, INVOKE(E->table, captable_copy, half_revoked(E->space), EMPTY, RIGHT_ALL));
}

void test_rights_never_grow(void)
{
    uint32_t port = make(OBJECT_port, 1);
    for (uint64_t mask = 0; mask <= RIGHT_ALL; mask += 17) {
        uint32_t less = copy_with(port, mask | 1ull << 40); /* only eight bits count */
        uint32_t again = copy_with(less, RIGHT_ALL);
        must(INVOKE(E->table, captable_info, again));
        check((E->result[1] & ~mask) == 0);
        delete_all(less);
    }
}

void test_captable_mint_bad_argument(void)
{
    uint32_t port = make(OBJECT_port, 1);
    static const uint64_t shares[] = {PORT_QUEUE_SLOTS + 1, 255, 256, 1ull << 32 | 1, UINT64_MAX};
    for (unsigned i = 0; i < COUNT(shares); i++)
        refused(BAD_ARGUMENT,
                INVOKE(E->table, captable_mint, port, EMPTY, RIGHT_ALL, 1, shares[i]));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_mint, port, 0, RIGHT_ALL, 1, 0));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_mint, port, E->slots, RIGHT_ALL, 1, 0));
}

void test_captable_mint_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(E->table, captable_mint, EMPTY, slot_new(), RIGHT_ALL, 1, 0));
}

void test_captable_mint_wrong_type(void)
{
    refused(WRONG_TYPE, INVOKE(E->table, captable_mint, E->space, EMPTY, RIGHT_ALL, 1, 0));
}

void test_captable_mint_occupied(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(OCCUPIED, INVOKE(E->table, captable_mint, port, port, RIGHT_ALL, 1, 0));
}

void test_captable_mint_limit(void)
{
    uint32_t port = make(OBJECT_port, 1);
    for (int i = 0; i < PORT_SHARES; i++)
        mint(port, RIGHT_SEND, 1, 1);
    refused(LIMIT, INVOKE(E->table, captable_mint, port, EMPTY, RIGHT_ALL, 1, 1));
    uint32_t other = make(OBJECT_port, 1);
    refused(LIMIT, INVOKE(E->table, captable_mint, deepest(other), EMPTY, RIGHT_ALL, 1, 1));
    mint(other, RIGHT_SEND, 1, PORT_QUEUE_SLOTS); /* the failure kept no share */
    refused(LIMIT, INVOKE(E->table, captable_mint, other, EMPTY, RIGHT_ALL, 1, 1));
}

void test_captable_mint_no_right(void)
{
    uint32_t port = make(OBJECT_port, 1), badged = mint(port, RIGHT_ALL, 5, 0);
    refused(NO_RIGHT, INVOKE(E->table, captable_mint, badged, EMPTY, RIGHT_ALL, 6, 0));
    refused(NO_RIGHT,
            INVOKE(E->table, captable_mint, copy_with(port, RIGHT_SEND), EMPTY, RIGHT_ALL, 6, 0));
}

void test_captable_mint_bad_state(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(BAD_STATE, INVOKE(dying_table(), captable_mint, port, 101, RIGHT_ALL, 1, 0));
    refused(BAD_STATE, INVOKE(E->table, captable_mint, half_revoked(port), EMPTY, RIGHT_ALL, 1, 1));
    mint(port, RIGHT_SEND, 1, PORT_QUEUE_SLOTS);
}

void test_captable_move_bad_argument(void)
{
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_move, E->space, 0));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_move, E->space, E->slots));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_move, E->space, UINT64_MAX));
}

void test_captable_move_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(E->table, captable_move, EMPTY, slot_new()));
}

void test_captable_move_occupied(void)
{
    refused(OCCUPIED, INVOKE(E->table, captable_move, E->space, E->space));
}

void test_captable_move_bad_state(void)
{
    uint32_t table = make(OBJECT_captable, 1), page = make(OBJECT_page, 1);
    refused(BAD_STATE, INVOKE(table, captable_move, table, 1)); /* into itself */
    refused(BAD_STATE, INVOKE(E->table, captable_move, table, EMPTY));
    refused(BAD_STATE, INVOKE(dying_table(), captable_move, page, 101));
    refused(BAD_STATE, INVOKE(table, captable_move, E->memory, 1)); /* with what is made of it */
    refused(BAD_STATE, INVOKE(E->table, captable_move, half_revoked(E->space), EMPTY));
}

/* A mapped page is moved about: it stays mapped, and is the one to unmap. */
void test_captable_move_of_a_mapped_page(void)
{
    uint32_t page = make(OBJECT_page, 1), to = slot_new();
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    *(volatile uint64_t *)PLACE = 42;
    must(INVOKE(E->table, captable_move, page, to));
    check(*(volatile uint64_t *)PLACE == 42);
    refused(EMPTY_SLOT, INVOKE(page, page_unmap, 0));
    must(INVOKE(to, page_unmap, 0));
    expect_fault(FAULT_PAGE, PLACE);
    *(volatile uint64_t *)PLACE = 43;
}

void test_captable_delete_bad_argument(void)
{
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_delete, 0));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_delete, E->slots));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_delete, UINT64_MAX));
}

void test_captable_delete_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(E->table, captable_delete, EMPTY));
}

void test_captable_delete_more(void)
{
    uint32_t page = make(OBJECT_page, 1);
    copy_with(page, RIGHT_ALL);
    refused(MORE, INVOKE(E->table, captable_delete, page));
    must(INVOKE(E->table, captable_delete, page));
}

void test_captable_revoke_bad_argument(void)
{
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_revoke, 0));
    refused(BAD_ARGUMENT, INVOKE(E->table, captable_revoke, E->slots));
}

void test_captable_revoke_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(E->table, captable_revoke, EMPTY));
}

void test_captable_revoke_more(void)
{
    uint32_t page = make(OBJECT_page, 1), copy = copy_with(page, RIGHT_ALL);
    refused(MORE, INVOKE(E->table, captable_revoke, page));
    must(INVOKE(E->table, captable_revoke, page));
    refused(EMPTY_SLOT, INVOKE(copy, page_info, 0));
    must(INVOKE(page, page_info, 0));
}

void test_captable_info_bad_argument(void)
{
    for (unsigned v = 6; v < HOSTILE_VALUES; v++)
        refused(BAD_ARGUMENT, INVOKE(E->table, captable_info, hostile[v]));
}
