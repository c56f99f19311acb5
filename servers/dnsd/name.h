/* SPDX-License-Identifier: ISC
 *
 * A domain name taken apart for lookup: where its labels are, and the name without case. Made from
 * the question of a query, from a name inside stored record data, and by the zone compiler.
 * Compression pointers are refused: none of these three may hold one.
 */
#ifndef MOTET_DNSD_NAME_H
#define MOTET_DNSD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "servers/dnsd/wire.h"

/* Folded names are hashed and compared a word at a time: they are followed by a word of zeros. */
enum { NAME_WORD = 8 };

struct dns_name {
    const uint8_t *wire;                  /* as it was given, uncompressed; the caller keeps it */
    uint8_t length;                       /* octets in wire, 1 to 255, the root's zero included */
    uint8_t labels;                       /* 0 to 127, the root not counted */
    uint8_t label_at[DNS_LABELS_MAX + 1]; /* offset of label i; [labels] is the root's */
    uint8_t folded[DNS_NAME_MAX + 1 + NAME_WORD];
};

/* Takes apart the name at wire, of which `available` octets may be read. Returns the octets that it
 * takes, or 0 when it is cut short, longer than 255 octets, or holds anything but plain labels. */
size_t name_parse(struct dns_name *name, const uint8_t *wire, size_t available);

/* The hash of folded octets. Up to 8 octets behind them are read, and don't count. */
uint32_t name_hash(const uint8_t *folded, size_t length, uint32_t seed);

/* Octets of the suffix that starts with label `label`. */
static inline size_t name_suffix_length(const struct dns_name *name, unsigned label)
{
    return (size_t)(name->length - name->label_at[label]);
}

/* Whether the suffix that starts with label `label` is, but for case, the name of `length` octets
 * at wire. */
bool name_suffix_is(const struct dns_name *name, unsigned label, const uint8_t *wire,
                    size_t length);

/* Whether two runs of folded octets are equal. Up to 7 octets behind each are read. */
static inline bool name_octets_equal(const uint8_t *left, const uint8_t *right, size_t length)
{
    for (; length >= NAME_WORD; length -= NAME_WORD) {
        if (load_le64(left) != load_le64(right))
            return false;
        left += NAME_WORD;
        right += NAME_WORD;
    }
    return length == 0 || (load_le64(left) ^ load_le64(right)) << (64 - 8 * length) == 0;
}

/* A to Z become a to z; every other octet stays (RFC 4343). */
static inline uint8_t name_fold(uint8_t octet)
{
    return (uint8_t)(octet - 'A') < 26 ? octet | 0x20 : octet;
}

#endif
