/* SPDX-License-Identifier: ISC
 *
 * servers/loader/loader.c: what the loader is begun for, and what it tells init.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/crc.h"
#include "motet/supervisor.h"
#include "tests/unit/fake_domain.h"
#include "tests/unit/program_image.h"

extern const struct server motet_server_loader;

struct rig {
    struct domain *domain;
    struct swap_program table[2];
    struct program_image image;
};

static int rig_set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    program_image_make(&rig->image);
    program_image_wanted(&rig->table[1]);
    rig->table[0].number = 1;
    rig->domain = fake_domain_create(&motet_server_loader);
    fake_domain_add_file(rig->domain, "swaps", rig->table, sizeof(rig->table));
    *state = rig;
    return 0;
}

static int rig_tear_down(void **state)
{
    struct rig *rig = *state;
    fake_domain_destroy(rig->domain);
    free(rig);
    return 0;
}

static enum error begin(struct rig *rig, uint32_t number, uint32_t check)
{
    const struct supervisor_staged staged = {(const uint8_t *)&rig->image, sizeof(rig->image),
                                             check, number};
    fake_domain_set_staged(rig->domain, &staged);
    return fake_domain_start(rig->domain);
}

static struct swap_verdict verdict(struct rig *rig)
{
    struct swap_verdict said;
    struct msg m;
    assert_true(fake_domain_asked(rig->domain, &m));
    assert_int_equal(m.op, SUPERVISOR_VERDICT);
    msg_get(&m, &said, sizeof(said));
    return said;
}

static void when_the_image_boots_it_says_nothing(void **state)
{
    struct rig *rig = *state;
    struct msg m;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_false(fake_domain_asked(rig->domain, &m));
}

static void it_says_what_it_found(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(begin(rig, 3, crc_add(0, &rig->image, sizeof(rig->image))), OK);
    const struct swap_verdict said = verdict(rig);
    assert_int_equal(said.refusal, SWAP_FINE);
    assert_int_equal(said.entry, rig->image.header.e_entry);
    assert_int_equal(said.constants_bytes, sizeof(rig->image.constants));
}

static void it_says_what_is_wrong(void **state)
{
    struct rig *rig = *state;
    rig->image.constants.note.magic++;
    assert_int_equal(begin(rig, 3, crc_add(0, &rig->image, sizeof(rig->image))), OK);
    assert_int_equal(verdict(rig).refusal, SWAP_NO_PROGRAM);
    assert_int_equal(begin(rig, 3, 77), OK);
    assert_int_equal(verdict(rig).refusal, SWAP_WRONG_CHECKSUM);
}

/* It fails, and init takes that for no verdict. */
static void for_whom_there_is_no_table(void **state)
{
    struct rig *rig = *state;
    struct msg m;
    assert_int_equal(begin(rig, 2, 0), ERROR_NOT_FOUND);
    assert_false(fake_domain_asked(rig->domain, &m));
    assert_true(fake_domain_logged(rig->domain, "domain 2 isn't in the table"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(when_the_image_boots_it_says_nothing),
        TEST(it_says_what_it_found),
        TEST(it_says_what_is_wrong),
        TEST(for_whom_there_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
