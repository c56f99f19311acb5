/* SPDX-License-Identifier: ISC
 *
 * The control protocol: between the host command (tools/control) and the control server
 * (servers/control) over a stream of bytes, and, for what only init knows, between the control
 * server and init as messages. docs/control.md.
 *
 * On the stream there are frames: a header, `length` bytes, and a CRC-32 of those. The host asks,
 * one request at a time; the server answers each and says nothing else. All numbers are
 * little-endian. Neither side believes the stream: a header whose check is wrong isn't one, and
 * both look for the next byte that may begin a frame.
 *
 * A request to init is a message with the operation SUPERVISOR_CONTROL + enum control_op and one
 * number in w[0]; its answer carries the same operation, the error in `status`, and in its words
 * what a reply carries behind struct control_status. So init's part is numbers of a fixed size.
 */
#ifndef MOTET_CONTROL_H
#define MOTET_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "motet/msg.h"

enum {
    CONTROL_MAGIC = 0x3174634d, /* "Mct1" */
    CONTROL_VERSION = 1,
    CONTROL_REPLY = 0x8000, /* in a frame's `op`: it answers the request with that op and tag */
    CONTROL_REQUEST_MAX = 1024,
    CONTROL_REPLY_MAX = 1024,
    SUPERVISOR_CONTROL = 0x100, /* in a message's `op` to init, behind enum supervisor_op */
    CONTROL_NAME_BYTES = 16,
};

/* | op          | argument                 | reply, behind struct control_status                 |
 * |-------------|--------------------------|-----------------------------------------------------|
 * | IMAGE       | none                     | control_image, control_kernel                       |
 * | DOMAIN      | domain, 1 and up         | control_domain                                      |
 * | SERVER      | domain, server << 16     | control_server                                      |
 * | END         | domain                   | control_end: why it stopped last                    |
 * | CONNECTION  | connection, 0 and up     | control_connection                                  |
 * | COUNTERS    | control_counters_request | control_counters, entries                           |
 * | LOG         | control_log_request      | control_log, text                                   |
 * | KILL        | domain                   | none: it has been stopped                           |
 * | RESTART     | domain                   | none: it has been started anew                      |
 * | SWAP_BEGIN  | control_swap_begin       | control_swap_room                                   |
 * | STAGE       | control_stage, its bytes | none: they are in the staging memory                |
 * | SWAP_TAKE   | bytes                    | none: so many, from the beginning of the staging    |
 * |             |                          | memory, are behind what was taken before            |
 * | SWAP_GO     | 0                        | none: it goes on by itself; ask for its status      |
 * | SWAP_STATUS | 0                        | control_swap                                        |
 * | SWAP_CANCEL | 0                        | none: a swap that hadn't gone is no more            |
 * | SWAP_COMMIT | 0                        | none: its probation is over                         |
 * | FILE        | domain, file << 16       | control_file                                        |
 *
 * All but KILL, RESTART, STAGE and SWAP_... (of those, all but SWAP_STATUS) change nothing. STAGE
 * and SWAP_BEGIN may be repeated as well: the same again is the same. docs/swap.md has the order of
 * those. */
enum control_op {
    CONTROL_IMAGE = 1,
    CONTROL_DOMAIN,
    CONTROL_SERVER,
    CONTROL_END,
    CONTROL_CONNECTION,
    CONTROL_COUNTERS,
    CONTROL_LOG,
    CONTROL_KILL,
    CONTROL_RESTART,
    CONTROL_SWAP_BEGIN,
    CONTROL_STAGE,
    CONTROL_SWAP_TAKE,
    CONTROL_SWAP_GO,
    CONTROL_SWAP_STATUS,
    CONTROL_SWAP_CANCEL,
    CONTROL_SWAP_COMMIT,
    CONTROL_FILE,
    CONTROL_OPS,
};

struct control_header {
    uint32_t magic;
    uint16_t op; /* enum control_op */
    uint16_t length;
    uint32_t tag;   /* the requester's; the reply's is the same */
    uint32_t check; /* CRC-32 of the bytes before it */
};
_Static_assert(sizeof(struct control_header) == 16, "the wire format");

enum { CONTROL_FRAME_EXTRA = sizeof(struct control_header) + 4 /* and the check behind */ };

/* So many bytes of 0 complete whatever request somebody before left unfinished: who connects sends
 * them first. */
enum { CONTROL_FLUSH_BYTES = CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA };

/* The simple requests. */
struct control_request {
    uint32_t argument;
};

/* The first bytes of each reply; when it isn't OK, all. */
struct control_status {
    uint32_t error; /* enum error */
    uint32_t reserved;
};

struct control_image {
    char name[CONTROL_NAME_BYTES];
    uint32_t domains; /* init, number 0, included */
    uint32_t connections;
    uint32_t controller; /* the domain that answers */
    uint32_t reserved;
    uint64_t memory_bytes; /* of the machine */
};

struct control_kernel {
    char build[32];
    uint64_t clock_frequency; /* ticks per second */
    uint64_t uptime;          /* nanoseconds */
};

/* States beyond enum thread_state. */
enum { CONTROL_STOPPED = 0x80, CONTROL_RESTARTING };

