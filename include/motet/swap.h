/* SPDX-License-Identifier: ISC
 *
 * Replacing a domain while it runs: what its two bodies, the loader and init tell each other.
 * docs/swap.md.
 *
 * The state is one run of bytes in the domain's state region, which both bodies have (never at the
 * same time, since only one of them runs): struct state_header, then for each record a struct
 * state_record_header and its bytes, padded to 8. All numbers are little-endian. The checksums are
 * CRC-32s (libos/crc.h).
 */
#ifndef MOTET_SWAP_H
#define MOTET_SWAP_H

#include <stdint.h>

#include "motet/msg.h"

enum {
    STATE_MAGIC = 0x6574744d, /* "Mtte" */
    STATE_FORMAT = 1,
    STATE_LIBOS_SERVER = 0, /* `server` of the libOS's own records: its counters, deadlines,
                               messages inside the domain */
};

struct state_header {
    uint32_t magic;
    uint32_t format;
    uint32_t bytes; /* in all, this header included; a multiple of 8 */
    uint32_t records;
    uint32_t check; /* of this header, with 0 here, and then of all record headers, which have the
                       checks of what follows them */
    uint32_t reserved;
    uint64_t rested; /* clock tick: no message was taken after it */
};

struct state_record_header {
    char server[16]; /* by name, terminated; "": the libOS's */
    uint16_t id;
    uint16_t version;
    uint32_t length;   /* bytes, without padding, which is zero */
    uint32_t check;    /* of those */
    uint32_t optional; /* 1: who doesn't know it may go on without */
};
_Static_assert(sizeof(struct state_header) % 8 == 0, "records are aligned");
_Static_assert(sizeof(struct state_record_header) % 8 == 0, "records are aligned");

/* What every program that can be swapped in has at the beginning of its constants
 * (PROGRAM_SECTION): what the loader goes by. */
#define PROGRAM_SECTION ".motet.program"
enum {
    PROGRAM_MAGIC = 0x6770744d /* "Mtpg" */,
    PROGRAM_NAME_BYTES = 16,
    PROGRAM_VERSION_BYTES = 24
};

struct program_note {
    uint32_t magic;
    uint16_t start_version; /* START_VERSION */
    uint16_t state_format;  /* STATE_FORMAT */
    uint32_t abi;           /* ABI_VERSION of the kernel that it is for */
    uint32_t server_abi;    /* SERVER_ABI */
    uint64_t servers;       /* address of __servers_start, */
    uint64_t servers_end;   /* and of its end: pointers to descriptors */
};

/* What the running composition demands of a program for one domain: compose makes a table of these
 * (the loader's file "swaps"), one per domain that can be swapped. */
enum { SWAP_KEY_BYTES = 32, SWAP_SERVERS_MAX = 8, SWAP_PORTS_MAX = 8 };

struct swap_port {
    char name[PROGRAM_NAME_BYTES];
    char protocol[PROGRAM_NAME_BYTES];
    uint32_t version;
    uint32_t role;   /* enum conn_role */
    uint32_t number; /* among the server's ports: start pages name it by that */
};

struct swap_server {
    char name[PROGRAM_NAME_BYTES];
    uint32_t ports;
    uint32_t reserved;
    struct swap_port port[SWAP_PORTS_MAX]; /* those that the manifest connects */
};

struct swap_program {
    char domain[PROGRAM_NAME_BYTES];
    uint64_t text_address, constants_address;
    uint32_t text_room, constants_room; /* bytes, whole pages */
    uint32_t state_room;                /* bytes for the servers' states, behind the libOS's own */
    uint32_t stack_room;                /* bytes that the servers may ask for */
    uint32_t number;                    /* the domain's */
    uint32_t servers;                   /* exactly these, in link order */
    struct swap_server server[SWAP_SERVERS_MAX];
    uint8_t key[SWAP_KEY_BYTES]; /* Ed25519: only what is signed by it; zeros: signed or not */
};

/* The last bytes of a program's file that is signed: over all bytes before. */
#define SWAP_SIGNATURE_MAGIC "MotetSig"
struct swap_signature {
    char magic[8];
    uint8_t signature[64];
};
_Static_assert(sizeof(struct swap_signature) == 72, "the format of files");

/* The loader's verdict: a message SUPERVISOR_VERDICT to init. init checks each number against what
 * it knows itself. Offsets are bytes in the staging memory. */
enum swap_refusal {
    SWAP_FINE,
    SWAP_NOT_ELF,         /* no ELF64 program for x86-64, or it is cut off */
    SWAP_NO_PROGRAM,      /* no struct program_note: not made for swapping */
    SWAP_WRONG_ABI,       /* for another kernel or libOS */
    SWAP_WRONG_DOMAIN,    /* made of other servers */
    SWAP_WRONG_PORTS,     /* a port that is connected is missing or of another protocol version */
    SWAP_TOO_LARGE,       /* text, constants, state or stack have no room */
    SWAP_WRONG_PLACE,     /* linked to other addresses: for another image */
    SWAP_WRITABLE,        /* it has writable data */
    SWAP_WRONG_CHECKSUM,  /* not what the host sent */
    SWAP_WRONG_SIGNATURE, /* none, or not by the key of the manifest */
    SWAP_LOADER_DIED,     /* the loader itself didn't come to an end: init says so */
    SWAP_REFUSALS,
};

/* Which ABI it is that differs: `detail` of SWAP_WRONG_ABI. */
enum swap_abi { SWAP_ABI_START = 1, SWAP_ABI_STATE, SWAP_ABI_KERNEL, SWAP_ABI_SERVER };

/* What is wrong with the signature: of SWAP_WRONG_SIGNATURE. */
enum swap_signing { SWAP_UNSIGNED = 1, SWAP_SIGNED_WRONG };

/* What there is no room for, or is elsewhere: of SWAP_TOO_LARGE and SWAP_WRONG_PLACE. */
enum swap_part { SWAP_PART_TEXT = 1, SWAP_PART_CONSTANTS, SWAP_PART_STATE, SWAP_PART_STACK };

struct swap_verdict {
    uint32_t refusal; /* enum swap_refusal */
    uint32_t detail;  /* for people. WRONG_ABI, TOO_LARGE, WRONG_PLACE: see above; NO_PROGRAM: 1 +
                         the server whose descriptor is broken, or 0; WRONG_DOMAIN: 1 + the server
                         that is another one, or 0: it has more or fewer; WRONG_PORTS: 1 + server,
                         256 * the port's number */
    uint64_t entry;   /* address, in the text */
    uint32_t text_offset, text_bytes;
    uint32_t constants_offset, constants_bytes;
    char version[PROGRAM_NAME_BYTES]; /* of its (first) server, for people */
};
_Static_assert(sizeof(struct swap_verdict) <= MSG_BYTES, "fits a message");

/* SUPERVISOR_RESTED: the old version, at rest, state taken. After it the sender runs on only if
 * the swap failed. */
struct swap_rested {
    uint32_t error;  /* enum error; not OK: it can't be saved (LIMIT: no room) */
    uint32_t bytes;  /* of state */
    uint64_t rested; /* clock tick */
};

/* SUPERVISOR_BEGUN: the new version has loaded the state and enters its loop. */
struct swap_begun {
    uint64_t began;  /* clock tick */
    uint32_t queued; /* messages that had come meanwhile */
    uint32_t reserved;
};
_Static_assert(sizeof(struct swap_rested) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct swap_begun) <= MSG_BYTES, "fits a message");

#endif
