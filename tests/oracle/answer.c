/* SPDX-License-Identifier: ISC
 *
 * dnsd's answers without a network: reads queries from standard input, writes answers to standard
 * output, both as frames of two octets of length, in network order, and that many octets. A frame
 * of length 0 says that nothing would be sent. Built from the server's own sources, under
 * sanitizers; the query lies in a buffer of exactly its size.
 *
 *     answer FILE.zdb [UDP_SIZE]
 *
 * Ends at the end of its input. A database that is found damaged while answering is an error here:
 * zonec wrote it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/dnsd/answer.h"

enum { CAPACITY = UINT16_MAX };

static void *allocate(size_t size)
{
    void *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        abort();
    return bytes;
}

static void *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    if (end <= 0) {
        fclose(file);
        return NULL;
    }
    rewind(file);
    void *bytes = allocate((size_t)end);
    *size = fread(bytes, 1, (size_t)end, file);
    fclose(file);
    return bytes;
}

/* Reads one query; NULL at the end of the input. */
static uint8_t *query_read(size_t *length)
{
    uint8_t head[2];

    if (fread(head, 1, sizeof head, stdin) != sizeof head)
        return NULL;
    *length = load_be16(head);
    uint8_t *query = allocate(*length);
    if (fread(query, 1, *length, stdin) != *length) {
        free(query);
        return NULL;
    }
    return query;
}

static void answer_write(const uint8_t *answer, size_t length)
{
    uint8_t head[2];

    store_be16(head, (unsigned)length);
    fwrite(head, 1, sizeof head, stdout);
    fwrite(answer, 1, length, stdout);
}

/* Answers until the input ends. The caller sends queries in batches and ends each with an empty
 * frame: only then answers must be on their way. */
static void serve(const struct zone_db *db, const struct answer_config *config,
                  struct answer_counters *counters)
{
    uint8_t *query;
    size_t query_length;

    while ((query = query_read(&query_length)) != NULL) {
        uint8_t *answer = allocate(CAPACITY);
        size_t length = 0;
        if (query_length > 0)
            length = answer_query(db, config, counters, query, query_length, answer, CAPACITY);
        answer_write(answer, length);
        if (query_length == 0)
            fflush(stdout);
        free(answer);
        free(query);
    }
}

int main(int count, char **arguments)
{
    struct answer_config config = {.udp_size = ANSWER_UDP_SIZE_DEFAULT};
    struct answer_counters counters = {{0}};
    struct zone_db db;
    size_t size;

    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: answer FILE.zdb [UDP_SIZE]\n");
        return 2;
    }
    if (count > 2)
        config.udp_size = (uint16_t)strtoul(arguments[2], NULL, 10);
    void *bytes = file_read(arguments[1], &size);
    if (bytes == NULL || zone_db_open(&db, bytes, size) != OK) {
        fprintf(stderr, "answer: %s isn't a zone database\n", arguments[1]);
        return 1;
    }
    serve(&db, &config, &counters);
    free(bytes);
    if (counters.count[ANSWER_COUNT_database_damaged] != 0) {
        fprintf(stderr, "answer: the database is damaged\n");
        return 1;
    }
    return 0;
}
