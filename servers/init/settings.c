/* SPDX-License-Identifier: ISC
 *
 * Boot settings: "key=value" words of the kernel command line, then the files opt/motet/KEY of
 * QEMU's fw_cfg (docs/specs/fw_cfg in QEMU), which win.
 */
#include <string.h>

#include "libos/syscall.h"
#include "servers/init/init.h"

enum {
    FW_CFG_SELECT = 0x510,
    FW_CFG_DATA = 0x511,
    FW_CFG_DMA_HIGH = 0x514,
    FW_CFG_DMA_LOW = 0x518,
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_DIRECTORY = 0x19,
    FW_CFG_READ = 1 << 1,
    FW_CFG_CHOOSE = 1 << 3,
    FW_CFG_LOOKS = 100000, /* QEMU finishes at once */
    FILES_MAX = 60,        /* of a directory, what fits the transfer page */
    VALUE_BYTES = 256,
};

static const char file_prefix[] = "opt/motet/";

/* The transfer page: what fw_cfg's DMA reads and writes. */
struct transfer {
    uint32_t control; /* all big endian */
    uint32_t length;
    uint64_t address;
    union {
        uint8_t bytes[4000];
        struct {
            uint32_t count;
            struct {
                uint32_t size;
                uint16_t select;
                uint16_t reserved;
                char name[56];
            } file[FILES_MAX];
        } directory;
    };
};
_Static_assert(sizeof(struct transfer) <= PAGE_BYTES, "one page");

/* The value's place if `entry` is "KEY=...", else NULL. */
static const char *value_of(const char *entry, const char *key, uint32_t key_length)
{
    if (strlen(entry) <= key_length || memcmp(entry, key, key_length) || entry[key_length] != '=')
        return NULL;
    return entry + key_length + 1;
}

static const char *find(const struct init *init, const char *key, uint32_t key_length)
{
    const char *found = NULL;
    for (uint32_t at = 0; at < init->settings_used;
         at += (uint32_t)strlen(&init->settings[at]) + 1) {
        const char *value = value_of(&init->settings[at], key, key_length);
        if (value)
            found = value; /* the last one wins */
    }
    return found;
}

const char *settings_get(const struct init *init, const char *key)
{
    return find(init, key, (uint32_t)strlen(key));
}

static void add(struct init *init, const char *key, uint32_t key_length, const char *value,
                uint32_t value_length)
{
    uint32_t bytes = key_length + 1 + value_length + 1;
    if (bytes > SETTINGS_BYTES - init->settings_used) {
        console_print("init: too many boot settings: the rest is ignored");
        return;
    }
    char *out = &init->settings[init->settings_used];
    memcpy(out, key, key_length);
    out[key_length] = '=';
    memcpy(out + key_length + 1, value, value_length);
    out[bytes - 1] = '\0';
    init->settings_used += bytes;
}

/* Words without '=' (the loader's own, such as a file name) are none of ours. */
static void read_command_line(struct init *init)
{
    const char *at = init->boot->command_line;
    while (*at) {
        uint32_t length = 0, equals = 0;
        for (; at[length] && at[length] != ' '; length++)
            if (at[length] == '=' && !equals)
                equals = length;
        if (equals)
            add(init, at, equals, at + equals + 1, length - equals - 1);
        at += length;
        while (*at == ' ')
            at++;
    }
}

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

static void read_file(struct init *init, struct transfer *transfer, uint64_t physical,
                      const char *name, uint16_t item, uint32_t size)
{
    const char *key = name + sizeof(file_prefix) - 1;
    uint32_t key_length = 0;
    while (key_length < 56 - sizeof(file_prefix) + 1 && key[key_length])
        key_length++;
    if (size > VALUE_BYTES) {
        console_print("init: setting %s: %u bytes are too many", key, size);
        return;
    }
    if (!fw_cfg_read(transfer, physical, item, size))
        return;
    while (size && (transfer->bytes[size - 1] == '\n' || transfer->bytes[size - 1] == '\0'))
        size--;
    add(init, key, key_length, (const char *)transfer->bytes, size);
}

