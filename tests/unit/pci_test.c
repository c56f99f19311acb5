/* SPDX-License-Identifier: ISC
 *
 * servers/init/pci.c and pci_msi.c with another kernel underneath: PCI functions whose
 * configuration space is the test's, honest or not. Which interrupts a device gets; that nothing is
 * written that isn't there to be written, and no message leaves before it can go to the domain
 * only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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
#include "servers/init/pci.c"
#include "servers/init/pci_msi.c"

enum {
    DRIVER = 1, /* the domain, and its second body */
    BODY = 2,
    DOMAINS = 3,
    PORT = 77, /* the domain's */
    SLOT = 4,  /* of the function */
    LINE_OF_PIN = 10,
    CAPABILITY = 0x50, /* where most tests have it */
    BAR_ADDRESS = 0x40000000,
    BAR_BYTES = 0x2000,
    TABLE_AT = 0x1000, /* the MSI-X table in BAR 1 */
    MESSAGES = 0xfee00000,
    LOOKS_MAX = 400, /* at configuration space, for one function whatever it says */
    /* Halves of the capabilities' first dwords. */
    ENABLED = 1,
    MSI_64 = 1 << 7,
    MSI_MASK = 1 << 8,
    MSIX_ENABLED = 1 << 15,
};

static struct {
    uint8_t config[256], writable[256];
    uint32_t address;     /* of the next access */
    uint32_t looks;       /* at the function */
    uint32_t first, last; /* that were written behind the header; last 0: none */
} function;

static struct {
    uint32_t bit, pin;
    uint64_t port;
} vector[256];               /* bound; port 0: not */
static uint64_t derived[64]; /* by slot */

static struct init init;
static struct image_domain domain[DOMAINS];
static struct image_device claimed;
static struct claims claims;
static struct start_page start[DOMAINS];
static char said[4096];

/* --- the function --- */

static uint32_t word(uint32_t at)
{
    uint32_t value;
    memcpy(&value, &function.config[at], 4);
    return value;
}

static void set(uint32_t at, uint32_t value, uint32_t writable)
{
    memcpy(&function.config[at], &value, 4);
    memcpy(&function.writable[at], &writable, 4);
}

static bool is_master(void)
{
    return function.config[PCI_COMMAND] & COMMAND_MASTER;
}

static bool has_pin(void)
{
    return !(word(PCI_COMMAND) & COMMAND_NO_PIN);
}

static void function_write(uint32_t at, uint32_t value)
{
    uint32_t writable;
    memcpy(&writable, &function.writable[at], 4);
    assert_true(writable); /* there is something to be written */
    assert_true(at == PCI_COMMAND || !is_master());
    value = (word(at) & ~writable) | (value & writable);
    memcpy(&function.config[at], &value, 4);
    if (at < CAPABILITIES_FIRST)
        return;
    function.first = function.last && function.first < at ? function.first : at;
    function.last = function.last > at ? function.last : at;
}

/* A memory BAR of BAR_BYTES. */
static void bar_add(uint32_t n)
{
    set(PCI_BAR + 4 * n, BAR_ADDRESS + n * BAR_BYTES, ~(uint32_t)(BAR_BYTES - 1));
}

/* With BAR 0, a pin, and no capabilities. */
static void function_make(void)
{
    memset(&function, 0, sizeof(function));
    set(PCI_ID, 0x11e8 << 16 | 0x1234, 0);
    set(PCI_COMMAND, STATUS_CAPABILITIES, 0xffff);
    for (uint32_t n = 1; n < DEVICE_BARS; n++)
        set(PCI_BAR + 4 * n, 0, 0xf); /* bits that are no address: it isn't there */
    bar_add(0);
    set(PCI_INTERRUPT, 1 << 8 | LINE_OF_PIN, 0);
}

/* In front of those that are there. */
static void capability_add(uint32_t at, uint8_t id, uint16_t flags, uint16_t writable)
{
    set(at, (uint32_t)flags << 16 | (uint32_t)function.config[PCI_CAPABILITIES] << 8 | id,
        (uint32_t)writable << 16);
    function.config[PCI_CAPABILITIES] = (uint8_t)at;
}

/* All bits that can be set are: whatever the firmware left. */
static void msi_add(uint32_t at, uint16_t flags)
{
    capability_add(at, CAPABILITY_MSI, flags | ENABLED, 0x71);
    uint32_t data = at + (flags & MSI_64 ? 12 : 8);
    set(at + 4, ~3u, ~3u);
    if (flags & MSI_64)
        set(at + 8, UINT32_MAX, UINT32_MAX);
    set(data, 0xffff, 0xffff);
    if (flags & MSI_MASK)
        set(data + 4, UINT32_MAX, UINT32_MAX);
}

