/* SPDX-License-Identifier: ISC
 *
 * ICMP messages: see icmp.h.
 */
#include "servers/netd/checksum.h"
#include "servers/netd/icmp.h"

#define LIMIT_INTERVAL 100000000ull /* ns per error */
enum { LIMIT_BURST = 10 };

bool icmp_deserves_error(const struct datagram *datagram)
{
    if (datagram->broadcast)
        return false;
    return datagram->protocol != IP_ICMP || !icmp_is_error(datagram_transport(datagram)[0]);
}

COLD bool icmp_limit_allows(struct icmp_limit *limit, uint64_t now)
{
    if (limit->time < now)
        limit->time = now;
    if (limit->time - now > (LIMIT_BURST - 1) * LIMIT_INTERVAL)
        return false;
    limit->time += LIMIT_INTERVAL;
    return true;
}

COLD uint32_t icmp_build_error(uint8_t *to, enum icmp_type type, enum icmp_code code,
                               const struct datagram *datagram)
{
    uint8_t message[ICMP_ERROR_MAX] = {(uint8_t)type, (uint8_t)code};
    uint32_t payload = datagram->length < TRANSPORT_BYTES ? datagram->length : TRANSPORT_BYTES;
    uint32_t length = ICMP_BYTES + datagram->header_length + payload;
    memcpy(message + ICMP_BYTES, datagram->header, datagram->header_length + payload);
    checksum_store(message + 2, (uint16_t)~checksum_fold(checksum_add(0, message, length)));
    memcpy(to, message, length);
    return length;
}

void icmp_build_reply(uint8_t *to, const uint8_t *request)
{
    /* Only the type changes, from 8 to 0: RFC 1624. */
    uint32_t checksum = load_be16(request + 2) + ((uint32_t)ICMP_ECHO << 8);
    memcpy(to, request, ICMP_BYTES);
    to[0] = ICMP_ECHO_REPLY;
    store_be16(to + 2, (uint16_t)(checksum + (checksum >> 16)));
}

bool icmp_checksum_ok(const struct datagram *datagram, const struct pool *pool)
{
    uint64_t sum = checksum_add(0, datagram_transport(datagram), ICMP_BYTES);
    sum = datagram_sum(datagram, pool, sum, datagram->length - (uint32_t)ICMP_BYTES);
    return checksum_fold(sum) == 0xffff;
}