struct control_domain {
    char name[CONTROL_NAME_BYTES];
    uint8_t state; /* enum thread_state, or CONTROL_... */
    uint8_t priority;
    uint8_t servers;
    uint8_t restarts_most; /* in a row, by the manifest; 0: it stays stopped */
    uint32_t restarts;     /* since boot */
    uint32_t memory_pages; /* that it may write */
    uint32_t heap_pages;   /* of its heap, held now */
    uint64_t cpu_ticks;    /* it has run for */
};

struct control_server {
    char name[CONTROL_NAME_BYTES];
    char version[16]; /* of its domain's program; empty: it says none */
};

struct control_file {
    char name[CONTROL_NAME_BYTES];
    uint32_t bytes;
    uint32_t room; /* for another one; 0: it stays as it is */
};

enum control_end_kind {
    CONTROL_END_NONE,   /* it hasn't */
    CONTROL_END_FAULT,  /* code: enum fault_cause */
    CONTROL_END_FAILED, /* it couldn't start; code: enum error */
    CONTROL_END_KILLED, /* by KILL or RESTART */
    CONTROL_END_PAGER,  /* who served its heap has stopped */
};

struct control_end {
    uint32_t kind;
    uint32_t code;
    uint64_t address, instruction, stack;
};

struct control_connection {
    uint16_t client, server; /* domains */
    uint32_t slots;          /* messages that each direction holds */
    uint32_t to_server, to_client;
    uint32_t client_starts, server_starts; /* how often that side has begun */
};

struct control_counters_request {
    uint32_t domain;
    uint32_t first;
};

struct control_counter {
    char name[24];
    uint64_t value;
};

struct control_counters {
    uint32_t count; /* entries that follow */
    uint32_t more;  /* 1: there are others behind these */
};
enum {
    CONTROL_COUNTERS_MAX =
        (CONTROL_REPLY_MAX - sizeof(struct control_status) - sizeof(struct control_counters)) /
        sizeof(struct control_counter)
};

/* Domain 0 is the console: all that was printed there. The rest is struct log_reader, zero at
 * first, then what the last reply said: the server remembers nothing. */
struct control_log_request {
    uint32_t domain;
    uint32_t in_line;
    uint64_t position, lines, lost;
};

struct control_log {
    uint32_t bytes; /* of text that follow: lines, each with a newline */
    uint32_t more;  /* 1: there are lines behind these */
    uint32_t in_line;
    uint32_t reserved;
    uint64_t position, lines, lost;
};
enum {
    CONTROL_LOG_MAX = CONTROL_REPLY_MAX - sizeof(struct control_status) - sizeof(struct control_log)
};

/* What is new: its program, or the file of that number; the other is as it was. */
enum { CONTROL_SWAP_PROGRAM = 0, CONTROL_SWAP_FILE = 1 /* + its place among the domain's files */ };

struct control_swap_begin {
    uint16_t domain;
    uint16_t what;
    uint32_t bytes; /* 0: nothing new, the same program and files begin again in the other body */
    uint32_t check; /* CRC-32 of them */
};

struct control_swap_room {
    uint32_t bytes; /* of the staging memory: a program must fit, a file comes in pieces of that */
};

struct control_stage {
    uint32_t offset; /* in the staging memory */
    uint32_t bytes;  /* that follow */
};
enum { CONTROL_STAGE_MAX = CONTROL_REQUEST_MAX - sizeof(struct control_stage) };

enum control_swap_phase {
    CONTROL_SWAP_NONE,        /* none yet, since boot */
    CONTROL_SWAP_STAGING,     /* BEGIN was, GO wasn't */
    CONTROL_SWAP_LOADING,     /* the loader looks at it */
    CONTROL_SWAP_REHEARSING,  /* the new one tries to start, with a copy of the state */
    CONTROL_SWAP_RESTING,     /* the old version is asked to come to rest */
    CONTROL_SWAP_STARTING,    /* the new one starts and loads */
    CONTROL_SWAP_PROBATION,   /* the new one serves, the old one is kept */
    CONTROL_SWAP_DONE,        /* the old one is no more */
    CONTROL_SWAP_REFUSED,     /* nothing was touched: `refusal` or `error` */
    CONTROL_SWAP_ROLLED_BACK, /* the old one serves: in `at` the new or the old one failed */
    CONTROL_SWAP_PHASES,
};

struct control_swap {
    uint8_t phase;   /* enum control_swap_phase */
    uint8_t at;      /* the phase that it ended in, if it failed */
    uint8_t refusal; /* enum swap_refusal */
    uint8_t lost; /* 1: rolled back in probation: the old version began anew, its state is lost */
    uint16_t domain;
    uint16_t detail; /* of the refusal */
    uint32_t error;  /* enum error, why it failed; 0: see control_end of the domain */
    uint32_t state_bytes;
    uint64_t blackout; /* ns: no message was taken meanwhile */
    uint32_t queued;   /* messages that came meanwhile */
    uint16_t count;    /* of swaps done since boot, of all domains */
    uint16_t left;     /* of its probation: tenths of a second */
    char version[16];  /* of the new program */
};

_Static_assert(sizeof(struct control_swap) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_image) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_domain) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_server) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_file) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_end) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_connection) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct control_log_request) <= CONTROL_REQUEST_MAX, "the bound");

#endif