static void msix_add(uint32_t at, uint32_t entries, uint32_t bar, uint32_t offset)
{
    capability_add(at, CAPABILITY_MSIX, (uint16_t)(entries - 1), 0xc000);
    set(at + 4, offset | bar, 0);
    bar_add(bar);
}

/* --- the MSI-X table, where init maps it --- */

static struct table {
    struct device_model model;
    uint32_t word[4 * DEVICE_VECTORS_MAX];
} * table;

static uint32_t table_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    (void)model;
    (void)offset;
    (void)bytes;
    fail();
    return 0;
}

static void table_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct table *own = (struct table *)model;
    assert_true(bytes == 4 && offset % 4 == 0 && offset < sizeof(own->word));
    own->word[offset / 4] = value;
}

/* --- the kernel, and the rest of init --- */

static uint64_t port_access(enum operation operation, uint64_t port, uint64_t value)
{
    if (port == CONFIG_ADDRESS) {
        function.address = (uint32_t)value;
        return 0;
    }
    assert_int_equal(port, CONFIG_DATA);
    if ((function.address & ~0xfcu) != (CONFIG_ENABLE | SLOT << 11))
        return UINT32_MAX; /* nobody */
    assert_true(++function.looks < LOOKS_MAX);
    if (operation == OPERATION_ioport_out)
        function_write(function.address & 0xfc, (uint32_t)value);
    return word(function.address & 0xfc);
}

static enum error irq_derive_fake(uint64_t number, uint64_t slot)
{
    if (number < IRQ_VECTOR_FIRST || number > IRQ_VECTOR_LAST)
        return ERROR_BAD_ARGUMENT;
    derived[slot] = number;
    return OK;
}

static enum error irq_bind_fake(uint64_t number, uint64_t port, uint64_t bit, uint64_t pin)
{
    assert_true(bit >= SIGNAL_IRQ_FIRST && bit < SIGNAL_IRQ_FIRST + SIGNAL_IRQS);
    assert_true(!vector[number].port);
    vector[number].port = port;
    vector[number].bit = (uint32_t)bit;
    vector[number].pin = (uint32_t)pin;
    return OK;
}

static enum error sys_invoke(uint64_t slot, enum operation operation, uint64_t a0, uint64_t a1,
                             uint64_t a2, uint64_t a3, uint64_t a4, struct invoked *results)
{
    struct invoked result = {{0}};
    enum error error = OK;
    (void)a3;
    (void)a4;
    switch (operation) {
    case OPERATION_ioport_out:
    case OPERATION_ioport_in:
        result.a[0] = port_access(operation, a0, a2);
        break;
    case OPERATION_irq_derive:
        error = irq_derive_fake(a0, a1);
        break;
    case OPERATION_irq_bind:
        error = irq_bind_fake(derived[slot], a0, a1, a2);
        result.a[0] = MESSAGES;
        result.a[1] = derived[slot];
        break;
    default: /* captable.copy, page.unmap */
        break;
    }
    if (results)
        *results = result;
    return error;
}

uint32_t slot_new(struct init *of)
{
    return of->next_slot++ % 64;
}

uint32_t object_make_device(struct init *of, uint64_t address, uint64_t pages)
{
    (void)of;
    return address >= BAR_ADDRESS && pages ? 1 : 0;
}

void object_map(struct init *of, uint32_t slot, uint32_t space, uint64_t address, uint8_t rights)
{
    (void)of;
    (void)slot;
    (void)space;
    (void)address;
    (void)rights;
}

void object_share(struct init *of, uint32_t slot, uint8_t rights, uint32_t space, uint64_t address,
                  uint32_t captable, uint32_t to)
{
    object_map(of, slot, space, address, rights);
    (void)captable;
    (void)to;
}

bool device_page_open(struct init *of, uint64_t address, uint64_t window, uint8_t rights)
{
    object_map(of, 0, 0, address, rights);
    (void)window;
    return false;
}

void device_page_close(struct init *of)
{
    (void)of;
}

struct start_page *start_page_open(struct init *of, uint32_t number)
{
    (void)of;
    return &start[number];
}

void start_page_close(struct init *of, uint32_t number)
{
    (void)of;
    (void)number;
}

