/* SPDX-License-Identifier: ISC
 *
 * See sntp.h.
 */
#include "servers/timed/sntp.h"

#include <string.h>

/* RFC 4330, section 4. */
enum {
    AT_FLAGS = 0, /* leap indicator, version, mode */
    AT_STRATUM = 1,
    AT_POLL = 2,
    AT_PRECISION = 3,
    AT_DISPERSION = 8,
    AT_REFERENCE_ID = 12,
    AT_REFERENCE = 16,
    AT_ORIGINATE = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40,

    MODE_CLIENT = 3,
    MODE_SERVER = 4,
    VERSION_FIRST = 1,
    VERSION_LAST = 4,
    LEAP_UNKNOWN = 0xc0, /* the clock isn't right */
    PRIMARY = 1,
    PRECISION = -20, /* about a microsecond: what passes between reading a clock and sending */
    SECOND_NS = 1000000000,
};

/* From 1900 to 1970: 70 years and 17 leap days. Of the sum the lower 32 bits count: clients know
 * which era they live in. */
#define SECONDS_1900_TO_1970 2208988800ull

static void store_32(uint8_t *to, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void store_time(uint8_t *to, uint64_t nanoseconds)
{
    store_32(to, (uint32_t)(nanoseconds / SECOND_NS + SECONDS_1900_TO_1970));
    store_32(to + 4, (uint32_t)((nanoseconds % SECOND_NS << 32) / SECOND_NS));
}

/* Seconds in 16.16, rounded up. */
static uint32_t dispersion(uint64_t nanoseconds)
{
    const uint64_t value = (nanoseconds * 65536 + SECOND_NS - 1) / SECOND_NS;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

bool sntp_answer(const uint8_t request[SNTP_BYTES], const struct sntp_time *time,
                 uint8_t answer[SNTP_BYTES])
{
    const uint8_t version = request[AT_FLAGS] >> 3 & 7, mode = request[AT_FLAGS] & 7;
    if (mode != MODE_CLIENT || version < VERSION_FIRST || version > VERSION_LAST)
        return false;
    memset(answer, 0, SNTP_BYTES);
    answer[AT_FLAGS] = (uint8_t)(version << 3 | MODE_SERVER | (time->known ? 0 : LEAP_UNKNOWN));
    answer[AT_POLL] = request[AT_POLL];
    answer[AT_PRECISION] = (uint8_t)PRECISION;
    memcpy(&answer[AT_ORIGINATE], &request[AT_TRANSMIT], 8);
    memcpy(&answer[AT_REFERENCE_ID], time->known ? "LOCL" : "INIT", 4); /* section 4 and 8 */
    if (!time->known)
        return true;
    answer[AT_STRATUM] = PRIMARY;
    store_32(&answer[AT_DISPERSION], dispersion(time->error));
    store_time(&answer[AT_REFERENCE], time->now);
    store_time(&answer[AT_RECEIVE], time->now);
    store_time(&answer[AT_TRANSMIT], time->now);
    return true;
}
