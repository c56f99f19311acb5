/* SPDX-License-Identifier: ISC
 *
 * servers/loader/check.c: what is taken, and that whatever is wrong is refused for what it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/crc.h"
#include "servers/loader/check.h"
#include "tests/unit/program_image.h"

struct rig {
    struct program_image image;
    struct swap_program wanted;
    struct swap_verdict verdict;
};

static void rig_make(struct rig *rig)
{
    program_image_make(&rig->image);
    program_image_wanted(&rig->wanted);
}

/* In memory of exactly that size, so that the sanitizer sees each byte beyond. */
static uint32_t check_bytes(const struct swap_program *wanted, const void *bytes, uint32_t size,
                            struct swap_verdict *verdict)
{
    uint8_t *file = malloc(size + !size);
    memcpy(file, bytes, size);
    loader_check(wanted, file, size, crc_add(0, file, size), verdict);
    free(file);
    if (verdict->refusal == SWAP_FINE) {
        assert_true((uint64_t)verdict->text_offset + verdict->text_bytes <= size);
        assert_true((uint64_t)verdict->constants_offset + verdict->constants_bytes <= size);
        assert_true(verdict->text_bytes <= wanted->text_room);
        assert_true(verdict->constants_bytes <= wanted->constants_room);
        assert_true(verdict->entry - wanted->text_address < verdict->text_bytes);
    } else {
        assert_in_range(verdict->refusal, SWAP_NOT_ELF, SWAP_WRONG_CHECKSUM);
        assert_int_equal(verdict->text_bytes + verdict->constants_bytes, 0);
    }
    assert_int_equal(verdict->version[PROGRAM_NAME_BYTES - 1], 0);
    return verdict->refusal;
}

static uint32_t check(struct rig *rig)
{
    return check_bytes(&rig->wanted, &rig->image, sizeof(rig->image), &rig->verdict);
}

static void what_fits_is_taken(void **state)
{
    struct rig rig;
    (void)state;
    rig_make(&rig);
    assert_int_equal(check(&rig), SWAP_FINE);
    assert_int_equal(rig.verdict.text_offset, offsetof(struct program_image, text));
    assert_int_equal(rig.verdict.constants_offset, offsetof(struct program_image, constants));
    assert_int_equal(rig.verdict.constants_bytes, sizeof(rig.image.constants));
    assert_int_equal(rig.verdict.entry, PROGRAM_TEXT + 16);
    assert_string_equal(rig.verdict.version, "1.2");
    rig.image.constants.server[0].version = 0;
    assert_int_equal(check(&rig), SWAP_FINE);
    assert_string_equal(rig.verdict.version, "");
}

/* One thing is wrong: what, and what is said of it. */
#define WRONG(name, change, code, number)                                                          \
    static void name(struct rig *rig, uint32_t *refusal, uint32_t *detail)                         \
    {                                                                                              \
        change;                                                                                    \
        *refusal = code;                                                                           \
        *detail = number;                                                                          \
    }