uint64_t start_address(const struct init *of, uint32_t number)
{
    (void)of;
    (void)number;
    return 0x10000;
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

bool dma_assign(struct init *of, uint32_t number, uint16_t source, const char *name)
{
    (void)of;
    (void)name;
    assert_int_equal(number, DRIVER);
    assert_int_equal(source, SLOT << 3);
    assert_false(is_master());
    return true;
}

bool mmio_scan(struct init *of, struct claims *with)
{
    (void)of;
    (void)with;
    return false;
}

void console_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof(said), format, arguments);
    va_end(arguments);
}

void init_fail(const char *format, ...)
{
    (void)format;
    fail();
    abort();
}

/* --- a scan --- */

static int set_up(void **state)
{
    (void)state;
    memset(&init, 0, sizeof(init));
    memset(vector, 0, sizeof(vector));
    memset(start, 0, sizeof(start));
    memset(domain, 0, sizeof(domain));
    memset(table->word, 0xff, sizeof(table->word));
    *said = 0;
    strcpy(domain[DRIVER].name, "driver");
    domain[DRIVER].body = BODY;
    init.domain = domain;
    init.next_vector = IRQ_VECTOR_FIRST;
    init.child[DRIVER].port = PORT;
    claimed = (struct image_device){.domain = DRIVER,
                                    .vendor = 0x1234,
                                    .id = 0x11e8,
                                    .id_last = 0x11e8,
                                    .most = 1,
                                    .vectors = 1};
    function_make();
    return 0;
}

/* What the driver sees of the function. */
static const struct start_device *scan(void)
{
    function.last = 0;
    claims = (struct claims){.claim = {{.device = &claimed, .address = 0x10000000}}, .count = 1};
    function.looks = 0;
    assert_true(pci_scan(&init, &claims));
    assert_int_equal(start[DRIVER].devices, 1);
    assert_int_equal(start[BODY].devices, 1);
    assert_memory_equal(&start[DRIVER].device[0], &start[BODY].device[0],
                        sizeof(struct start_device));
    assert_true(is_master());
    assert_int_equal(has_pin(), start[DRIVER].device[0].device.pin);
    return &start[DRIVER].device[0];
}

/* Vector v is heard as bit v of the domain's. */
static void check_vector(const struct start_device *device, uint32_t v, uint32_t number)
{
    assert_int_equal(vector[number].port, PORT);
    assert_int_equal(vector[number].bit, device->irq_bit + v);
    assert_int_equal(vector[number].pin, IRQ_MESSAGE);
}

static uint32_t msi_flags(uint32_t at)
{
    return word(at) >> 16;
}

/* The device was told to send `vectors` messages, which the domain hears. */
static void check_msi(const struct start_device *device, uint32_t at, uint32_t vectors)
{
    const bool wide = msi_flags(at) & MSI_64;
    const uint32_t data = at + (wide ? 12 : 8);
    assert_int_equal(device->device.vectors, vectors);
    assert_int_equal(device->device.msi, 1);
    assert_int_equal(device->device.pin, 0);
    assert_int_equal(msi_flags(at) & ENABLED, 1);
    assert_int_equal(1u << (msi_flags(at) >> 4 & 7), vectors);
    assert_int_equal(word(at + 4), MESSAGES);
    assert_int_equal(word(data) % vectors, 0);
    if (wide)
        assert_int_equal(word(at + 8), 0);
    if (msi_flags(at) & MSI_MASK)
        assert_int_equal(word(data + 4) & ((1u << vectors) - 1), 0);
    for (uint32_t v = 0; v < vectors; v++)
        check_vector(device, v, word(data) | v);
}

static void check_pin(const struct start_device *device)
{
    assert_int_equal(device->device.pin, 1);
    assert_int_equal(device->device.msi, 0);
    assert_int_equal(device->device.vectors, 1);
    assert_int_equal(device->device.line, LINE_OF_PIN);
    assert_int_equal(vector[IRQ_VECTOR_FIRST].pin, LINE_OF_PIN | IRQ_PIN_LEVEL);
    assert_int_equal(vector[IRQ_VECTOR_FIRST].bit, device->irq_bit);
}

/* --- tests --- */

static void msi_of_each_layout(void **state)
{
    static const uint16_t layouts[] = {0, MSI_64, MSI_MASK, MSI_64 | MSI_MASK};
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        set_up(state);
        msi_add(CAPABILITY, layouts[i]);
        check_msi(scan(), CAPABILITY, 1);
    }
}

