/* SPDX-License-Identifier: ISC
 *
 * Numbers of the DNS wire format (RFC 1035, 6891) and access to octets in network order. Used by
 * everything in dnsd and by the zone compiler; holds no logic.
 */
#ifndef MOTET_DNSD_WIRE_H
#define MOTET_DNSD_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DNS_HEADER_SIZE = 12,
    DNS_NAME_MAX = 255,       /* octets of a name, the root's zero included (RFC 1035 2.3.4) */
    DNS_LABEL_MAX = 63,       /* octets of a label, its length octet not included */
    DNS_LABELS_MAX = 127,     /* labels of a name, the root not included */
    DNS_POINTER = 0xc000,     /* marks a compression pointer (RFC 1035 4.1.4) */
    DNS_POINTER_MAX = 0x3fff, /* highest offset that a pointer can name */
    DNS_QUESTION_TAIL = 4,    /* type and class after the name of a question */
    DNS_RECORD_TAIL = 10,     /* type, class, TTL and RDLENGTH after the owner of a record */
    DNS_OPT_SIZE = 11,        /* an OPT record without options (RFC 6891 6.1.2) */
    DNS_UDP_SIZE_MIN = 512,   /* octets every client takes (RFC 1035 4.2.1, RFC 6891 6.2.3) */
    DNS_TTL_MAX = 0x7fffffff, /* seconds (RFC 2181 8) */
};

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_SRV = 33,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_DS = 43,
    DNS_TYPE_RRSIG = 46,
    DNS_TYPE_NSEC = 47,
    DNS_TYPE_DNSKEY = 48,
    DNS_TYPE_NSEC3 = 50,
    DNS_TYPE_NSEC3PARAM = 51,
    DNS_TYPE_TSIG = 250,
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
    DNS_TYPE_ANY = 255,
};

enum { DNS_CLASS_IN = 1, DNS_CLASS_CH = 3, DNS_CLASS_ANY = 255 };

/* EDNS options. */
enum {
    DNS_OPTION_NSID = 3,
    DNS_OPTION_COOKIE = 10,
    DNS_OPTION_ERROR = 15,
    DNS_OPTION_HEAD = 4,
    DNS_ERROR_SIZE = 2,
};

/* Extended errors (RFC 8914 4); the first isn't one. */
enum dns_extended_error { DNS_ERROR_NONE = 0xffff, DNS_ERROR_NOT_AUTHORITATIVE = 20 };

/* Response codes; those above 15 need an OPT record for their upper bits. */
enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_YXDOMAIN = 6,
    DNS_NOTAUTH = 9,
    DNS_BADVERS = 16,
};

/* The third octet of the header. */
enum {
    DNS_FLAG_QR = 0x80,
    DNS_OPCODE_MASK = 0x78,
    DNS_FLAG_AA = 0x04,
    DNS_FLAG_TC = 0x02,
    DNS_FLAG_RD = 0x01,
};

enum { DNS_EDNS_DO = 0x80 }; /* third octet of an OPT record's TTL field (RFC 3225) */

/* Loads and stores are written with __builtin_memcpy: freestanding code would call memcpy. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads of stored words assume this");

static inline uint16_t load_be16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)load_be16(bytes) << 16 | load_be16(bytes + 2);
}

static inline uint16_t load_le16(const uint8_t *bytes)
{
    uint16_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t load_le32(const uint8_t *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t load_le64(const uint8_t *bytes)
{
    uint64_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

/* The stores return where to go on. */
static inline uint8_t *store_be16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
    return bytes + 2;
}

static inline uint8_t *store_be32(uint8_t *bytes, uint32_t value)
{
    return store_be16(store_be16(bytes, value >> 16), value & 0xffff);
}

static inline void store_le16(uint8_t *bytes, uint16_t value)
{
    __builtin_memcpy(bytes, &value, sizeof value);
}

static inline void store_le64(uint8_t *bytes, uint64_t value)
{
    __builtin_memcpy(bytes, &value, sizeof value);
}

static inline void store_le32(uint8_t *bytes, uint32_t value)
{
    __builtin_memcpy(bytes, &value, sizeof value);
}

/* Copies octets that don't overlap, by words where it can: these are short runs, and a call, or an
 * instruction that repeats, costs more than they do. */
static inline void copy_octets(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 8) {
        uint64_t last = load_le64(from + length - 8);
        uint8_t *end = to + length - 8;
        for (; to < end; to += 8, from += 8)
            store_le64(to, load_le64(from));
        store_le64(end, last);
    } else if (length >= 4) {
        uint32_t last = load_le32(from + length - 4);
        store_le32(to, load_le32(from));
        store_le32(to + length - 4, last);
    } else {
        for (; length > 0; length--)
            *to++ = *from++;
    }
}

#endif
