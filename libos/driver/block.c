/* SPDX-License-Identifier: ISC
 *
 * The server's side of the block class: see block.h. Called by drivers. Refuses what isn't wholly
 * on the device, or not in a buffer that the device reaches.
 */
#include "libos/driver/block.h"

#include <string.h>

const struct server_port block_ports[1] = {{"block", BLOCK_PROTOCOL, BLOCK_VERSION, CONN_SERVER}};

void block_start(struct block *block, const struct block_ops *ops, const struct block_info *info)
{
    block->ops = ops;
    block->info = *info;
}

void block_done(struct block *block, uint32_t place, bool failed)
{
    SERVER_ASSERT(block->place[place].state == BLOCK_BUSY);
    block->place[place].failed = failed;
    block->place[place].state = BLOCK_DONE;
}

/* Whether a request makes sense; *address is where its data is. The driver's own memory isn't for
 * data. */
static enum error request_check(struct driver *driver, const struct block *block,
                                const struct msg *m, uint64_t *address)
{
    struct block_io io;
    msg_get(m, &io, sizeof(io));
    if (!driver_runs(driver))
        return ERROR_BAD_STATE;
    if (m->op == BLOCK_FLUSH)
        return OK;
    const struct pool *pool = domain_pool(driver->domain, io.data.pool);
    const uint64_t blocks = io.data.length / BLOCK_BYTES;
    if (pool == driver->pool || pool_ref_check(pool, io.data) != OK || !(pool->rights & POOL_DMA) ||
        !blocks || io.data.length % BLOCK_BYTES || blocks > block->info.blocks ||
        io.block > block->info.blocks - blocks)
        return ERROR_BAD_ARGUMENT;
    if (m->op == BLOCK_WRITE && block->info.read_only)
        return ERROR_NO_RIGHT;
    *address = pool_device_address(pool, io.data);
    return OK;
}

static struct block_request *place_find(struct block *block)
{
    for (struct block_request *place = block->place; place < block->place + BLOCK_PLACES; place++)
        if (place->state == BLOCK_FREE)
            return place;
    return NULL;
}

static void request_count(struct driver *driver, const struct msg *m, enum error error)
{
    uint32_t counter = error == ERROR_BAD_STATE ? BLOCK_DOWN
                       : error != OK            ? BLOCK_REFUSED
                       : m->op == BLOCK_READ    ? BLOCK_READS
                       : m->op == BLOCK_WRITE   ? BLOCK_WRITES
                                                : BLOCK_FLUSHES;
    driver->counters[counter]++;
}

/* INFO is answered at once. */
static void info_send(struct driver *driver, const struct block *block, struct conn *conn,
                      const struct msg *m)
{
    struct msg reply;
    msg_set(&reply, BLOCK_INFO, &block->info, sizeof(block->info));
    reply.flags = MSG_REPLY;
    reply.status = driver_runs(driver) ? OK : ERROR_BAD_STATE;
    reply.tag = m->tag;
    conn_send(conn, &reply);
}

bool block_receive(struct driver *driver, struct block *block, struct conn *conn,
                   const struct msg *m)
{
    uint64_t address = 0;
    if (m->op < BLOCK_INFO || m->op > BLOCK_FLUSH || m->flags) {
        driver->counters[BLOCK_BAD_MESSAGE]++;
        return true;
    }
    struct block_request *place = place_find(block);
    if (m->op == BLOCK_INFO ? !conn_room(conn) : !place) {
        driver->counters[BLOCK_HELD]++;
        return false;
    }
    if (m->op == BLOCK_INFO) {
        info_send(driver, block, conn, m);
        return true;
    }
    enum error error = request_check(driver, block, m, &address);
    request_count(driver, m, error);
    *place = (struct block_request){.conn = conn, .request = *m, .status = (int16_t)error};
    const bool works = error == OK && (m->op != BLOCK_FLUSH || block->info.flushes);
    place->state = works ? BLOCK_BUSY : BLOCK_DONE;
    if (works)
        block->ops->begin(driver, (uint32_t)(place - block->place), m, address);
    return true;
}

/* A reply is the request, with a status. False: there is no room. */
static bool reply_send(struct driver *driver, struct block_request *place)
{
    struct msg reply = place->request;
    struct block_io io;
    if (!conn_room(place->conn))
        return false;
    msg_get(&reply, &io, sizeof(io));
    io.failed = place->failed;
    memcpy(reply.bytes, &io, sizeof(io));
    driver->counters[BLOCK_FAILED] += place->failed;
    reply.flags = MSG_REPLY;
    reply.status = place->status;
    conn_send(place->conn, &reply);
    return true;
}

void block_round(struct driver *driver, struct block *block)
{
    const bool lost = driver->state == DRIVER_BROKEN && driver->silent;
    for (struct block_request *place = block->place; place < block->place + BLOCK_PLACES; place++) {
        if (place->state == BLOCK_BUSY && lost) {
            place->status = ERROR_BAD_STATE;
            place->state = BLOCK_DONE;
        }
        if (place->state == BLOCK_DONE && reply_send(driver, place))
            place->state = BLOCK_FREE;
    }
}

bool block_restarted(struct block *block, const struct conn *conn, enum restarted what)
{
    bool ready = true;
    for (uint32_t i = 0; i < BLOCK_PLACES && what == RESTARTED_FORGET; i++) {
        struct block_request *place = &block->place[i];
        if (place->conn != conn || place->state == BLOCK_FREE)
            continue;
        if (place->state == BLOCK_BUSY)
            ready = false; /* the device still has its buffer */
        else
            place->state = BLOCK_FREE;
    }
    return ready;
}
