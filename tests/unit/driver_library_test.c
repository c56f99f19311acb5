/* SPDX-License-Identifier: ISC
 *
 * libos/driver/: what isn't granted is an error that names it; DMA memory has an owner; nobody but
 * a running driver is called.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libos/driver/registers.h"
#include "libos/driver/ring.h"
#include "tests/unit/fake_bar.h"
#include "tests/unit/fake_domain.h"

#define TOY_REGISTERS(R)                                                                           \
    R(toy, byte, 0x00, 8, rw)                                                                      \
    R(toy, half, 0x02, 16, rw)                                                                     \
    R(toy, word, 0x04, 32, rw)                                                                     \
    R(toy, wide, 0x0c, 64, rw) /* at a multiple of its halves */                                   \
    R(toy, told, 0x14, 32, ro)                                                                     \
    R(toy, bell, 0x18, 32, wo)
REGISTERS(toy, TOY_REGISTERS, 0x20)

enum { POOL = 1, BAR = 2, BAR_BYTES = 0x100, BLOCK_AT = 0x40, WANTED = 600, SECOND = 1000000000 };

struct toy {
    struct driver driver;
    struct toy_registers registers;
    struct dma piece[2];
    uint32_t started, interrupts, works, lates, silenced;
    uint8_t seen; /* the pool's first byte, before it took a piece */
};

static enum error toy_start(struct driver *driver)
{
    struct toy *toy = (struct toy *)driver;
    toy->started++;
    toy->seen = driver->pool->base[0];
    enum error error = toy_open(&toy->registers, driver, BAR, BLOCK_AT);
    if (error == OK)
        error = driver_dma(driver, 100, 1, &toy->piece[0]);
    if (error == OK)
        error = driver_dma(driver, WANTED, 256, &toy->piece[1]);
    if (error != OK)
        return error;
    return toy_read_told(&toy->registers) ? OK : driver_refuse(driver, "it is silent");
}

static void toy_interrupt(struct driver *driver, uint32_t vector)
{
    ((struct toy *)driver)->interrupts += 1 + 10 * vector;
}

static void toy_work(struct driver *driver)
{
    ((struct toy *)driver)->works++;
}

static void toy_late(struct driver *driver)
{
    ((struct toy *)driver)->lates++;
}

static bool toy_silence(struct driver *driver)
{
    ((struct toy *)driver)->silenced++;
    return true;
}

static const struct driver_ops ops = {
    .what = "toy",
    .vendor = 0x1234,
    .id = 0x10,
    .id_last = 0x12,
    .vectors = 2,
    .pool = "dma",
    .start = toy_start,
    .interrupt = toy_interrupt,
    .work = toy_work,
    .late = toy_late,
    .silence = toy_silence,
};
static const char *const counters[] = {DRIVER_COUNTER_NAMES};
DRIVER(toy, struct toy, ops, counters, .port_count = 0);

struct rig {
    struct domain *domain;
    struct device *device;
    struct pool *pool;
    struct toy *toy;
    struct fake_bar bar;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(&motet_server_toy);
    rig->pool =
        fake_domain_add_pool(rig->domain, "dma", POOL, 2, 512, POOL_READ | POOL_WRITE | POOL_DMA);
    rig->device = fake_domain_add_device(rig->domain);
    *rig->device = (struct device){.vendor = 0x1234, .id = 0x11, .slot = 3, .vectors = 2};
    fake_bar_attach(&rig->bar, rig->device, BAR);
    rig->device->bar[BAR].size = BAR_BYTES;
    rig->bar.memory[BLOCK_AT + 0x14] = 1;
    rig->toy = fake_domain_state(rig->domain);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    fake_domain_destroy(rig->domain);
    free(rig);
    return 0;
}

static void start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_int_equal(rig->toy->driver.state, DRIVER_RUNNING);
}

static void denied(struct rig *rig, enum error error, const char *named)
{
    assert_int_equal(fake_domain_start(rig->domain), error);
    assert_true(fake_domain_logged(rig->domain, named));
    assert_int_not_equal(rig->toy->driver.state, DRIVER_RUNNING);
}

static void registers_have_their_widths(void **state)
{
    struct rig *rig = *state;
    const struct toy_registers *registers = &rig->toy->registers;
    start(rig);
    toy_write_byte(registers, 0x12);
    assert_int_equal(rig->bar.width, 1);
    toy_write_half(registers, 0x3456);
    assert_int_equal(rig->bar.width, 2);
    toy_write_word(registers, 0x789abcde);
    assert_int_equal(rig->bar.width, 4);
    uint32_t before = rig->bar.accesses;
    toy_write_wide(registers, 0x0123456789abcdef);
    assert_int_equal(rig->bar.accesses, before + 2);
    toy_write_bell(registers, 0x55);
    assert_int_equal(toy_read_byte(registers), 0x12);
    assert_int_equal(toy_read_half(registers), 0x3456);
    assert_int_equal(toy_read_word(registers), 0x789abcde);
    assert_int_equal(toy_read_wide(registers), 0x0123456789abcdef);
    static const uint8_t wanted[] = {0x12, 0,    0x56, 0x34, 0xde, 0xbc, 0x9a, 0x78, 0,
                                     0,    0,    0,    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45,
                                     0x23, 0x01, 1,    0,    0,    0,    0x55};
    assert_memory_equal(rig->bar.memory + BLOCK_AT, wanted, sizeof(wanted));
}

