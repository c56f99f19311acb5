/* SPDX-License-Identifier: ISC
 *
 * tools/compose on swaps, without a manifest's text: rooms, rates at their exact bounds, programs
 * as files of their own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/elf_image.h"
#include "tools/composer/standalone.h"
#include "tools/composer/swaps.h"

/* init, one domain that can be swapped, the controller, the loader. */
enum { INIT, SERVER, CONTROLLER, LOADER, DOMAINS };

static struct manifest *make_manifest(void)
{
    struct manifest *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->at.file = m->staging_at.file = "made.conf";
    m->domain_count = DOMAINS;
    for (uint32_t d = INIT; d < DOMAINS; d++) {
        m->domains[d].at.file = "made.conf";
        m->domains[d].server_count = d != INIT;
        snprintf(m->domains[d].name, sizeof m->domains[d].name, "d%u", d);
    }
    m->domains[SERVER].swap = true;
    m->domains[SERVER].restart = 1;
    m->domains[LOADER].loader = true;
    m->controller = CONTROLLER;
    return m;
}

static void rooms_have_defaults_of_whole_pages(void **state)
{
    (void)state;
    struct manifest *m = make_manifest();
    unsigned before = report_count();
    m->domains[SERVER].constants_room = 5000;
    swaps_check(m);
    assert_int_equal(report_count(), before);
    assert_true(m->swaps);
    assert_int_equal(m->loader, LOADER);
    assert_int_equal(m->staging, STAGING_BYTES);
    assert_int_equal(m->domains[SERVER].text_room, TEXT_ROOM);
    assert_int_equal(m->domains[SERVER].constants_room, 8192);
    assert_int_equal(m->domains[SERVER].state_room, STATE_ROOM);
    assert_int_equal(m->domains[CONTROLLER].text_room, 0);
    assert_int_equal(swap_count(m), 1);
    free(m);
}

static void stack_is_the_manifests(void **state)
{
    (void)state;
    struct manifest *m = make_manifest();
    assert_int_equal(stack_room(&m->domains[SERVER]), STACK_ROOM);
    m->domains[SERVER].server_stack[0] = 20000;
    assert_int_equal(stack_room(&m->domains[SERVER]), 24576); /* and the libOS's */
    m->domains[SERVER].stack = 5000;
    assert_int_equal(stack_room(&m->domains[SERVER]), 8192);
    free(m);
}

static void no_swaps_want_nothing(void **state)
{
    (void)state;
    struct manifest *m = make_manifest();
    unsigned before = report_count();
    m->domains[SERVER].swap = m->domains[LOADER].loader = false;
    m->controller = 0;
    swaps_check(m);
    assert_int_equal(report_count(), before);
    assert_false(m->swaps);
    assert_int_equal(m->staging, 0);
    free(m);
}

static void what_is_missing_is_reported(void **state)
{
    (void)state;
    struct manifest *m = make_manifest();
    unsigned before = report_count();
    m->domains[SERVER].restart = 0;
    m->domains[LOADER].loader = false;
    m->controller = 0;
    swaps_check(m);
    assert_int_equal(report_count(), before + 3);
    free(m);
}

/* How many warnings: lines on standard error. */
static int warnings_of(const struct manifest *m)
{
    FILE *said = tmpfile();
    assert_non_null(said);
    fflush(stderr);
    int kept = dup(STDERR_FILENO), lines = 0;
    dup2(fileno(said), STDERR_FILENO);
    rates_check(m);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(said);
    for (int c; (c = getc(said)) != EOF;)
        lines += c == '\n';
    fclose(said);
    return lines;
}

/* 1.5 x 50 ms x rate. */
static void rates_are_compared_exactly(void **state)
{
    (void)state;
    static const struct {
        uint32_t rate, wanted;
    } cases[] = {{1, 1}, {13, 1}, {14, 2}, {800, 60}, {1000, 75}, {RATE_MAX, 750000}};
    struct manifest *m = make_manifest();
    m->pool_count = 1;
    m->pools[0].right_count = 1;
    m->pools[0].rights[0].domain = SERVER;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        m->pools[0].rate = cases[i].rate;
        m->pools[0].buffers = cases[i].wanted;
        assert_int_equal(warnings_of(m), 0);
        m->pools[0].buffers--;
        assert_int_equal(warnings_of(m), 1);
    }
    m->pools[0].rights[0].domain = CONTROLLER; /* which isn't swapped */
    assert_int_equal(warnings_of(m), 0);
    m->pools[0].rate = 0;
    m->connection_count = 1;
    m->connections[0].client.domain = CONTROLLER;
    m->connections[0].server.domain = SERVER;
    m->connections[0].slots = 64;
    m->connections[0].rate = 853;
    assert_int_equal(warnings_of(m), 0);
    m->connections[0].rate++;
    assert_int_equal(warnings_of(m), 1);
    m->connections[0].client.domain = SERVER; /* inside the domain */
    assert_int_equal(warnings_of(m), 0);
    free(m);
}

static void standalone_is_read_back(void **state)
{
    (void)state;
    struct image image = make_image();
    struct program program = {.name = "made"};
    char problem[ELF_PROBLEM_BYTES], path[] = "/tmp/standalone.XXXXXX";
    struct elf again;
    size_t size;
    assert_true(elf_open(&program.elf, (const uint8_t *)&image, sizeof image, problem));
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_true(standalone_write(&program, path));
    uint8_t *bytes = file_load(path, &size, (struct place){path, 0});
    unlink(path);
    assert_non_null(bytes);
    assert_int_equal(size, standalone_bytes(&program));
    assert_true(elf_open(&again, bytes, size, problem));
    assert_int_equal(again.header.e_entry, image.header.e_entry);
    assert_int_equal(again.header.e_shnum, 0);
    assert_int_equal(again.text.address, TEXT_ADDRESS);
    assert_int_equal(again.text.bytes, sizeof image.text);
    assert_int_equal(again.rodata.address, RODATA_ADDRESS);
    assert_memory_equal(bytes + again.text.offset, image.text, sizeof image.text);
    assert_memory_equal(bytes + again.rodata.offset, image.rodata, sizeof image.rodata);
    assert_true(again.rodata.offset >= again.text.offset + again.text.bytes);
    free(bytes);
}

static void standalone_needs_a_place(void **state)
{
    (void)state;
    struct image image = make_image();
    struct program program = {.name = "made"};
    char problem[ELF_PROBLEM_BYTES];
    unsigned before = report_count();
    assert_true(elf_open(&program.elf, (const uint8_t *)&image, sizeof image, problem));
    assert_false(standalone_write(&program, "/nonexistent/made.elf"));
    assert_int_equal(report_count(), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_have_defaults_of_whole_pages),
        cmocka_unit_test(stack_is_the_manifests),
        cmocka_unit_test(no_swaps_want_nothing),
        cmocka_unit_test(what_is_missing_is_reported),
        cmocka_unit_test(rates_are_compared_exactly),
        cmocka_unit_test(standalone_is_read_back),
        cmocka_unit_test(standalone_needs_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
