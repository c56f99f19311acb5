/* SPDX-License-Identifier: ISC */
/*
 * A bare DNS responder in a Linux guest (guest.h). Every query for an A record of class IN gets the
 * same address, whatever its name. It refuses (REFUSED) other types and classes, and drops what
 * isn't a query with exactly one question.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"

enum {
    HEADER_SIZE = 12,    /* RFC 1035, section 4.1.1 */
    LABEL_LIMIT = 63,    /* RFC 1035, section 2.3.4 */
    PACKET_LIMIT = 1232, /* no fragment on any common link */
    ANSWER_SIZE = 16,    /* compressed owner, type, class, TTL, length, IPv4 address */
};

/* Where the question ends in a packet of SIZE bytes, or 0 when it isn't a plain question. */
static size_t question_end(const uint8_t *packet, size_t size)
{
    size_t at = HEADER_SIZE;
    while (at < size && packet[at] != 0) {
        if (packet[at] > LABEL_LIMIT)
            return 0;
        at += 1u + packet[at];
    }
    return at + 5 <= size ? at + 5 : 0;
}

/*
 * Turns the query of SIZE bytes in PACKET, which has room for PACKET_LIMIT + ANSWER_SIZE bytes,
 * into its answer. Returns the answer's size, or 0 to drop it.
 */
static size_t answer(uint8_t *packet, size_t size)
{
    static const uint8_t one_question[2] = {0, 1};
    static const uint8_t type_a_class_in[4] = {0, 1, 0, 1};
    static const uint8_t record[ANSWER_SIZE] = {0xc0, HEADER_SIZE, 0, 1, 0,   1, 0, 0,
                                                0x0e, 0x10,        0, 4, 192, 0, 2, 1};
    if (size < HEADER_SIZE || (packet[2] & 0xf8) != 0 || memcmp(packet + 4, one_question, 2) != 0)
        return 0;
    size_t end = question_end(packet, size);
    if (end == 0)
        return 0;
    bool known = memcmp(packet + end - 4, type_a_class_in, 4) == 0;
    packet[2] = 0x84 | (packet[2] & 0x01); /* QR, AA, and RD as asked */
    packet[3] = known ? 0 : 5;             /* NOERROR or REFUSED */
    memset(packet + 6, 0, 6);
    if (!known)
        return end;
    packet[7] = 1;
    memcpy(packet + end, record, sizeof record);
    return end + sizeof record;
}

static void serve(int service)
{
    uint8_t packet[PACKET_LIMIT + ANSWER_SIZE];
    for (;;) {
        struct sockaddr_in peer;
        socklen_t peer_size = sizeof peer;
        ssize_t got =
            recvfrom(service, packet, PACKET_LIMIT, 0, (struct sockaddr *)&peer, &peer_size);
        size_t size = got > 0 ? answer(packet, (size_t)got) : 0;
        if (size > 0)
            sendto(service, packet, size, 0, (struct sockaddr *)&peer, peer_size);
    }
}

int main(void)
{
    load_modules();
    serve(open_service());
}
