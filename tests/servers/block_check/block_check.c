/* SPDX-License-Identifier: ISC
 *
 * block_check: a client that sees whether a driver of the block class keeps its protocol, in a
 * running image. The host has filled the disk: byte i of block b is b * 7 + i. Each piece of the
 * disk is read, written with all bits changed, and read again, several at a time; then it is
 * flushed. It says "conforms", or that it was "told" that the disk can't be used or couldn't do
 * something, or what doesn't "conform"; the host looks at the disk afterwards.
 *
 * What was changed already may be met again: the driver, or this, may have begun anew meanwhile.
 */
#include "ipc/proto/block.h"
#include "libos/domain.h"
#include "libos/restart.h"

enum { PIECES = 8, PIECE_BYTES = 4096, PIECE_BLOCKS = PIECE_BYTES / BLOCK_BYTES };

/* What a buffer's request under way is for. */
enum step { IDLE, FIRST_READ, WRITE, SECOND_READ };

struct block_check {
    struct domain *domain;
    struct conn *driver;
    const struct pool *pool;
    uint64_t blocks, next, done; /* of the disk; next to be read; changed and seen */
    uint64_t at[PIECES];         /* first block of the piece in a buffer */
    uint8_t step[PIECES];        /* enum step */
    bool failed, was_told, began, flushing;
};

static void fail(struct block_check *own, const char *what, uint64_t block)
{
    if (!own->failed)
        domain_log(own->domain, "doesn't conform: block %lu: %s", (unsigned long)block, what);
    own->failed = true;
}

/* What may be, with a disk like that. What else is replied must be right all the same. */
static void told(struct block_check *own, const char *what, uint64_t block)
{
    if (!own->was_told)
        domain_log(own->domain, "told: block %lu: %s", (unsigned long)block, what);
    own->was_told = true;
}

static void ask(struct block_check *own, uint16_t op, uint32_t buffer)
{
    struct block_io io = {
        .block = own->at[buffer],
        .data = {.pool = own->pool->number, .index = (uint16_t)buffer, .length = PIECE_BYTES}};
    struct msg m;
    msg_set(&m, op, &io, sizeof(io));
    m.tag = buffer;
    if (conn_send(own->driver, &m) != OK)
        fail(own, "the ring is full", own->at[buffer]);
}

static uint8_t byte_of(uint64_t block, uint32_t i)
{
    return (uint8_t)(block * 7 + i);
}

/* Whether a buffer's block is as the host made it, with `change` applied. */
static bool block_is(const struct block_check *own, uint32_t buffer, uint32_t n, uint8_t change)
{
    const uint8_t *bytes = own->pool->base + buffer * PIECE_BYTES + n * BLOCK_BYTES;
    for (uint32_t i = 0; i < BLOCK_BYTES; i++)
        if (bytes[i] != (uint8_t)(byte_of(own->at[buffer] + n, i) ^ change))
            return false;
    return true;
}

static void piece_change(struct block_check *own, uint32_t buffer)
{
    uint8_t *bytes = own->pool->base + buffer * PIECE_BYTES;
    for (uint32_t i = 0; i < PIECE_BYTES; i++)
        bytes[i] = (uint8_t)~byte_of(own->at[buffer] + i / BLOCK_BYTES, i % BLOCK_BYTES);
}

static void piece_begin(struct block_check *own, uint32_t buffer)
{
    own->step[buffer] = IDLE;
    if (own->next + PIECE_BLOCKS > own->blocks)
        return;
    own->at[buffer] = own->next;
    own->next += PIECE_BLOCKS;
    own->step[buffer] = FIRST_READ;
    ask(own, BLOCK_READ, buffer);
}

