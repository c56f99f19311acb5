/* SPDX-License-Identifier: ISC
 *
 * The PCI broker: alone holds configuration space and MSI-X tables. It finds the functions that the
 * manifest claims, maps their BARs into the claiming domain, programs their interrupts as signals
 * of that domain's port (MSI: pci_msi.c), and writes all of it into the domain's start page. (PCI
 * Local Bus 3.0, chapter 6; configuration mechanism 1.)
 */
#include "servers/init/pci.h"

#include <string.h>

enum {
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,
    CONFIG_ENABLE = 1u << 31,

    PCI_ID = 0x00,
    PCI_COMMAND = 0x04,
    PCI_HEADER = 0x0c,
    PCI_BAR = 0x10,
    PCI_BUSES = 0x18, /* bridges */
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT = 0x3c, /* line, pin */

    COMMAND_MEMORY = 1 << 1,
    COMMAND_MASTER = 1 << 2,
    COMMAND_NO_PIN = 1 << 10,
    STATUS_CAPABILITIES = 1u << 20, /* of the dword at PCI_COMMAND */

    CAPABILITIES_FIRST = 0x40, /* behind the header */
    CAPABILITIES_MAX = 48,     /* what fits into 192 bytes: bounds a looping list */

    VIRTIO_VENDOR = 0x1af4,
    VIRTIO_TRANSITIONAL = 0x1000,
    VIRTIO_MODERN = 0x1040, /* plus the type */
    VIRTIO_LAST = 0x107f,

    BUSES_MAX = 32,
    SLOTS = 32,
    FUNCTIONS = 8,

    VIRTIO_COMMON = 1, /* type of the common structure */
    VIRTIO_FEATURE_SELECT = 0,
    VIRTIO_FEATURES = 4,
    VIRTIO_ACCESS_PLATFORM = 1 << 1, /* of the second 32 features: it heeds an IOMMU (6) */

    MSIX_ENABLE = 1u << 31, /* of the capability's first dword */
    MSIX_MASK_ALL = 1u << 30,
};

#define MSIX_WINDOW     (SCRATCH_WINDOW + 0x10000ull)
#define FEATURES_WINDOW (SCRATCH_WINDOW + 0x30000ull)

/* Where a device's MSI-X table is. */
struct msix {
    uint32_t capability; /* its place in configuration space, 0: none */
    uint32_t bar;
    uint64_t address, size; /* of that BAR; 0: it isn't there */
};

struct msix_entry { /* of the device's table */
    uint32_t address_low, address_high, data, control;
};

#define ENTRY(n, field)                                                                            \
    ((uint32_t)((n) * sizeof(struct msix_entry) + offsetof(struct msix_entry, field)))

uint32_t config_read(struct function f, uint32_t offset)
{
    struct invoked result = {{UINT32_MAX}};
    uint32_t address = CONFIG_ENABLE | (uint32_t)f.bus << 16 | (uint32_t)f.slot << 11 |
                       (uint32_t)f.number << 8 | (offset & 0xfc);
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, CONFIG_ADDRESS, 4, address, 0, 0, NULL);
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_in, CONFIG_DATA, 4, 0, 0, 0, &result);
    return (uint32_t)result.a[0];
}

void config_write(struct function f, uint32_t offset, uint32_t value)
{
    uint32_t address = CONFIG_ENABLE | (uint32_t)f.bus << 16 | (uint32_t)f.slot << 11 |
                       (uint32_t)f.number << 8 | (offset & 0xfc);
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, CONFIG_ADDRESS, 4, address, 0, 0, NULL);
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, CONFIG_DATA, 4, value, 0, 0, NULL);
}

void pci_master_stop(uint16_t source)
{
    struct function f = {(uint8_t)(source >> 8), source >> 3 & 31, source & 7};
    uint32_t command = config_read(f, PCI_COMMAND) & 0xffff;
    config_write(f, PCI_COMMAND, command & ~(uint32_t)COMMAND_MASTER);
}

void pci_master_start(uint16_t source)
{
    struct function f = {(uint8_t)(source >> 8), source >> 3 & 31, source & 7};
    uint32_t command = config_read(f, PCI_COMMAND) & 0xffff;
    config_write(f, PCI_COMMAND, command | COMMAND_MASTER);
}

