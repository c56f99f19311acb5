/* SPDX-License-Identifier: ISC
 *
 * Where boot settings come from: "key=value" words of the kernel command line, then the files
 * opt/motet/KEY of QEMU's fw_cfg (docs/specs/fw_cfg in QEMU), which win. And where they go: into
 * the start pages of the domains whose servers declare them.
 */
#include <string.h>

#include "libos/syscall.h"
#include "servers/init/init.h"
#include "servers/init/mmio_word.h"

enum {
    FW_CFG_SELECT = 0x510,
    FW_CFG_DATA = 0x511,
    FW_CFG_DMA_HIGH = 0x514,
    FW_CFG_DMA_LOW = 0x518,
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_PROCESSORS = 0x05,
    FW_CFG_DIRECTORY = 0x19,
    FW_CFG_READ = 1 << 1,
    FW_CFG_CHOOSE = 1 << 3,
    FW_CFG_LOOKS = 100000, /* QEMU finishes at once */
    FILES_MAX = 60,        /* of the directory: what fits the transfer page */
    OWN_FILES_MAX = 32,    /* of ours */
    NAME_BYTES = 56,
    VALUE_BYTES = 256,
};

static const char file_prefix[] = "opt/motet/";
enum { PREFIX_LENGTH = sizeof(file_prefix) - 1 };

struct fw_cfg_file { /* big endian */
    uint32_t size;
    uint16_t select;
    uint16_t reserved;
    char name[NAME_BYTES];
};

/* The transfer page: what fw_cfg's DMA reads and writes. */
struct transfer {
    uint32_t control; /* big endian, like the next two */
    uint32_t length;
    uint64_t address;
    union {
        uint8_t bytes[4000];
        struct {
            uint32_t count;
            struct fw_cfg_file file[FILES_MAX];
        } directory;
    };
};
_Static_assert(sizeof(struct transfer) <= PAGE_BYTES, "one page");

/* One of our files, copied out of the directory before the page is used again. */
struct own_file {
    char key[NAME_BYTES - PREFIX_LENGTH + 1];
    uint16_t item;
    uint32_t size;
};

static void out(uint64_t port, uint64_t bytes, uint64_t value)
{
    sys_invoke(INIT_IOPORTS, OPERATION_ioport_out, port, bytes, value, 0, 0, NULL);
}

static bool fw_cfg_present(void)
{
    static const char signature[4] = {'Q', 'E', 'M', 'U'};
    out(FW_CFG_SELECT, 2, FW_CFG_SIGNATURE);
    for (uint32_t i = 0; i < sizeof(signature); i++) {
        struct invoked byte = {{0}};
        sys_invoke(INIT_IOPORTS, OPERATION_ioport_in, FW_CFG_DATA, 1, 0, 0, 0, &byte);
        if ((char)byte.a[0] != signature[i])
            return false;
    }
    return true;
}

/* Reads `length` bytes of an item into transfer->bytes. */
static bool fw_cfg_read(volatile struct transfer *transfer, uint64_t physical, uint16_t item,
                        uint32_t length)
{
    transfer->control = __builtin_bswap32((uint32_t)item << 16 | FW_CFG_CHOOSE | FW_CFG_READ);
    transfer->length = __builtin_bswap32(length);
    transfer->address = __builtin_bswap64(physical + offsetof(struct transfer, bytes));
    out(FW_CFG_DMA_HIGH, 4, __builtin_bswap32((uint32_t)(physical >> 32)));
    out(FW_CFG_DMA_LOW, 4, __builtin_bswap32((uint32_t)physical));
    for (int i = 0; i < FW_CFG_LOOKS; i++)
        if (transfer->control == 0)
            return true;
    return false;
}

static void processors_say(struct transfer *transfer, uint64_t physical)
{
    if (!fw_cfg_read(transfer, physical, FW_CFG_PROCESSORS, sizeof(uint16_t)))
        return;
    uint32_t count = transfer->bytes[0] | (uint32_t)transfer->bytes[1] << 8;
    if (count > 1)
        console_print("init: the machine has %u processors, one of them is used", count);
}

static void add(struct init *init, const char *key, const char *value, uint32_t value_length)
{
    if (!settings_add(&init->settings, key, (uint32_t)strlen(key), value, value_length))
        console_print("init: no room for setting %s: it is ignored", key);
}

