/* SPDX-License-Identifier: ISC
 *
 * The message: 64 bytes, one cache line. The same format crosses a channel's ring and the kernel's
 * ports; there the kernel overwrites `tag` with the badge of the capability that was used.
 */
#ifndef MOTET_MSG_H
#define MOTET_MSG_H

#include <stdint.h>
#include <string.h>

enum {
    MSG_WORDS = 6,
    MSG_BYTES = MSG_WORDS * 8,
    MSG_REPLY = 1u << 0,  /* flags: answers the request with the same op and tag */
    MSG_CANCEL = 1u << 1, /* flags: the request with the same op and tag is no longer wanted; only
                             in protocols that say so */
};

struct msg {
    uint16_t op;    /* operation: one enumeration per protocol, see ipc/proto/ */
    uint16_t flags; /* MSG_... */
    int32_t status; /* enum error; meaningful in replies */
    uint64_t tag;   /* the requester's cookie, returned unchanged by a reply */
    union {
        uint64_t w[MSG_WORDS];
        uint8_t bytes[MSG_BYTES];
    };
};
_Static_assert(sizeof(struct msg) == 64, "a message is one cache line");

/* Payload structs of protocols are copied in and out, so that neither alignment nor aliasing
 * matters. `size` is at most MSG_BYTES: protocols assert it. */
static inline void msg_set(struct msg *m, uint16_t op, const void *payload, size_t size)
{
    *m = (struct msg){.op = op};
    memcpy(m->bytes, payload, size);
}

static inline void msg_get(const struct msg *m, void *payload, size_t size)
{
    memcpy(payload, m->bytes, size);
}

/* Where the payload is, for who reads it once and needn't keep it: aligned to 8 bytes. A message
 * that `receive` gets is private memory already: no peer writes to it any more. */
static inline const void *msg_payload(const struct msg *m)
{
    return m->bytes;
}

#endif