#define IMAGE        rig->image
#define SERVER_AT(n) rig->image.constants.server[n]
WRONG(magic, IMAGE.header.e_ident[1]++, SWAP_NOT_ELF, 0)
WRONG(class32, IMAGE.header.e_ident[EI_CLASS] = ELFCLASS32, SWAP_NOT_ELF, 0)
WRONG(machine, IMAGE.header.e_machine = EM_AARCH64, SWAP_NOT_ELF, 0)
WRONG(shared, IMAGE.header.e_type = ET_DYN, SWAP_NO_PROGRAM, 0)
WRONG(many_headers, IMAGE.header.e_phnum = 0xffff, SWAP_NOT_ELF, 0)
WRONG(headers_outside, IMAGE.header.e_phoff = ~0ull - 8, SWAP_NOT_ELF, 0)
WRONG(segment_outside, IMAGE.segment[0].p_offset = sizeof(IMAGE) - 8, SWAP_NOT_ELF, 0)
WRONG(segment_wraps, IMAGE.segment[1].p_offset = ~0ull - 8, SWAP_NOT_ELF, 0)
WRONG(memory_beyond_file, IMAGE.segment[0].p_memsz++, SWAP_NOT_ELF, 0)
WRONG(two_texts, IMAGE.segment[1].p_flags |= PF_X, SWAP_NOT_ELF, 0)
WRONG(no_constants, IMAGE.header.e_phnum = 1, SWAP_NO_PROGRAM, 0)
WRONG(dynamic, IMAGE.segment[1].p_type = PT_DYNAMIC, SWAP_NO_PROGRAM, 0)
WRONG(writable, IMAGE.segment[1].p_flags |= PF_W, SWAP_WRITABLE, 0)
WRONG(text_room, rig->wanted.text_room = 64, SWAP_TOO_LARGE, SWAP_PART_TEXT)
WRONG(constants_room, rig->wanted.constants_room = 64, SWAP_TOO_LARGE, SWAP_PART_CONSTANTS)
WRONG(text_place, IMAGE.segment[0].p_vaddr += 4096, SWAP_WRONG_PLACE, SWAP_PART_TEXT)
WRONG(constants_place, IMAGE.segment[1].p_vaddr -= 16, SWAP_WRONG_PLACE, SWAP_PART_CONSTANTS)
WRONG(entry_before, IMAGE.header.e_entry = PROGRAM_TEXT - 1, SWAP_NO_PROGRAM, 0)
WRONG(entry_behind, IMAGE.header.e_entry = PROGRAM_TEXT + sizeof(IMAGE.text), SWAP_NO_PROGRAM, 0)
WRONG(note_magic, IMAGE.constants.note.magic++, SWAP_NO_PROGRAM, 0)
WRONG(note_cut_off,
      IMAGE.segment[1].p_filesz = IMAGE.segment[1].p_memsz = sizeof(struct program_note) - 1,
      SWAP_NO_PROGRAM, 0)
WRONG(abi_start, IMAGE.constants.note.start_version++, SWAP_WRONG_ABI, SWAP_ABI_START)
WRONG(abi_state, IMAGE.constants.note.state_format++, SWAP_WRONG_ABI, SWAP_ABI_STATE)
WRONG(abi_kernel, IMAGE.constants.note.abi++, SWAP_WRONG_ABI, SWAP_ABI_KERNEL)
WRONG(abi_server, IMAGE.constants.note.server_abi++, SWAP_WRONG_ABI, SWAP_ABI_SERVER)
WRONG(fewer_servers, IMAGE.constants.note.servers_end -= 8, SWAP_WRONG_DOMAIN, 0)
WRONG(more_servers, IMAGE.constants.note.servers -= 8, SWAP_WRONG_DOMAIN, 0)
WRONG(half_a_server, IMAGE.constants.note.servers_end += 4, SWAP_WRONG_DOMAIN, 0)
WRONG(table_outside,
      (IMAGE.constants.note.servers = ~0ull - 15, IMAGE.constants.note.servers_end = 0),
      SWAP_NO_PROGRAM, 1)