static void read_fw_cfg(struct init *init, struct transfer *transfer, uint64_t physical)
{
    struct {
        char name[57];
        uint16_t item;
        uint32_t size;
    } file[16];
    uint32_t found = 0;
    if (!fw_cfg_read(transfer, physical, FW_CFG_DIRECTORY, sizeof(transfer->bytes)))
        return;
    uint32_t count = __builtin_bswap32(transfer->directory.count);
    for (uint32_t i = 0; i < count && i < FILES_MAX && found < 16; i++) {
        if (memcmp(transfer->directory.file[i].name, file_prefix, sizeof(file_prefix) - 1))
            continue;
        memcpy(file[found].name, transfer->directory.file[i].name, 56);
        file[found].name[56] = '\0';
        file[found].item = __builtin_bswap16(transfer->directory.file[i].select);
        file[found++].size = __builtin_bswap32(transfer->directory.file[i].size);
    }
    for (uint32_t i = 0; i < found; i++)
        read_file(init, transfer, physical, file[i].name, file[i].item, file[i].size);
}

void settings_read(struct init *init)
{
    read_command_line(init);
    if (!fw_cfg_present())
        return;
    struct invoked info;
    uint32_t page = object_make(init, OBJECT_page, 1);
    object_map(init, page, INIT_SPACE, SCRATCH_WINDOW, RIGHT_READ | RIGHT_WRITE);
    sys_invoke(page, OPERATION_page_info, 0, 0, 0, 0, 0, &info);
    read_fw_cfg(init, (struct transfer *)SCRATCH_WINDOW, info.a[0]);
    while (sys_invoke(INIT_CAPTABLE, OPERATION_captable_delete, page, 0, 0, 0, 0, NULL) ==
           ERROR_MORE)
        ;
}

bool setting_matches(const char *pattern, const char *key, uint32_t key_length)
{
    const char *end = key + key_length;
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (key == end || *key++ != *pattern)
                return false;
            continue;
        }
        const char *digits = key;
        while (key < end && *key >= '0' && *key <= '9')
            key++;
        if (key == digits)
            return false;
    }
    return key == end;
}

/* Whether the domain's servers declare a setting of that name. */
static bool understands(const struct init *init, uint32_t domain, const char *key, uint32_t length)
{
    const char *pattern = (const char *)init->image + init->domain[domain].settings;
    for (; *pattern; pattern += strlen(pattern) + 1)
        if (setting_matches(pattern, key, length))
            return true;
    return false;
}

static uint32_t key_length(const char *entry)
{
    uint32_t length = 0;
    while (entry[length] != '=')
        length++;
    return length;
}

void settings_give(struct init *init, uint32_t domain, struct start_page *start)
{
    /* The manifest's own come first in the page, and the last one of a key wins. */
    uint32_t used = 0;
    while (used < START_SETTING_BYTES && start->settings[used])
        used += (uint32_t)strlen(&start->settings[used]) + 1;
    for (uint32_t at = 0; at < init->settings_used;) {
        const char *entry = &init->settings[at];
        uint32_t bytes = (uint32_t)strlen(entry) + 1;
        at += bytes;
        if (!understands(init, domain, entry, key_length(entry)))
            continue;
        if (used + bytes + 1 > START_SETTING_BYTES) {
            console_print("init: no room for setting %s of %s", entry, init->domain[domain].name);
            continue;
        }
        memcpy(&start->settings[used], entry, bytes);
        used += bytes;
    }
}

void settings_report_unknown(const struct init *init)
{
    for (uint32_t at = 0; at < init->settings_used;) {
        const char *entry = &init->settings[at];
        uint32_t length = key_length(entry);
        bool known = setting_matches("stats.interval", entry, length);
        for (uint32_t d = 1; d < init->image->domains.count && !known; d++)
            known = understands(init, d, entry, length);
        if (!known)
            console_print("init: unknown setting \"%s\": ignored", entry);
        at += (uint32_t)strlen(entry) + 1;
    }
}
