/* SPDX-License-Identifier: ISC
 *
 * libos/virtio/virtio_pci.c: what a device says about itself is true, or isn't used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>

#include "libos/virtio/virtio_pci.h"
#include "tests/unit/fake_virtio.h"

struct bench {
    struct device device;
    struct fake_virtio *fake;
    struct virtio virtio;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    if (!bench)
        return -1;
    bench->fake = fake_virtio_create(&bench->device);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    fake_virtio_destroy(bench->fake);
    free(bench);
    return 0;
}

static void the_structures_are_found(void **state)
{
    struct bench *bench = *state;
    assert_null(virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET));
    assert_ptr_equal(bench->virtio.pci.common.bar, &bench->device.bar[FAKE_BAR]);
    assert_int_equal(bench->virtio.pci.common.offset, 0);
    assert_int_equal(bench->virtio.config.offset, 0x2000);
    assert_int_equal(bench->virtio.pci.notify.offset, 0x3000);
    assert_int_equal(bench->virtio.pci.notify.length, 0x1000);
    assert_int_equal(bench->virtio.pci.notify_multiplier, 4);
}

static void a_legacy_device_has_no_modern_interface(void **state)
{
    struct bench *bench = *state;
    bench->device.config[PCI_STATUS] = 0; /* no capability list at all */
    assert_non_null(virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET));
    bench->device.config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
    bench->device.config[PCI_CAPABILITY_LIST] = 0; /* an empty one */
    assert_non_null(virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET));
}

/* Writes a field of a capability; is the structure still used? */
static bool used_with(struct bench *bench, uint8_t type, uint32_t field, uint32_t value,
                      uint32_t bytes)
{
    uint8_t saved[sizeof(bench->device.config)];
    memcpy(saved, bench->device.config, sizeof(saved));
    memcpy(fake_virtio_capability(bench->fake, type) + field, &value, bytes);
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    memcpy(bench->device.config, saved, sizeof(saved));
    return type == VIRTIO_PCI_CAP_COMMON_CFG   ? bench->virtio.pci.common.length
           : type == VIRTIO_PCI_CAP_NOTIFY_CFG ? bench->virtio.pci.notify.length
                                               : bench->virtio.config.length;
}

static void structures_outside_their_bar_are_not_used(void **state)
{
    struct bench *bench = *state;
    const uint8_t types[] = {VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_NOTIFY_CFG,
                             VIRTIO_PCI_CAP_DEVICE_CFG};
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(used_with(bench, types[i], VIRTIO_PCI_CAP_OFFSET, 0x3000, 4));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_OFFSET, 0x3004, 4));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_OFFSET, 0xfffffffc, 4));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_LENGTH, 0xffffffff, 4));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_OFFSET, 1, 4));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_BAR, 6, 1));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_BAR, 255, 1));
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_BAR, 1, 1)); /* not mapped */
        assert_false(used_with(bench, types[i], VIRTIO_PCI_CAP_LENGTH, 0, 4));
    }
}

static void structures_that_are_too_short_are_not_used(void **state)
{
    struct bench *bench = *state;
    assert_true(used_with(bench, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_LENGTH, 56, 4));
    assert_false(used_with(bench, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_LENGTH, 55, 4));
    assert_false(used_with(bench, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_CAP_LENGTH, 1, 4));
    assert_false(used_with(bench, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_LEN, 15, 1));
    assert_false(used_with(bench, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_CAP_LEN, 16, 1));
    assert_false(used_with(bench, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_LEN, 255, 1));
}

static void a_capability_list_in_a_circle_ends(void **state)
{
    struct bench *bench = *state;
    uint8_t *first = fake_virtio_capability(bench->fake, VIRTIO_PCI_CAP_NOTIFY_CFG);
    first[VIRTIO_PCI_CAP_NEXT] = (uint8_t)(first - bench->device.config);
    assert_non_null(virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET));
}

static void the_first_usable_structure_counts(void **state)
{
    struct bench *bench = *state;
    uint8_t *config = bench->device.config;
    struct virtio_pci_cap cap;
    memcpy(&cap, fake_virtio_capability(bench->fake, VIRTIO_PCI_CAP_COMMON_CFG), sizeof(cap));
    cap.cap_next = config[PCI_CAPABILITY_LIST];
    cap.bar = 1; /* not usable: the next one is taken */
    memcpy(&config[0xc0], &cap, sizeof(cap));
    config[PCI_CAPABILITY_LIST] = 0xc0;
    assert_null(virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET));
    assert_int_equal(bench->virtio.pci.common.offset, 0);
    cap.bar = FAKE_BAR; /* usable: it is taken, and the next one isn't */
    cap.offset = 0x1000;
    memcpy(&config[0xc0], &cap, sizeof(cap));
    assert_null(virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET));
    assert_int_equal(bench->virtio.pci.common.offset, 0x1000);
}

static bool inside(const struct device *device, const struct virtio_region *region)
{
    if (!region->length)
        return true;
    for (uint32_t i = 0; i < DEVICE_BARS; i++)
        if (region->bar == &device->bar[i])
            return device->bar[i].base &&
                   (uint64_t)region->offset + region->length <= device->bar[i].size;
    return false;
}