static void file_read(struct init *init, struct transfer *transfer, uint64_t physical,
                      const struct own_file *file)
{
    uint32_t size = file->size;
    if (size > VALUE_BYTES) {
        console_print("init: setting %s has %u bytes, %u are the limit: it is ignored", file->key,
                      size, VALUE_BYTES);
        return;
    }
    if (!fw_cfg_read(transfer, physical, file->item, size))
        return;
    uint32_t length = 0; /* up to a NUL: what lay behind one would read as a setting of its own */
    while (length < size && transfer->bytes[length])
        length++;
    while (length && transfer->bytes[length - 1] == '\n')
        length--;
    add(init, file->key, (const char *)transfer->bytes, length);
}

static void directory_read(struct init *init, struct transfer *transfer, uint64_t physical)
{
    struct own_file own[OWN_FILES_MAX];
    uint32_t found = 0;
    if (!fw_cfg_read(transfer, physical, FW_CFG_DIRECTORY, sizeof(transfer->bytes)))
        return;
    uint32_t count = __builtin_bswap32(transfer->directory.count);
    if (count > FILES_MAX) {
        console_print("init: fw_cfg has %u files, only %u are looked at", count, FILES_MAX);
        count = FILES_MAX;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct fw_cfg_file *file = &transfer->directory.file[i];
        if (memcmp(file->name, file_prefix, PREFIX_LENGTH))
            continue;
        if (found == OWN_FILES_MAX) {
            console_print("init: fw_cfg has more than %u settings: the others are ignored", found);
            break;
        }
        struct own_file *copy = &own[found++];
        memcpy(copy->key, file->name + PREFIX_LENGTH, sizeof(copy->key) - 1);
        copy->key[sizeof(copy->key) - 1] = '\0';
        copy->item = __builtin_bswap16(file->select);
        copy->size = __builtin_bswap32(file->size);
    }
    for (uint32_t i = 0; i < found; i++)
        file_read(init, transfer, physical, &own[i]);
}

void boot_settings_read(struct init *init)
{
    if (!settings_add_words(&init->settings, init->boot->command_line))
        console_print("init: the command line has more settings than fit: some are ignored");
    if (!fw_cfg_present())
        return;
    struct invoked info;
    uint32_t page = object_make(init, OBJECT_page, 1);
    object_map(init, page, INIT_SPACE, SCRATCH_WINDOW, RIGHT_READ | RIGHT_WRITE);
    sys_invoke(page, OPERATION_page_info, 0, 0, 0, 0, 0, &info);
    directory_read(init, (struct transfer *)SCRATCH_WINDOW, info.a[0]);
    processors_say((struct transfer *)SCRATCH_WINDOW, info.a[0]);
    while (sys_invoke(INIT_CAPTABLE, OPERATION_captable_delete, page, 0, 0, 0, 0, NULL) ==
           ERROR_MORE)
        ;
}

/* Whether the domain's servers declare a setting of that name. */
static bool understands(const struct init *init, uint32_t domain, const char *entry)
{
    const char *patterns = (const char *)init->image + init->domain[domain].settings;
    return setting_matches_any(patterns, entry, setting_key_length(entry));
}

/* The manifest's own come first in the page, and the last one of a key wins. */
void boot_settings_give(struct init *init, uint32_t domain, struct start_page *start)
{
    const char *entry = NULL;
    while ((entry = settings_next(&init->settings, entry)))
        if (understands(init, domain, entry) &&
            !setting_append(start->settings, START_SETTING_BYTES, entry))
            console_print("init: no room for setting \"%s\" of %s", entry,
                          init->domain[domain].name);
}

void boot_settings_report_unknown(const struct init *init)
{
    const char *entry = NULL;
    while ((entry = settings_next(&init->settings, entry))) {
        uint32_t length = setting_key_length(entry);
        bool known = setting_matches("stats.interval", entry, length) ||
                     setting_matches("heap.limit", entry, length) ||
                     setting_matches("trace", entry, length) ||
                     setting_matches("trace.events", entry, length) ||
                     (swap_begin && setting_matches("swap.probation", entry, length)) ||
                     setting_matches(MMIO_WORD_KEY, entry, length);
        for (uint32_t d = 1; d < init->image->domains.count && !known; d++)
            known = understands(init, d, entry);
        if (!known)
            console_print("init: unknown setting \"%s\": ignored", entry);
    }
}
