/* SPDX-License-Identifier: ISC
 *
 * Reading and writing big-endian fields at any alignment, and the sizes of headers.
 */
#ifndef MOTET_NETD_WIRE_H
#define MOTET_NETD_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Off the path of a datagram from client to client: to be small rather than fast. */
#define COLD __attribute__((cold))

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the swaps below");

/* bytes */
enum {
    ETHERNET_BYTES = 14,
    ETHERNET_ADDRESS = 6,
    ARP_BYTES = 28,
    IPV4_BYTES = 20,
    IPV4_BYTES_MAX = 60, /* with options */
    UDP_BYTES = 8,
    ICMP_BYTES = 8,
    TRANSPORT_BYTES =
        8, /* of payload that are copied with the IPv4 header: UDP's or ICMP's header */
};

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_ARP = 0x0806 };

/* Written with the compiler's own memcpy: in freestanding code the plain name is always a call. */
static inline uint16_t load_be16(const uint8_t *from)
{
    uint16_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return __builtin_bswap16(value);
}

static inline uint32_t load_be32(const uint8_t *from)
{
    uint32_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return __builtin_bswap32(value);
}

static inline void store_be16(uint8_t *to, uint16_t value)
{
    value = __builtin_bswap16(value);
    __builtin_memcpy(to, &value, sizeof(value));
}

static inline void store_be32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    __builtin_memcpy(to, &value, sizeof(value));
}

/* Ethernet addresses */

static inline void mac_copy(uint8_t *to, const uint8_t *from)
{
    __builtin_memcpy(to, from, ETHERNET_ADDRESS);
}

static inline bool mac_equal(const uint8_t *one, const uint8_t *other)
{
    return !__builtin_memcmp(one, other, ETHERNET_ADDRESS);
}

#endif
