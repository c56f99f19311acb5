/* SPDX-License-Identifier: ISC
 *
 * SNTP answers (RFC 4330, a server's part): text in, text out, no state. Refuses what isn't the
 * request of a client.
 */
#ifndef SERVERS_TIMED_SNTP_H
#define SERVERS_TIMED_SNTP_H

#include <stdbool.h>
#include <stdint.h>

enum { SNTP_PORT = 123, SNTP_BYTES = 48 };

struct sntp_time {
    bool known;
    uint64_t now;   /* nanoseconds since 1970 */
    uint64_t error; /* how far from it the truth may be, nanoseconds */
};

/* Answers the first SNTP_BYTES of a datagram. False: it is no request. */
bool sntp_answer(const uint8_t request[SNTP_BYTES], const struct sntp_time *time,
                 uint8_t answer[SNTP_BYTES]);

#endif