uint32_t capability_find(struct function f, uint8_t wanted, uint8_t type)
{
    if (!(config_read(f, PCI_COMMAND) & STATUS_CAPABILITIES))
        return 0;
    uint32_t at = config_read(f, PCI_CAPABILITIES) & 0xfc;
    for (int i = 0; at >= CAPABILITIES_FIRST && i < CAPABILITIES_MAX; i++) {
        uint32_t header = config_read(f, at);
        if ((header & 0xff) == wanted && (wanted != CAPABILITY_VENDOR || header >> 24 == type))
            return at;
        at = header >> 8 & 0xfc;
    }
    return 0;
}

/* Reads a memory BAR and its size; *wide if it takes two. False: absent, I/O ports, or cut off. */
static bool bar_probe(struct function f, uint32_t n, uint64_t *address, uint64_t *size, bool *wide)
{
    uint32_t offset = PCI_BAR + 4 * n, low = config_read(f, offset);
    *wide = (low & 7) == 4;
    if ((low & 1) || (*wide && n == DEVICE_BARS - 1))
        return false;
    uint32_t high = *wide ? config_read(f, offset + 4) : 0;
    config_write(f, offset, UINT32_MAX);
    uint64_t mask = config_read(f, offset) & ~0xfu;
    config_write(f, offset, low);
    if (*wide) {
        config_write(f, offset + 4, UINT32_MAX);
        mask |= (uint64_t)config_read(f, offset + 4) << 32;
        config_write(f, offset + 4, high);
    } else if (mask) {
        mask |= 0xffffffff00000000ull;
    }
    *address = (uint64_t)high << 32 | (low & ~0xfu);
    *size = ~mask + 1;
    return mask != 0;
}

/* A BAR's size is a power of two, and it lies at a multiple of that. */
static bool bar_sound(struct function f, uint32_t n, uint64_t address, uint64_t size)
{
    const char *wrong = NULL;
    if (!address)
        wrong = "wasn't placed by the firmware";
    else if ((size & (size - 1)) || (address & (size - 1)))
        wrong = "makes no sense";
    if (wrong)
        console_print("init: pci %x:%x.%u: BAR %u %s: it isn't used", f.bus, f.slot, f.number, n,
                      wrong);
    return !wrong;
}

/* Maps the part of the MSI-X table that can be wanted, for init alone. False: it lies outside its
 * BAR, or that outside device memory. */
static bool msix_map(struct init *init, const struct msix *msix, uint32_t offset, uint32_t entries,
                     uint32_t *page)
{
    uint64_t first = (msix->address + offset) & ~(uint64_t)(PAGE_BYTES - 1);
    uint64_t bytes = entries * sizeof(struct msix_entry);
    if (bytes > msix->size || offset > msix->size - bytes)
        return false;
    uint64_t end = msix->address + offset + bytes;
    *page = object_make_device(init, first, (end - first + PAGE_BYTES - 1) / PAGE_BYTES);
    if (*page)
        object_map(init, *page, INIT_SPACE, MSIX_WINDOW, RIGHT_READ | RIGHT_WRITE);
    return *page != 0;
}

static void entry_write(const struct device_bar *table, uint32_t n, const struct invoked *message)
{
    device_write32(table, ENTRY(n, address_low), (uint32_t)message->a[0]);
    device_write32(table, ENTRY(n, address_high), (uint32_t)(message->a[0] >> 32));
    device_write32(table, ENTRY(n, data), (uint32_t)message->a[1]);
    device_write32(table, ENTRY(n, control), 0);
}

