/* SPDX-License-Identifier: ISC
 *
 * servers/init/isa.c with another kernel underneath: what a domain gets of a legacy device, and
 * that it gets no more, whatever the kernel refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "servers/init/devices.h"

/* Instead of libos/syscall.h. */
#define MOTET_LIBOS_SYSCALL_H

struct invoked {
    uint64_t a[3];
};

static enum error sys_invoke(uint64_t slot, enum operation operation, uint64_t a0, uint64_t a1,
                             uint64_t a2, uint64_t a3, uint64_t a4, struct invoked *results);

#include "servers/init/devices.c"
#include "servers/init/isa.c"

enum { DRIVER = 1, BODY = 2, DOMAINS = 3, PORT = 77, TABLE = 100, SLOT = 9, FIRST_SLOT = 200 };

static struct init init;
static struct image_domain domain[DOMAINS];
static struct image_device claimed[2];
static struct claims claims;
static struct start_page start[DOMAINS];
static char said[1024];
static enum operation refused; /* by the kernel; 0: none */

/* What was derived and handed on, as text: order, arguments and all. */
static char did[1024];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(did + strlen(did), sizeof(did) - strlen(did), format, arguments);
    va_end(arguments);
}

static enum error sys_invoke(uint64_t slot, enum operation operation, uint64_t a0, uint64_t a1,
                             uint64_t a2, uint64_t a3, uint64_t a4, struct invoked *results)
{
    (void)a3, (void)a4, (void)results;
    if (refused && operation == refused)
        return ERROR_OCCUPIED;
    switch (operation) {
    case OPERATION_ioport_derive:
        assert_int_equal(slot, INIT_IOPORTS);
        note("ports %lx+%lu to %lu\n", (unsigned long)a0, (unsigned long)a1, (unsigned long)a2);
        return OK;
    case OPERATION_captable_copy:
        note("copy %lu to %lu of table %lu, rights %lu\n", (unsigned long)a0, (unsigned long)a1,
             (unsigned long)slot, (unsigned long)a2);
        return OK;
    case OPERATION_irq_derive:
        assert_int_equal(slot, INIT_IRQS);
        return OK;
    case OPERATION_irq_bind:
        note("line %lu to bit %lu of port %lu\n", (unsigned long)a2, (unsigned long)a1,
             (unsigned long)a0);
        return OK;
    default:
        fail_msg("operation %d", (int)operation);
        return ERROR_BAD_ARGUMENT;
    }
}

/* --- the rest of init --- */

uint32_t slot_new(struct init *of)
{
    return of->next_slot++;
}

void console_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said + strlen(said), sizeof(said) - strlen(said), format, arguments);
    va_end(arguments);
}

void init_fail(const char *format, ...)
{
    fail_msg("%s", format);
    __builtin_unreachable();
}

struct start_page *start_page_open(struct init *of, uint32_t number)
{
    (void)of;
    return &start[number];
}

void start_page_close(struct init *of, uint32_t number)
{
    (void)of, (void)number;
}

uint64_t start_address(const struct init *of, uint32_t number)
{
    (void)of;
    return number == BODY ? 0x900000 : START_ADDRESS;
}

bool dma_contained(const struct init *of)
{
    (void)of;
    return false;
}

void dma_start(struct init *of)
{
    (void)of;
}

bool pci_scan(struct init *of, struct claims *those)
{
    (void)of, (void)those;
    return true;
}

bool mmio_scan(struct init *of, struct claims *those)
{
    (void)of, (void)those;
    return false;
}

uint32_t object_make_device(struct init *of, uint64_t address, uint64_t pages)
{
    (void)of, (void)address, (void)pages;
    fail_msg("no memory is anybody's");
    return 0;
}

void object_share(struct init *of, uint32_t slot, uint8_t rights, uint32_t space, uint64_t address,
                  uint32_t captable, uint32_t to)
{
    (void)of, (void)slot, (void)rights, (void)space, (void)address, (void)captable, (void)to;
    fail_msg("no memory is anybody's");
}

/* --- tests --- */