/* The next step of a piece whose request is done. */
static void piece_go_on(struct block_check *own, uint32_t buffer)
{
    const uint8_t step = own->step[buffer];
    for (uint32_t n = 0; n < PIECE_BLOCKS && step != WRITE; n++)
        if (!block_is(own, buffer, n, 0xff) &&
            (step == SECOND_READ || !block_is(own, buffer, n, 0)))
            fail(own, "not what was written", own->at[buffer] + n);
    if (step == FIRST_READ) {
        piece_change(own, buffer);
        own->step[buffer] = WRITE;
        ask(own, BLOCK_WRITE, buffer);
    } else if (step == WRITE) {
        memset(own->pool->base + buffer * PIECE_BYTES, 0, PIECE_BYTES);
        own->step[buffer] = SECOND_READ;
        ask(own, BLOCK_READ, buffer);
    } else {
        own->done += PIECE_BLOCKS;
        piece_begin(own, buffer);
    }
}

static void begin(struct block_check *own)
{
    struct msg m = {.op = BLOCK_INFO};
    *own = (struct block_check){.domain = own->domain, .driver = own->driver, .pool = own->pool};
    conn_send(own->driver, &m);
}

static void info_heard(struct block_check *own, const struct msg *m)
{
    struct block_info info;
    msg_get(m, &info, sizeof(info));
    if (m->status != OK) {
        domain_log(own->domain, "told: no disk: %s", error_name((enum error)m->status));
        return;
    }
    own->blocks = info.blocks;
    own->at[0] = info.blocks; /* one beyond the last: to be refused */
    ask(own, BLOCK_READ, 0);
}

/* The request beyond the end was refused, so begins the work. */
static void refusal_heard(struct block_check *own, const struct msg *m)
{
    if (m->status == ERROR_BAD_STATE)
        told(own, "BAD_STATE", own->blocks);
    else if (m->status != ERROR_BAD_ARGUMENT)
        fail(own, "beyond the end, and not refused", own->blocks);
    own->began = true;
    for (uint32_t i = 0; i < PIECES; i++)
        piece_begin(own, i);
}

static void flushed(struct block_check *own)
{
    own->flushing = false;
    if (!own->failed && !own->was_told)
        domain_log(own->domain, "conforms: %lu blocks", (unsigned long)own->done);
}

static bool check_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct block_check *own = state;
    struct block_io io;
    (void)conn; /* there is one */
    msg_get(m, &io, sizeof(io));
    if (!(m->flags & MSG_REPLY) || m->tag >= PIECES)
        fail(own, "no reply of ours", m->tag);
    else if (m->op == BLOCK_INFO)
        info_heard(own, m);
    else if (!own->began)
        refusal_heard(own, m);
    else if (m->status == ERROR_BAD_STATE || (m->status == OK && io.failed))
        told(own, io.failed ? "it failed" : "BAD_STATE", own->at[m->tag]);
    else if (m->status != OK)
        fail(own, error_name((enum error)m->status), own->at[m->tag]);
    else if (m->op == BLOCK_FLUSH)
        flushed(own);
    else
        piece_go_on(own, (uint32_t)m->tag);
    if (own->began && !own->flushing && own->done + PIECE_BLOCKS > own->blocks &&
        m->op != BLOCK_FLUSH) {
        own->flushing = true;
        ask(own, BLOCK_FLUSH, 0);
    }
    return true;
}

static enum error check_start(void *state, struct domain *domain)
{
    struct block_check *own = state;
    own->domain = domain;
    own->driver = domain_conn(domain, "driver", 0);
    own->pool = domain_pool_named(domain, "data");
    if (!own->pool || !own->pool->base || own->pool->buffers < PIECES)
        return ERROR_NOT_FOUND;
    begin(own);
    return OK;
}

static bool check_restarted(void *state, struct conn *conn, enum restarted what)
{
    (void)conn; /* there is one */
    if (what == RESTARTED_RESUME)
        begin(state);
    return true;
}

static const struct server_port ports[] = {{"driver", BLOCK_PROTOCOL, BLOCK_VERSION, CONN_CLIENT}};

extern const struct server motet_server_block_check;
const struct server motet_server_block_check = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "block_check",
    .state_size = sizeof(struct block_check),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .start = check_start,
    .receive = check_receive,
};
SERVER_EXPORT(motet_server_block_check);
SERVER_RESTARTED(motet_server_block_check, check_restarted);