/* As many as are wanted and there are, but 1, 2 or 4; as a block, wherever the next vector is. */
static void msi_with_several_vectors(void **state)
{
    for (uint32_t capable = 0; capable <= 5; capable++)
        for (uint8_t wanted = 1; wanted <= DEVICE_VECTORS_MAX; wanted++)
            for (uint32_t used = 0; used < 4; used++) {
                uint32_t most = wanted == 3 ? 2 : wanted;
                set_up(state);
                msi_add(CAPABILITY, (uint16_t)(MSI_64 | capable << 1));
                claimed.vectors = wanted;
                init.next_vector += used;
                check_msi(scan(), CAPABILITY, most < 1u << capable ? most : 1u << capable);
            }
}

static void fewer_when_vectors_or_bits_run_out(void **state)
{
    static const struct {
        uint32_t bits, next, vectors;
    } cases[] = {{SIGNAL_IRQS - 2, IRQ_VECTOR_FIRST, 2},
                 {SIGNAL_IRQS - 1, IRQ_VECTOR_FIRST, 1},
                 {SIGNAL_IRQS, IRQ_VECTOR_FIRST, 0},
                 {0, IRQ_VECTOR_LAST - 3, 4},
                 {0, IRQ_VECTOR_LAST - 2, 2},
                 {0, IRQ_VECTOR_LAST, 1},
                 {0, IRQ_VECTOR_LAST + 1, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(state);
        msi_add(CAPABILITY, MSI_MASK | 2 << 1);
        claimed.vectors = 4;
        init.child[DRIVER].irq_bits = cases[i].bits;
        init.next_vector = cases[i].next;
        const struct start_device *device = scan();
        if (cases[i].vectors)
            check_msi(device, CAPABILITY, cases[i].vectors);
        assert_int_equal(device->device.vectors, cases[i].vectors);
        assert_int_equal(msi_flags(CAPABILITY) & ENABLED, cases[i].vectors != 0);
        assert_true(init.next_vector >= cases[i].next);
    }
}

static void who_wants_no_interrupts_gets_none(void **state)
{
    (void)state;
    msi_add(CAPABILITY, MSI_64);
    claimed.vectors = 0;
    assert_int_equal(scan()->device.vectors, 0);
    assert_int_equal(msi_flags(CAPABILITY) & ENABLED, 0);
}

static void msix_is_preferred(void **state)
{
    (void)state;
    msi_add(CAPABILITY, MSI_64);
    msix_add(0x70, 3, 1, TABLE_AT);
    function.config[CAPABILITY + 2] &= (uint8_t)~ENABLED;
    claimed.vectors = 2;
    const struct start_device *device = scan();
    assert_int_equal(device->device.vectors, 2);
    assert_int_equal(device->device.msi, 0);
    assert_int_equal(msi_flags(CAPABILITY) & ENABLED, 0);
    assert_int_equal(msi_flags(0x70) & MSIX_ENABLED, MSIX_ENABLED);
    assert_null(device->device.bar[1].base);
    for (uint32_t v = 0; v < 2; v++) {
        assert_int_equal(table->word[4 * v], MESSAGES);
        assert_int_equal(table->word[4 * v + 1], 0);
        assert_int_equal(table->word[4 * v + 3], 0);
        check_vector(device, v, table->word[4 * v + 2]);
    }
    assert_int_equal(table->word[4 * 2 + 3], UINT32_MAX); /* masked, as it was */
}

static void without_a_sound_msix_table_there_is_msi(void **state)
{
    (void)state;
    msi_add(CAPABILITY, MSI_64);
    msix_add(0x70, 3, 1, BAR_BYTES);
    check_msi(scan(), CAPABILITY, 1);
    assert_non_null(strstr(said, "the MSI-X table lies outside its BAR: it isn't used"));
    assert_int_equal(msi_flags(0x70) & MSIX_ENABLED, 0);
    set_up(state);
    msi_add(CAPABILITY, MSI_64);
    msix_add(0x70, 3, 1, 0);
    set(PCI_BAR + 4, 0, 0xf); /* a table in a BAR that isn't there */
    check_msi(scan(), CAPABILITY, 1);
}

static void without_messages_there_is_the_pin(void **state)
{
    (void)state;
    capability_add(CAPABILITY, 0x01, 0, 0); /* power management */
    check_pin(scan());
    set_up(state);
    msi_add(CAPABILITY, MSI_64);
    set(PCI_COMMAND, 0, 0xffff); /* it has no list, it says */
    check_pin(scan());
    set_up(state);
    function.config[PCI_INTERRUPT + 1] = 0;
    assert_int_equal(scan()->device.vectors, 0);
}

/* Each would have init write outside of the capability. */
static void a_capability_that_is_cut_off_is_not_used(void **state)
{
    static const struct {
        uint8_t at;
        uint16_t flags;
        bool fits;
    } cases[] = {{0xf4, 0, true},
                 {0xf8, 0, false},
                 {0xfc, 0, false},
                 {0xf0, MSI_64, true},
                 {0xf4, MSI_64, false},
                 {0xf0, MSI_MASK, true},
                 {0xf4, MSI_MASK, false},
                 {0xfc, MSI_MASK, false},
                 {0xec, MSI_64 | MSI_MASK, true},
                 {0xf0, MSI_64 | MSI_MASK, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(state);
        if (cases[i].fits)
            msi_add(cases[i].at, cases[i].flags);
        else
            capability_add(cases[i].at, CAPABILITY_MSI, cases[i].flags, 0x71);
        const struct start_device *device = scan();
        if (cases[i].fits) {
            check_msi(device, cases[i].at, 1);
        } else {
            check_pin(device);
            assert_non_null(strstr(said, "pci 0:4.0: the MSI capability is cut off"));
        }
    }
}

static void lists_that_lie_end(void **state)
{
    static const uint8_t into_header[] = {0x04, 0x10, 0x34, 0x3c};
    (void)state;
    capability_add(CAPABILITY, 0x09, 0, 0); /* it follows itself */
    function.config[CAPABILITY + 1] = CAPABILITY;
    check_pin(scan());
    for (size_t i = 0; i < sizeof(into_header); i++) {
        set_up(state);
        function.config[into_header[i]] |= CAPABILITY_MSI;
        function.config[PCI_CAPABILITIES] = into_header[i];
        scan();
        assert_int_equal(start[DRIVER].device[0].device.msi, 0);
    }
}

/* Capabilities everywhere, in any order, with any contents. No table is in BAR 0, the only one. */
static void random_space(void)
{
    static const uint8_t ids[] = {CAPABILITY_MSI, CAPABILITY_MSI, CAPABILITY_MSIX, 0x01, 0x09};
    for (uint32_t at = 0x40; at < 256; at++)
        function.config[at] = (uint8_t)rand();
    for (uint32_t at = 0x40; at < 256; at += 4)
        function.config[at] = ids[(size_t)rand() % sizeof(ids)];
    memset(&function.writable[0x40], 0xff, 256 - 0x40);
    function.config[PCI_CAPABILITIES] = (uint8_t)rand();
}

/* Whatever it says: the broker looks a bounded number of times, changes nothing in the header but
 * the command, and writes into one capability at most. */
static void random_lists(void **state)
{
    enum { HEADER = 0x40, MSI_LONGEST = 20 };
    uint32_t with_msi = 0;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        uint8_t before[HEADER];
        set_up(state);
        random_space();
        memcpy(before, function.config, HEADER);
        claimed.vectors = (uint8_t)(rand() % (DEVICE_VECTORS_MAX + 1));
        const struct start_device *device = scan();
        memcpy(&before[PCI_COMMAND], &function.config[PCI_COMMAND], 2);
        assert_memory_equal(before, function.config, HEADER);
        if (device->device.msi)
            assert_true(function.last + 4 - function.first <= MSI_LONGEST);
        else
            assert_int_equal(function.last, 0);
        if (device->device.vectors && device->device.msi)
            check_msi(device, function.first, device->device.vectors);
        with_msi += device->device.msi;
    }
    assert_in_range(with_msi, 5000, 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(msi_of_each_layout, set_up),
        cmocka_unit_test_setup(msi_with_several_vectors, set_up),
        cmocka_unit_test_setup(fewer_when_vectors_or_bits_run_out, set_up),
        cmocka_unit_test_setup(who_wants_no_interrupts_gets_none, set_up),
        cmocka_unit_test_setup(msix_is_preferred, set_up),
        cmocka_unit_test_setup(without_a_sound_msix_table_there_is_msi, set_up),
        cmocka_unit_test_setup(without_messages_there_is_the_pin, set_up),
        cmocka_unit_test_setup(a_capability_that_is_cut_off_is_not_used, set_up),
        cmocka_unit_test_setup(lists_that_lie_end, set_up),
        cmocka_unit_test_setup(random_lists, set_up),
    };
    uint8_t *window = mmap((void *)(uintptr_t)MSIX_WINDOW, PAGE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (window == MAP_FAILED)
        return 1;
    table = (struct table *)window;
    table->model = (struct device_model){.read = table_read, .write = table_write};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