static void a_missing_bar_is_named(void **state)
{
    ((struct rig *)*state)->device->bar[BAR].base = NULL;
    denied(*state, ERROR_NOT_FOUND, "BAR 2: there is none, or ");
}

static void a_bar_that_is_too_small_is_named(void **state)
{
    ((struct rig *)*state)->device->bar[BAR].size = BLOCK_AT + 0x1f;
    denied(*state, ERROR_NOT_FOUND, "BAR 2: it has 95 bytes, the registers need 96");
}

static void a_bar_that_is_smaller_than_the_block_is_named(void **state)
{
    ((struct rig *)*state)->device->bar[BAR].size = 0x10;
    denied(*state, ERROR_NOT_FOUND, "BAR 2: it has 16 bytes, the registers need 96");
}

static void a_missing_pool_is_named(void **state)
{
    ((struct rig *)*state)->pool->rights = 0;
    denied(*state, ERROR_NOT_FOUND, "pool \"dma\": the manifest gives it none");
}

static void missing_rights_are_named(void **state)
{
    ((struct rig *)*state)->pool->rights = POOL_READ;
    denied(*state, ERROR_NO_RIGHT, "pool \"dma\": missing rights: write dma;");
}

/* The second piece begins at a multiple of its alignment, wherever the pool lies. */
static void a_pool_that_is_too_small_is_named(void **state)
{
    struct rig *rig = *state;
    rig->pool->buffers = 1;
    denied(rig, ERROR_NO_MEMORY, "pool \"dma\": it has 512 bytes, ");
}

static void a_missing_vector_is_named(void **state)
{
    ((struct rig *)*state)->device->vectors = 1;
    denied(*state, ERROR_NOT_FOUND,
           "interrupt vector 1: 1 granted; the claim (vectors = 2) and the device must have it");
}

/* By it a device may have one interrupt for everything. */
static void a_pin_is_enough(void **state)
{
    struct rig *rig = *state;
    rig->device->vectors = rig->device->pin = 1;
    start(rig);
    assert_true(fake_domain_logged(rig->domain, "(1234:0011), pin\n"));
}

static void one_vector_by_msi_is_enough(void **state)
{
    struct rig *rig = *state;
    rig->device->vectors = rig->device->msi = 1;
    start(rig);
    assert_true(fake_domain_logged(rig->domain, "(1234:0011), MSI\n"));
}

static void msi_without_a_vector_is_named(void **state)
{
    struct rig *rig = *state;
    rig->device->msi = 1;
    rig->device->vectors = 0;
    denied(rig, ERROR_NOT_FOUND, "interrupt vector 0: 0 granted; ");
}

static void another_device_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->device->id = 0x13;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(rig->domain, "device 0000:00:03.0 (1234:0013) not used: "));
    assert_int_equal(rig->toy->started, 0);
}

static void pieces_are_apart_aligned_and_zeroed(void **state)
{
    struct rig *rig = *state;
    memset(rig->pool->base, 0xff, 1024);
    start(rig);
    struct dma *first = &rig->toy->piece[0], *second = &rig->toy->piece[1];
    assert_int_equal(second->address % 256, 0);
    assert_true(first->address + first->bytes <= second->address);
    assert_true(second->address + second->bytes <= rig->pool->physical + 1024);
    assert_int_equal(second->address - rig->pool->physical, second->memory - rig->pool->base);
    uint8_t *bytes = dma_memory(second);
    for (uint32_t i = 0; i < WANTED; i++)
        assert_int_equal(bytes[i], 0);
}

/* The device of an earlier life isn't silent before `start` has seen to it. */
static void memory_is_as_it_was_until_a_piece_is_taken(void **state)
{
    struct rig *rig = *state;
    memset(rig->pool->base, 0xff, 1024);
    start(rig);
    assert_int_equal(rig->toy->seen, 0xff);
}