static void no_configuration_space_leads_outside_the_bars(void **state)
{
    struct bench *bench = *state;
    uint8_t original[sizeof(bench->device.config)];
    memcpy(original, bench->device.config, sizeof(original));
    bench->device.bar[0] =
        (struct device_bar){.base = bench->device.bar[FAKE_BAR].base, .size = 0x100};
    srand(2);
    for (uint32_t round = 0; round < 50000; round++) {
        memcpy(bench->device.config, original, sizeof(original));
        uint32_t changes = 1 + (uint32_t)rand() % 16;
        for (uint32_t i = 0; i < changes; i++)
            bench->device.config[0x34 + rand() % 0x80] =
                (uint8_t)(rand() % 4 ? rand() % 64 : rand());
        virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
        assert_true(inside(&bench->device, &bench->virtio.pci.common));
        assert_true(inside(&bench->device, &bench->virtio.pci.notify));
        assert_true(inside(&bench->device, &bench->virtio.config));
    }
}

static void a_reset_is_waited_for_but_not_for_ever(void **state)
{
    struct bench *bench = *state;
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    virtio_add_status(&bench->virtio, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    assert_true(virtio_reset(&bench->virtio));
    assert_int_equal(virtio_status(&bench->virtio), 0);
    virtio_add_status(&bench->virtio, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    bench->fake->never_resets = true;
    assert_false(virtio_reset(&bench->virtio));
}

static void features_have_sixty_four_bits(void **state)
{
    struct bench *bench = *state;
    bench->fake->offered = 0x8123456789abcdef;
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    assert_true(virtio_offered(&bench->virtio) == 0x8123456789abcdef);
    virtio_accept(&bench->virtio, 0x8000000080000001);
    assert_true(bench->fake->accepted == 0x8000000080000001);
}

static void a_queue_is_set_up_as_asked(void **state)
{
    struct bench *bench = *state;
    struct virtio_queue queue = {.index = 1,
                                 .size = 64,
                                 .vector = 2,
                                 .desc = 0x123456780,
                                 .avail = 0x2222222222,
                                 .used = 0x3333333334};
    uint32_t doorbell = 0;
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    assert_int_equal(virtio_queue_size(&bench->virtio, 1), 256);
    assert_true(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    const struct fake_queue *got = &bench->fake->queue[1];
    assert_int_equal(doorbell, 0x3000 + 4);
    assert_int_equal(got->size, 64);
    assert_int_equal(got->vector, 2);
    assert_int_equal(got->enabled, 1);
    assert_true(got->desc == queue.desc && got->avail == queue.avail && got->used == queue.used);
}

static void queues_that_do_not_exist_have_no_size(void **state)
{
    struct bench *bench = *state;
    bench->fake->queues = 1;
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    assert_int_equal(virtio_queue_size(&bench->virtio, 0), 256);
    assert_int_equal(virtio_queue_size(&bench->virtio, 1), 0);
}

static void a_refused_vector_or_size_is_noticed(void **state)
{
    struct bench *bench = *state;
    struct virtio_queue queue = {.size = 64, .vector = 3};
    uint32_t doorbell;
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    assert_true(virtio_set_config_vector(&bench->virtio, 2));
    assert_false(virtio_set_config_vector(&bench->virtio, 3));
    assert_false(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    queue.vector = 0;
    queue.size = 32;
    bench->fake->refuses_sizes = true;
    assert_false(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    assert_int_equal(bench->fake->queue[0].enabled, 0);
}

static void notifications_stay_inside_their_structure(void **state)
{
    struct bench *bench = *state;
    struct virtio_queue queue = {.size = 64};
    uint32_t doorbell;
    virtio_pci_find(&bench->virtio, &bench->device, VIRTIO_ID_NET);
    bench->fake->queue[0].notify_offset = 0x400; /* times 4 */
    assert_false(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    bench->virtio.pci.notify_multiplier = 0xffffffff;
    bench->fake->queue[0].notify_offset = 0xffff;
    assert_false(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    bench->virtio.pci.notify_multiplier = 1;
    bench->fake->queue[0].notify_offset = 1; /* a 16-bit register at an odd address */
    assert_false(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    bench->fake->queue[0].notify_offset = 0xffe;
    assert_true(virtio_queue_start(&bench->virtio, &queue, &doorbell));
    assert_int_equal(doorbell, 0x3ffe);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_structures_are_found),
        TEST(a_legacy_device_has_no_modern_interface),
        TEST(structures_outside_their_bar_are_not_used),
        TEST(structures_that_are_too_short_are_not_used),
        TEST(a_capability_list_in_a_circle_ends),
        TEST(the_first_usable_structure_counts),
        TEST(no_configuration_space_leads_outside_the_bars),
        TEST(a_reset_is_waited_for_but_not_for_ever),
        TEST(features_have_sixty_four_bits),
        TEST(a_queue_is_set_up_as_asked),
        TEST(queues_that_do_not_exist_have_no_size),
        TEST(a_refused_vector_or_size_is_noticed),
        TEST(notifications_stay_inside_their_structure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
