/* SPDX-License-Identifier: ISC */
/*
 * dnsd's answering code as the only process of a Linux guest (guest.h), with the zone database that
 * the image has, in /zones.zdb: what differs is all that is around that code.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "guest.h"
#include "servers/dnsd/answer.h"

enum { QUERY_MAX = 2048, ANSWER_MAX = 1232 };

static void open_zones(struct zone_db *db)
{
    FILE *file = fopen("/zones.zdb", "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail("/zones.zdb");
    long size = ftell(file);
    void *bytes = size > 0 ? malloc((size_t)size) : NULL;
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size ||
        zone_db_open(db, bytes, (size_t)size) != OK)
        fail("zones");
    fclose(file);
}

static void serve(int service, const struct zone_db *db)
{
    static struct answer_counters counters;
    static uint8_t query[QUERY_MAX], answer[ANSWER_MAX];
    const struct answer_config config = {.udp_size = ANSWER_UDP_SIZE_DEFAULT};

    for (;;) {
        struct sockaddr_in peer;
        socklen_t peer_size = sizeof peer;
        ssize_t got =
            recvfrom(service, query, sizeof query, 0, (struct sockaddr *)&peer, &peer_size);
        size_t size = got > 0 ? answer_query(db, &config, &counters, query, (size_t)got, answer,
                                             sizeof answer)
                              : 0;
        if (size > 0)
            sendto(service, answer, size, 0, (struct sockaddr *)&peer, peer_size);
    }
}

int main(void)
{
    struct zone_db db;

    load_modules();
    open_zones(&db);
    serve(open_service(), &db);
}