/* False: the table isn't where it says, which is said. Else up to the wanted number of vectors. */
static bool msix_give(struct init *init, struct claim *claim, struct function f,
                      const struct msix *msix, struct start_device *out)
{
    struct child *child = &init->child[claim->device->domain];
    uint32_t header = config_read(f, msix->capability), page;
    uint32_t offset = config_read(f, msix->capability + 4) & ~7u;
    uint32_t count = (header >> 16 & 0x7ff) + 1;
    struct invoked message;
    if (count > claim->device->vectors)
        count = claim->device->vectors;
    if (!count)
        return true;
    if (!msix_map(init, msix, offset, count, &page)) {
        console_print("init: pci %x:%x.%u: the MSI-X table lies outside its BAR: it isn't used",
                      f.bus, f.slot, f.number);
        return false;
    }
    const struct device_bar table = {
        .base = (volatile uint8_t *)(MSIX_WINDOW + (msix->address + offset) % PAGE_BYTES),
        .size = count * sizeof(struct msix_entry)};
    config_write(f, msix->capability, (header & ~MSIX_MASK_ALL) | MSIX_ENABLE);
    out->irq_bit = SIGNAL_IRQ_FIRST + child->irq_bits;
    while (out->device.vectors < count && vector_bind(init, child, IRQ_MESSAGE, &message))
        entry_write(&table, out->device.vectors++, &message);
    sys_invoke(page, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    return true;
}

/* The firmware wrote the input of the interrupt controller that the pin is wired to into the line
 * register, and routes it there. */
static void function_pin_give(struct init *init, struct claim *claim, struct function f,
                              struct start_device *out, const char *name)
{
    uint32_t interrupt = config_read(f, PCI_INTERRUPT);
    if (interrupt >> 8 & 0xff)
        pin_give(init, claim, interrupt & 0xff, out, name);
}

/* Whether a virtio device lets itself be contained: in QEMU one without the feature reaches past
 * the IOMMU. It decodes memory, and is no bus master, meanwhile. */
static bool virtio_obeys(struct init *init, struct function f)
{
    uint32_t at = capability_find(f, CAPABILITY_VENDOR, VIRTIO_COMMON), features = 0;
    uint64_t address, size;
    bool wide;
    uint32_t bar = at ? config_read(f, at + 4) & 0xff : DEVICE_BARS;
    uint32_t offset = at ? config_read(f, at + 8) : 0;
    if (bar >= DEVICE_BARS || !bar_probe(f, bar, &address, &size, &wide) || offset % 4 ||
        offset >= size)
        return false;
    address += offset;
    if (!device_page_open(init, address & ~(uint64_t)(PAGE_BYTES - 1), FEATURES_WINDOW,
                          RIGHT_READ | RIGHT_WRITE))
        return false;
    if (address % PAGE_BYTES <= PAGE_BYTES - 8) {
        const struct device_bar common = {
            .base = (volatile uint8_t *)(FEATURES_WINDOW + address % PAGE_BYTES), .size = 8};
        uint32_t command = config_read(f, PCI_COMMAND) & 0xffff;
        config_write(f, PCI_COMMAND, command | COMMAND_MEMORY);
        device_write32(&common, VIRTIO_FEATURE_SELECT, 1);
        features = device_read32(&common, VIRTIO_FEATURES);
        config_write(f, PCI_COMMAND, command);
    }
    device_page_close(init);
    return features & VIRTIO_ACCESS_PLATFORM;
}

/* Nothing beyond the domain's DMA space is in the function's reach, from before it is a bus master.
 * False: it is left alone. */
static bool function_contain(struct init *init, struct claim *claim, struct function f,
                             uint16_t virtio, const char *name)
{
    uint16_t source = (uint16_t)(f.bus << 8 | f.slot << 3 | f.number);
    bool contained = dma_contained(init) && (!virtio || virtio_obeys(init, f));
    return containment_allows(init, claim, contained, name) &&
           dma_assign(init, claim->device->domain, source, name);
}

static void device_give(struct init *init, struct claim *claim, struct function f, const char *name)
{
    struct start_device device = {.server = claim->device->server};
    struct msix msix = {.capability = capability_find(f, CAPABILITY_MSIX, 0)};
    msix.bar = msix.capability ? config_read(f, msix.capability + 4) & 7 : DEVICE_BARS;

    bool wide;
    for (uint32_t n = 0; n < DEVICE_BARS; n += wide ? 2 : 1) {
        uint64_t address, size;
        if (!bar_probe(f, n, &address, &size, &wide) || !bar_sound(f, n, address, size))
            continue;
        if (n == msix.bar) { /* stays with init */
            msix.address = address;
            msix.size = size;
        } else {
            registers_give(init, claim, &device.device.bar[n], address, size);
        }
    }
    /* The MSI-X table can be written only while the device decodes memory; no message is sent
     * before it is a bus master. */
    uint32_t command = (config_read(f, PCI_COMMAND) & 0xffff) | COMMAND_MEMORY | COMMAND_NO_PIN;
    config_write(f, PCI_COMMAND, command & ~(uint32_t)COMMAND_MASTER);
    if (!(msix.size && msix_give(init, claim, f, &msix, &device)) &&
        !(msi_give && msi_give(init, claim, f, &device)))
        function_pin_give(init, claim, f, &device, name);
    if (device.device.pin)
        command &= ~(uint32_t)COMMAND_NO_PIN;
    config_write(f, PCI_COMMAND, command | COMMAND_MASTER);

    device.device.vendor = (uint16_t)config_read(f, PCI_ID);
    device.device.id = (uint16_t)(config_read(f, PCI_ID) >> 16);
    device.device.bus = f.bus;
    device.device.slot = f.slot;
    device.device.function = f.number;
    for (uint32_t i = 0; i < DEVICE_CONFIG_BYTES; i += 4) {
        uint32_t value = config_read(f, i);
        memcpy(&device.device.config[i], &value, 4);
    }
    device_append(init, claim, &device);
}

/* The virtio type behind PCI ids (virtio 1.1, section 4.1.2.1); 0: none. */
static uint16_t virtio_type(uint16_t vendor, uint16_t id)
{
    static const uint8_t transitional[] = {1, 2, 5, 3, 8, 4, 0, 0, 0, 9}; /* from 0x1000 on */
    if (vendor != VIRTIO_VENDOR || id < VIRTIO_TRANSITIONAL)
        return 0;
    if (id >= VIRTIO_MODERN && id <= VIRTIO_LAST)
        return (uint16_t)(id - VIRTIO_MODERN);
    uint32_t n = id - VIRTIO_TRANSITIONAL;
    return n < sizeof(transitional) ? transitional[n] : 0;
}

/* Gives a function to the first claim that fits and has room. */
static void function_offer(struct init *init, struct claims *claims, struct function f, uint32_t id)
{
    struct identity identity = {.vendor = (uint16_t)id, .id = (uint16_t)(id >> 16)};
    struct device place = {.bus = f.bus, .slot = f.slot, .function = f.number};
    char name[DEVICE_TEXT_BYTES];
    identity.virtio = virtio_type(identity.vendor, identity.id);
    device_text(&place, name);
    struct claim *claim = claim_find(init, claims, identity, name);
    if (!claim)
        return;
    uint32_t command = config_read(f, PCI_COMMAND) & 0xffff;
    config_write(f, PCI_COMMAND, command & ~(uint32_t)(COMMAND_MEMORY | COMMAND_MASTER));
    if (function_contain(init, claim, f, identity.virtio, name))
        device_give(init, claim, f, name);
}

/* Appends the bus behind a bridge, once: a function that is found twice would be given twice. */
static void bus_add(uint8_t bus, uint8_t *buses, uint32_t *bus_count)
{
    for (uint32_t i = 0; i < *bus_count; i++)
        if (buses[i] == bus)
            return;
    if (*bus_count == BUSES_MAX)
        console_print("init: pci bus %x: not scanned, it is one more than %u", bus, BUSES_MAX);
    else
        buses[(*bus_count)++] = bus;
}

/* All functions of one bus; buses behind bridges are appended to the list. False: there are none.
 */
static bool bus_scan(struct init *init, uint8_t bus, uint8_t *buses, uint32_t *bus_count,
                     struct claims *claims)
{
    bool found = false;
    for (uint8_t slot = 0; slot < SLOTS; slot++) {
        uint8_t functions = 1;
        for (uint8_t number = 0; number < functions; number++) {
            struct function f = {bus, slot, number};
            uint32_t id = config_read(f, PCI_ID);
            if ((id & 0xffff) == 0xffff)
                continue;
            found = true;
            uint32_t header = config_read(f, PCI_HEADER) >> 16 & 0xff;
            if (number == 0 && (header & 0x80))
                functions = FUNCTIONS;
            if ((header & 0x7f) == 1)
                bus_add(config_read(f, PCI_BUSES) >> 8 & 0xff, buses, bus_count);
            else if ((header & 0x7f) == 0)
                function_offer(init, claims, f, id);
        }
    }
    return found;
}

bool pci_scan(struct init *init, struct claims *claims)
{
    uint8_t buses[BUSES_MAX] = {0};
    uint32_t bus_count = 1;
    bool found = false;
    for (uint32_t i = 0; i < bus_count; i++)
        found |= bus_scan(init, buses[i], buses, &bus_count, claims);
    return found;
}
