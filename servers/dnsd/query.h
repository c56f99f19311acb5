/* SPDX-License-Identifier: ISC
 *
 * A query parsed once into a checked struct. Called by answer.c only.
 */
#ifndef MOTET_DNSD_QUERY_H
#define MOTET_DNSD_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "servers/dnsd/name.h"

struct query {
    const uint8_t *bytes;
    size_t length;
    size_t question_end; /* offset behind the question; 0 while none has been read */
    uint16_t type;
    uint16_t class;
    bool edns;             /* holds an OPT record */
    bool dnssec_ok;        /* its DO bit */
    bool nsid;             /* its NSID option (RFC 5001) */
    uint16_t udp_size;     /* its payload size in octets, as the client wrote it */
    uint8_t cookie_length; /* of its cookie option: 8, 16 to 40, or 0 without one */
    const uint8_t *cookie; /* in bytes */
    struct dns_name name;
};

/* Parses the `length` octets at bytes, at least a header, which must be a query and not a response.
 * The caller keeps them. Returns what is wrong with it, as far as that doesn't depend on our zones:
 * NOERROR, FORMERR, NOTIMP, BADVERS or REFUSED. The question is there (question_end) for NOERROR,
 * BADVERS and REFUSED, maybe for the others; `edns` says whether a sound OPT record was reached.
 * NOERROR without a question asks for a cookie only (RFC 7873 5.4). */
enum dns_rcode query_parse(struct query *query, const uint8_t *bytes, size_t length);

#endif
