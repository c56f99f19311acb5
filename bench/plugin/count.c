/* SPDX-License-Identifier: ISC */
/*
 * QEMU TCG plugin: counts the guest instructions executed in the kernel and in each domain.
 * Built and loaded by bench/lib_qemu.py as -plugin count.so,domains=FILE,counts=FILE.
 *
 * The counters live in the file COUNTS, mapped shared, so whoever started QEMU reads them at any
 * time and QEMU is never disturbed: unsigned 64-bit numbers in host byte order, first those of
 * enum counter, then one per domain in the order in which DOMAINS names them first.
 *
 * All domains are linked at the same addresses, and a plugin sees no page-table root. So a block
 * of user code is told apart by the page it lies in, when it is translated: that page must equal,
 * byte for byte, the same page of a domain's ELF file. DOMAINS has one line per executable segment,
 *
 *     NAME ADDRESS OFFSET SIZE PATH
 *
 * with the numbers in hexadecimal (guest virtual address, offset and size in the file PATH).
 * Domains never write to their code, so the comparison can't go stale.
 *
 * Each iteration of a repeated string instruction counts, as it does for QEMU's -icount. Counting
 * isn't atomic: guests with more than one CPU are refused.
 */
#include "qemu_plugin.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DOMAIN_LIMIT = 64,   /* a manifest with more would need another table, not a bigger one */
    SEGMENT_LIMIT = 256, /* four executable segments per domain */
    NAME_SIZE = 32,
    PATH_SIZE = 1024,
    GUEST_PAGE = 4096,
};

#define KERNEL_BASE UINT64_C(0xffff800000000000) /* the upper half of the address space */

enum counter {
    COUNTER_KERNEL, /* at or above KERNEL_BASE */
    COUNTER_OTHER,  /* below it, in no known domain: firmware, start-up, an unlisted program */
    COUNTER_SHARED, /* in a page that several domains have alike at the same address */
    COUNTER_DOMAIN, /* the first domain */
    COUNTER_LIMIT = COUNTER_DOMAIN + DOMAIN_LIMIT,
};

struct segment {
    uint64_t address;     /* guest virtual address */
    uint64_t size;        /* bytes */
    const uint8_t *bytes; /* the ELF file's, mapped */
    enum counter counter;
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static uint64_t *counters;
static char domain_names[DOMAIN_LIMIT][NAME_SIZE];
static size_t domain_count;
static struct segment segments[SEGMENT_LIMIT];
static size_t segment_count;

static int refuse(const char *what, const char *which)
{
    fprintf(stderr, "count.so: %s: %s\n", what, which);
    return -1;
}

static bool counters_map(const char *path)
{
    size_t size = COUNTER_LIMIT * sizeof *counters;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, (off_t)size) != 0)
        return false;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED)
        return false;
    counters = memory;
    return true;
}

/* The counter of the domain NAME, a new one when it's new; COUNTER_LIMIT when the table is full. */
static enum counter domain_counter(const char *name)
{
    size_t domain = 0;
    while (domain < domain_count && strcmp(domain_names[domain], name) != 0)
        domain++;
    if (domain == DOMAIN_LIMIT)
        return COUNTER_LIMIT;
    if (domain == domain_count)
        snprintf(domain_names[domain_count++], NAME_SIZE, "%s", name);
    return (enum counter)(COUNTER_DOMAIN + domain);
}

/* Maps the whole file PATH, which must have SIZE bytes from OFFSET on. */
static const uint8_t *file_map(const char *path, uint64_t offset, uint64_t size)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    void *memory = MAP_FAILED;
    if (fstat(file, &status) == 0 && offset <= (uint64_t)status.st_size &&
        size <= (uint64_t)status.st_size - offset)
        memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    return memory == MAP_FAILED ? NULL : (const uint8_t *)memory + offset;
}

static bool segment_add(const char *line)
{
    char name[NAME_SIZE], path[PATH_SIZE];
    uint64_t address, offset, size;
    if (sscanf(line, "%31s %" SCNx64 " %" SCNx64 " %" SCNx64 " %1023[^\n]", name, &address, &offset,
               &size, path) != 5)
        return false;
    enum counter counter = domain_counter(name);
    const uint8_t *bytes = file_map(path, offset, size);
    if (counter == COUNTER_LIMIT || bytes == NULL || segment_count == SEGMENT_LIMIT)
        return false;
    segments[segment_count++] = (struct segment){address, size, bytes, counter};
    return true;
}

static int segments_read(const char *path)
{
    char line[NAME_SIZE + PATH_SIZE + 64] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return refuse("can't read", path);
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL)
        good = segment_add(line);
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return good ? 0 : refuse("bad or too many segments", line);
}

/* True when the guest page at ADDRESS, whose bytes are at PAGE, is SEGMENT's where they overlap. */
static bool segment_holds(const struct segment *segment, uint64_t address, const uint8_t *page)
{
    uint64_t page_address = address & ~(uint64_t)(GUEST_PAGE - 1);
    if (address < segment->address || address - segment->address >= segment->size)
        return false;
    uint64_t end = segment->address + segment->size;
    uint64_t from = segment->address > page_address ? segment->address : page_address;
    uint64_t to = end < page_address + GUEST_PAGE ? end : page_address + GUEST_PAGE;
    return memcmp(page + (from - page_address), segment->bytes + (from - segment->address),
                  to - from) == 0;
}

/* Which counter the code at guest ADDRESS belongs to; HOST is where QEMU has it, or NULL. */
static enum counter counter_of(uint64_t address, const uint8_t *host)
{
    if (address >= KERNEL_BASE)
        return COUNTER_KERNEL;
    if (host == NULL)
        return COUNTER_OTHER;
    const uint8_t *page = host - address % GUEST_PAGE;
    enum counter found = COUNTER_OTHER;
    for (size_t i = 0; i < segment_count; i++) {
        if (segments[i].counter == found || !segment_holds(&segments[i], address, page))
            continue;
        if (found != COUNTER_OTHER)
            return COUNTER_SHARED;
        found = segments[i].counter;
    }
    return found;
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(block, 0);
    enum counter counter = counter_of(qemu_plugin_insn_vaddr(first), qemu_plugin_insn_haddr(first));
    /* Per instruction, not per block: blocks end early on faults and on input or output. */
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++)
        qemu_plugin_register_vcpu_insn_exec_inline(
            qemu_plugin_tb_get_insn(block, i), QEMU_PLUGIN_INLINE_ADD_U64, &counters[counter], 1);
}

static const char *argument(int argc, char **argv, const char *key)
{
    size_t length = strlen(key);
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], key, length) == 0 && argv[i][length] == '=')
            return argv[i] + length + 1;
    return NULL;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *counts = argument(argc, argv, "counts");
    const char *domains = argument(argc, argv, "domains");
    if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
        return refuse("can't count for", info->target_name);
    if (info->system.max_vcpus > 1)
        return refuse("can't count for", "more than one CPU");
    if (counts == NULL || !counters_map(counts))
        return refuse("can't map the counters", counts == NULL ? "counts= is missing" : counts);
    if (domains != NULL && segments_read(domains) != 0)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
