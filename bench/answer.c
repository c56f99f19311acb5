/* SPDX-License-Identifier: ISC
 *
 * Answers one query again and again, for callgrind to count (bench/answer.py): answer ZDB COUNT
 * NAME TYPE [do]. In NAME each # becomes the round's number, spread over the first 4 arguments'
 * COUNT. Prints the answer's length, response code and number of records.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "servers/dnsd/answer.h"

enum { ROUNDS = 1000, STRIDE = 7919 /* prime: the names asked for are all over the zone */ };

static size_t query_make(uint8_t *query, const char *pattern, unsigned number, unsigned type,
                         bool dnssec_ok)
{
    static const uint8_t head[DNS_HEADER_SIZE] = {0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    char name[256];
    uint8_t *out = query + sizeof head;
    size_t length = 0;

    for (; *pattern != '\0' && length < sizeof name - 16; pattern++) {
        if (*pattern == '#')
            length += (size_t)sprintf(name + length, "%u", number);
        else
            name[length++] = *pattern;
    }
    name[length] = '\0';
    memcpy(query, head, sizeof head);
    for (char *label = strtok(name, "."); label != NULL; label = strtok(NULL, ".")) {
        *out++ = (uint8_t)strlen(label);
        memcpy(out, label, strlen(label));
        out += strlen(label);
    }
    *out++ = 0;
    out = store_be16(store_be16(out, type), DNS_CLASS_IN);
    *out++ = 0;
    out = store_be16(store_be16(out, DNS_TYPE_OPT), 1232);
    out = store_be32(out, dnssec_ok ? 0x8000 : 0);
    return (size_t)(store_be16(out, 0) - query);
}

int main(int count, char **values)
{
    static struct answer_counters counters;
    struct answer_config config = {.udp_size = 1232};
    uint8_t query[512], answer[2048];
    struct zone_db db;
    struct stat status;

    if (count < 5)
        return 2;
    int file = open(values[1], O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0)
        return 1;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED || zone_db_open(&db, bytes, (size_t)status.st_size) != OK)
        return 1;
    unsigned names = (unsigned)atoi(values[2]), type = (unsigned)atoi(values[4]);
    size_t length = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t asked = query_make(query, values[3], (round * STRIDE) % names, type, count > 5);
        length = answer_query(&db, &config, &counters, query, asked, answer, sizeof answer);
    }
    printf("%zu %u %u\n", length, answer[3] & 15u, load_be16(answer + 6));
    return 0;
}