WRONG(descriptor_outside, IMAGE.constants.servers[1] = PROGRAM_CONSTANTS + 4096, SWAP_NO_PROGRAM, 2)
WRONG(descriptor_in_text, IMAGE.constants.servers[0] = PROGRAM_TEXT, SWAP_NO_PROGRAM, 1)
WRONG(server_magic, SERVER_AT(1).magic++, SWAP_NO_PROGRAM, 2)
WRONG(server_abi, SERVER_AT(0).abi++, SWAP_NO_PROGRAM, 1)
WRONG(name_nowhere, SERVER_AT(0).name = 8, SWAP_NO_PROGRAM, 1)
WRONG(name_endless, memset(IMAGE.constants.names[1], 'x', 16), SWAP_NO_PROGRAM, 2)
WRONG(other_name, IMAGE.constants.names[1][0]++, SWAP_WRONG_DOMAIN, 2)
WRONG(swapped_names, (SERVER_AT(0).name += 16, SERVER_AT(1).name -= 16), SWAP_WRONG_DOMAIN, 1)
WRONG(longer_name, strcpy(IMAGE.constants.names[0], "first1"), SWAP_WRONG_DOMAIN, 1)
WRONG(version_nowhere, SERVER_AT(0).version = PROGRAM_TEXT, SWAP_NO_PROGRAM, 1)
WRONG(no_start, SERVER_AT(1).start = 0, SWAP_NO_PROGRAM, 2)
WRONG(start_in_constants, SERVER_AT(1).start = PROGRAM_CONSTANTS, SWAP_NO_PROGRAM, 2)
WRONG(signal_nowhere, SERVER_AT(0).signal = ~0ull, SWAP_NO_PROGRAM, 1)
WRONG(reclaim_nowhere, SERVER_AT(0).reclaim = PROGRAM_TEXT + 128, SWAP_NO_PROGRAM, 1)
WRONG(no_receive, SERVER_AT(0).receive = 0, SWAP_NO_PROGRAM, 1)
WRONG(ports_outside, SERVER_AT(0).port_count = 1000, SWAP_NO_PROGRAM, 1)
WRONG(ports_wrap, SERVER_AT(0).port_count = ~0ull / 8, SWAP_NO_PROGRAM, 1)
WRONG(settings_nowhere, SERVER_AT(1).setting_count = 1, SWAP_NO_PROGRAM, 2)
WRONG(counters_outside, SERVER_AT(1).counter_count = 1 << 20, SWAP_NO_PROGRAM, 2)
WRONG(port_missing, SERVER_AT(0).port_count = 1, SWAP_WRONG_PORTS, 256 + 1)
WRONG(port_elsewhere, SERVER_AT(0).ports += sizeof(struct program_port_image);
      SERVER_AT(0).port_count = 1, SWAP_WRONG_PORTS, 256 + 1)
WRONG(port_name, IMAGE.constants.names[4][2]++, SWAP_WRONG_PORTS, 256 + 1)
WRONG(port_protocol, IMAGE.constants.names[5][0]++, SWAP_WRONG_PORTS, 256 + 1)
WRONG(port_version, IMAGE.constants.port[1].version++, SWAP_WRONG_PORTS, 256 + 1)
WRONG(port_role, IMAGE.constants.port[1].role = 0, SWAP_WRONG_PORTS, 256 + 1)
WRONG(state_large, SERVER_AT(1).state_size = 4096, SWAP_TOO_LARGE, SWAP_PART_STATE)
WRONG(state_overflows, SERVER_AT(1).state_size = ~0ull, SWAP_TOO_LARGE, SWAP_PART_STATE)
WRONG(stack_large, SERVER_AT(1).stack_bytes = 3073, SWAP_TOO_LARGE, SWAP_PART_STACK)
WRONG(stack_overflows, SERVER_AT(1).stack_bytes = ~0ull - 512, SWAP_TOO_LARGE, SWAP_PART_STACK)

typedef void wrong(struct rig *rig, uint32_t *refusal, uint32_t *detail);

static void whatever_is_wrong_is_refused_for_it(void **state)
{
    static wrong *const cases[] = {magic,
                                   class32,
                                   machine,
                                   shared,
                                   many_headers,
                                   headers_outside,
                                   segment_outside,
                                   segment_wraps,
                                   memory_beyond_file,
                                   two_texts,
                                   no_constants,
                                   dynamic,
                                   writable,
                                   text_room,
                                   constants_room,
                                   text_place,
                                   constants_place,
                                   entry_before,
                                   entry_behind,
                                   note_magic,
                                   note_cut_off,
                                   abi_start,
                                   abi_state,
                                   abi_kernel,
                                   abi_server,
                                   fewer_servers,
                                   more_servers,
                                   half_a_server,
                                   table_outside,
                                   descriptor_outside,
                                   descriptor_in_text,
                                   server_magic,
                                   server_abi,
                                   name_nowhere,
                                   name_endless,
                                   other_name,
                                   swapped_names,
                                   longer_name,
                                   version_nowhere,
                                   no_start,
                                   start_in_constants,
                                   signal_nowhere,
                                   reclaim_nowhere,
                                   no_receive,
                                   ports_outside,
                                   ports_wrap,
                                   settings_nowhere,
                                   counters_outside,
                                   port_missing,
                                   port_elsewhere,
                                   port_name,
                                   port_protocol,
                                   port_version,
                                   port_role,
                                   state_large,
                                   state_overflows,
                                   stack_large,
                                   stack_overflows};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        uint32_t refusal, detail;
        rig_make(&rig);
        cases[i](&rig, &refusal, &detail);
        const uint32_t said = check(&rig);
        if (said != refusal || rig.verdict.detail != detail)
            print_error("case %zu: refusal %u, detail %u; wanted %u, %u\n", i, said,
                        rig.verdict.detail, refusal, detail);
        assert_int_equal(said, refusal);
        assert_int_equal(rig.verdict.detail, detail);
    }
}