static int set_up(void **state)
{
    (void)state;
    memset(&init, 0, sizeof(init));
    memset(domain, 0, sizeof(domain));
    memset(start, 0, sizeof(start));
    memset(&claims, 0, sizeof(claims));
    did[0] = said[0] = 0;
    refused = 0;
    init.next_slot = FIRST_SLOT;
    init.domain = domain;
    memcpy(domain[DRIVER].name, "driver", 7);
    init.child[DRIVER].port = PORT;
    init.child[DRIVER].captable = TABLE;
    init.child[BODY].captable = TABLE + 1;
    claimed[0] = (struct image_device){.domain = DRIVER,
                                       .slot = SLOT,
                                       .id = 0x0501,
                                       .port = 0x2f8,
                                       .ports = 8,
                                       .line = 3,
                                       .vectors = 1,
                                       .most = 1,
                                       .server = 2};
    claimed[1] = (struct image_device){.domain = DRIVER, .virtio = 1, .most = 1};
    claims.count = 2;
    claims.claim[0] = (struct claim){.device = &claimed[0], .slot = SLOT};
    claims.claim[1] = (struct claim){.device = &claimed[1]};
    return 0;
}

static void test_ports_and_line(void **state)
{
    (void)state;
    isa_give(&init, &claims);
    assert_string_equal(did, "ports 2f8+8 to 200\n"
                             "copy 200 to 9 of table 100, rights 3\n"
                             "line 3 to bit 48 of port 77\n");
    assert_int_equal(RIGHT_READ | RIGHT_WRITE, 3); /* none to derive */
    assert_int_equal(start[DRIVER].devices, 1);
    const struct start_device *given = &start[DRIVER].device[0];
    assert_int_equal(given->device.bus_kind, DEVICE_ISA);
    assert_int_equal(given->device.vendor, 0x41d0);
    assert_int_equal(given->device.id, 0x0501);
    assert_int_equal(given->device.vectors, 1);
    assert_int_equal(given->device.bar[0].ports.slot, SLOT);
    assert_int_equal(given->device.bar[0].ports.first, 0x2f8);
    assert_int_equal(given->device.bar[0].size, 8);
    assert_int_equal(given->irq_bit, SIGNAL_IRQ_FIRST);
    assert_int_equal(given->irq_slot, 0); /* nothing to acknowledge */
    assert_int_equal(given->server, 2);
    assert_string_equal(said, "");
}

/* The same for both bodies; where the one's memory lies has nothing to do with ports. */
static void test_a_second_body_has_the_same(void **state)
{
    (void)state;
    domain[DRIVER].body = BODY;
    claimed[0].vectors = 0;
    isa_give(&init, &claims);
    assert_string_equal(did, "ports 2f8+8 to 200\n"
                             "copy 200 to 9 of table 100, rights 3\n"
                             "copy 200 to 9 of table 101, rights 3\n");
    assert_int_equal(start[BODY].devices, 1);
    assert_memory_equal(&start[BODY].device[0], &start[DRIVER].device[0],
                        sizeof(start[BODY].device[0]));
    assert_int_equal(start[DRIVER].device[0].device.vectors, 0);
}

static void test_a_line_that_is_somebodys(void **state)
{
    (void)state;
    refused = OPERATION_irq_bind;
    isa_give(&init, &claims);
    assert_int_equal(start[DRIVER].devices, 1);
    assert_int_equal(start[DRIVER].device[0].device.vectors, 0); /* which its driver says */
    assert_int_equal(init.child[DRIVER].irq_bits, 0);
}

static void test_ports_that_are_not_to_be_had(void **state)
{
    static const enum operation each[] = {OPERATION_ioport_derive, OPERATION_captable_copy};
    for (uint32_t i = 0; i < 2; i++) {
        set_up(state);
        refused = each[i];
        isa_give(&init, &claims);
        assert_int_equal(start[DRIVER].devices, 0);
        assert_non_null(strstr(said, "init: ports 0x2f8 of driver: "));
        assert_null(strstr(did, "line"));
    }
}

static void test_a_domain_has_room_for_four(void **state)
{
    (void)state;
    init.child[DRIVER].devices = START_DEVICES_MAX;
    isa_give(&init, &claims);
    assert_string_equal(did, "");
    assert_non_null(strstr(said, "ports 0x2f8: left alone"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ports_and_line),
        TEST(test_a_second_body_has_the_same),
        TEST(test_a_line_that_is_somebodys),
        TEST(test_ports_that_are_not_to_be_had),
        TEST(test_a_domain_has_room_for_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