/* How a child ends that touches a piece: 0, or by the trap of an assertion. */
static bool traps(const struct dma *piece)
{
    pid_t child = fork();
    if (!child) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGILL, SIG_DFL);
        _exit(dma_memory(piece) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void what_the_device_has_is_not_touched(void **state)
{
    struct rig *rig = *state;
    start(rig);
    struct dma *piece = &rig->toy->piece[0];
    assert_false(dma_take(piece)); /* it hasn't got it */
    assert_false(traps(piece));
    assert_int_equal(dma_give(piece), piece->address);
    assert_true(traps(piece));
    assert_true(dma_take(piece));
    assert_false(dma_take(piece));
    assert_false(traps(piece));
}

static void only_a_running_driver_is_called(void **state)
{
    struct rig *rig = *state;
    struct toy *toy = rig->toy;
    start(rig);
    fake_domain_signal(rig->domain, 0, 3);
    assert_int_equal(toy->interrupts, 12);
    fake_domain_batch_end(rig->domain);
    assert_int_equal(toy->works, 1);
    driver_deadline(&toy->driver, SECOND);
    fake_domain_advance(rig->domain, 2ull * SECOND);
    assert_int_equal(toy->lates, 1);
    uint32_t works = toy->works;
    driver_deadline(&toy->driver, SECOND);
    driver_fail(&toy->driver, "it is a toy");
    driver_fail(&toy->driver, "twice");
    assert_int_equal(toy->silenced, 1);
    assert_true(fake_domain_logged(rig->domain, "device 0000:00:03.0 broken: it is a toy"));
    assert_false(fake_domain_logged(rig->domain, "twice"));
    fake_domain_signal(rig->domain, 0, 3);
    fake_domain_batch_end(rig->domain);
    fake_domain_advance(rig->domain, 2ull * SECOND);
    assert_int_equal(toy->interrupts, 12);
    assert_int_equal(toy->works, works);
    assert_int_equal(toy->lates, 1);
}

static void a_refused_device_is_not_called(void **state)
{
    struct rig *rig = *state;
    rig->bar.memory[BLOCK_AT + 0x14] = 0;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(rig->domain, "not used: it is silent"));
    fake_domain_signal(rig->domain, 0, 1);
    fake_domain_batch_end(rig->domain);
    assert_int_equal(rig->toy->interrupts + rig->toy->works, 0);
}

/* Full and empty differ, wherever in the ring it is. */
static void a_ring_keeps_one_entry(void **state)
{
    struct rig *rig = *state;
    struct ring ring = {.base = rig->pool->base, .entries = 8, .entry_bytes = 16};
    ring.put = ring.taken = UINT32_MAX - 3;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ring_room(&ring), 7);
        while (ring_room(&ring)) {
            uint8_t *entry = ring_entry(&ring, ring.put++);
            assert_true(entry >= ring.base && entry <= ring.base + 7 * 16);
            assert_ptr_not_equal(ring_entry(&ring, ring.put), ring_entry(&ring, ring.taken));
        }
        assert_int_equal(ring.put - ring.taken, 7);
        ring.taken = ring.put;
    }
}

static void waiting_has_an_end(void **state)
{
    struct rig *rig = *state;
    struct driver *driver = &rig->toy->driver;
    uint32_t looks = 0;
    start(rig);
    assert_true(DRIVER_WAIT(driver, SECOND, ++looks == 5));
    assert_int_equal(looks, 5);
    assert_false(DRIVER_WAIT(driver, SECOND, false)); /* the fake's time stands still */
}

/* Time passes after a look, all of it at once: there is one more look, and no third one. */
static bool held_up(struct rig *rig, bool answer)
{
    fake_domain_advance(rig->domain, SECOND);
    return answer;
}

static void who_waits_and_is_held_up_looks_again(void **state)
{
    struct rig *rig = *state;
    struct driver *driver = &rig->toy->driver;
    uint32_t looks = 0;
    start(rig);
    assert_true(DRIVER_WAIT(driver, SECOND, held_up(rig, ++looks == 2)));
    assert_int_equal(looks, 2);
    assert_false(DRIVER_WAIT(driver, SECOND, held_up(rig, ++looks == 5)));
    assert_int_equal(looks, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(registers_have_their_widths),
        TEST(a_missing_bar_is_named),
        TEST(a_bar_that_is_too_small_is_named),
        TEST(a_bar_that_is_smaller_than_the_block_is_named),
        TEST(a_missing_pool_is_named),
        TEST(missing_rights_are_named),
        TEST(a_pool_that_is_too_small_is_named),
        TEST(a_missing_vector_is_named),
        TEST(a_pin_is_enough),
        TEST(one_vector_by_msi_is_enough),
        TEST(msi_without_a_vector_is_named),
        TEST(another_device_is_refused),
        TEST(pieces_are_apart_aligned_and_zeroed),
        TEST(memory_is_as_it_was_until_a_piece_is_taken),
        TEST(what_the_device_has_is_not_touched),
        TEST(only_a_running_driver_is_called),
        TEST(a_refused_device_is_not_called),
        TEST(a_ring_keeps_one_entry),
        TEST(waiting_has_an_end),
        TEST(who_waits_and_is_held_up_looks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