static void what_isnt_what_was_sent(void **state)
{
    struct rig rig;
    (void)state;
    rig_make(&rig);
    const uint32_t right = crc_add(0, &rig.image, sizeof(rig.image));
    for (uint32_t at = 0; at < sizeof(rig.image); at++) {
        uint8_t *byte = (uint8_t *)&rig.image + at;
        *byte ^= 1u << at % 8;
        loader_check(&rig.wanted, (const uint8_t *)&rig.image, sizeof(rig.image), right,
                     &rig.verdict);
        assert_int_equal(rig.verdict.refusal, SWAP_WRONG_CHECKSUM);
        *byte ^= 1u << at % 8;
    }
}

static void cut_off_anywhere(void **state)
{
    struct rig rig;
    (void)state;
    rig_make(&rig);
    for (uint32_t size = 0; size < sizeof(rig.image); size++)
        assert_int_not_equal(check_bytes(&rig.wanted, &rig.image, size, &rig.verdict), SWAP_FINE);
}

/* Each bit flipped, and the check is right: refused, or in bounds (check_bytes looks). */
static void every_bit(void **state)
{
    struct rig rig;
    uint32_t refused = 0;
    (void)state;
    rig_make(&rig);
    for (uint32_t bit = 0; bit < sizeof(rig.image) * 8; bit++) {
        uint8_t *byte = (uint8_t *)&rig.image + bit / 8;
        *byte ^= 1u << bit % 8;
        refused += check(&rig) != SWAP_FINE;
        *byte ^= 1u << bit % 8;
    }
    assert_in_range(refused, 2000, sizeof(rig.image) * 8);
}

static void whole_words(void **state)
{
    static const uint64_t words[] = {
        0, 1, ~0ull, 1ull << 63, PROGRAM_TEXT, ~0ull - 4096, 4096, 255, PROGRAM_CONSTANTS + 600};
    struct rig rig;
    (void)state;
    rig_make(&rig);
    for (uint32_t at = 0; at + 8 <= sizeof(rig.image); at += 4)
        for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
            uint8_t *place = (uint8_t *)&rig.image + at;
            uint64_t kept;
            memcpy(&kept, place, 8);
            memcpy(place, &words[w], 8);
            check(&rig);
            memcpy(place, &kept, 8);
        }
    assert_int_equal(check(&rig), SWAP_FINE);
}

static void the_table_has_who_can_be_swapped(void **state)
{
    struct swap_program table[3] = {{.number = 2}, {.number = 5}, {.number = 7}};
    (void)state;
    assert_ptr_equal(loader_find(table, sizeof(table), 5), &table[1]);
    assert_ptr_equal(loader_find(table, sizeof(table), 7), &table[2]);
    assert_null(loader_find(table, sizeof(table) - 1, 7));
    assert_null(loader_find(table, sizeof(table), 3));
    assert_null(loader_find(table, 0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_taken),
        cmocka_unit_test(whatever_is_wrong_is_refused_for_it),
        cmocka_unit_test(what_isnt_what_was_sent),
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(whole_words),
        cmocka_unit_test(the_table_has_who_can_be_swapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
