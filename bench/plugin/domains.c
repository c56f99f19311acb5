/* SPDX-License-Identifier: ISC */
/*
 * See domains.h.
 */
#include "domains.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 32, PATH_SIZE = 1024, GUEST_PAGE = 4096 };

struct segment {
    uint64_t address;     /* guest virtual address */
    uint64_t size;        /* bytes */
    const uint8_t *bytes; /* the ELF file's, mapped */
    int place;
};

static char domain_names[DOMAIN_LIMIT][NAME_SIZE];
static size_t domain_count;
static struct segment segments[SEGMENT_LIMIT];
static size_t segment_count;

/* The place of the domain NAME, a new one when it's new; PLACE_LIMIT when the table is full. */
static int domain_place(const char *name)
{
    size_t domain = 0;
    while (domain < domain_count && strcmp(domain_names[domain], name) != 0)
        domain++;
    if (domain == DOMAIN_LIMIT)
        return PLACE_LIMIT;
    if (domain == domain_count)
        snprintf(domain_names[domain_count++], NAME_SIZE, "%s", name);
    return PLACE_DOMAIN + (int)domain;
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
    int place = domain_place(name);
    const uint8_t *bytes = file_map(path, offset, size);
    if (place == PLACE_LIMIT || bytes == NULL || segment_count == SEGMENT_LIMIT)
        return false;
    segments[segment_count++] = (struct segment){address, size, bytes, place};
    return true;
}

bool domains_read(const char *path)
{
    char line[NAME_SIZE + PATH_SIZE + 64] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL)
        good = segment_add(line);
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    if (!good)
        fprintf(stderr, "bad or too many segments: %s\n", line);
    return good;
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

int place_of(uint64_t address, const uint8_t *host)
{
    if (address >= KERNEL_BASE)
        return PLACE_KERNEL;
    if (host == NULL)
        return PLACE_OTHER;
    const uint8_t *page = host - address % GUEST_PAGE;
    int found = PLACE_OTHER;
    for (size_t i = 0; i < segment_count; i++) {
        if (segments[i].place == found || !segment_holds(&segments[i], address, page))
            continue;
        if (found != PLACE_OTHER)
            return PLACE_SHARED;
        found = segments[i].place;
    }
    return found;
}

const char *plugin_argument(int argc, char **argv, const char *key)
{
    size_t length = strlen(key);
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], key, length) == 0 && argv[i][length] == '=')
            return argv[i] + length + 1;
    return NULL;
}
