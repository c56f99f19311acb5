/* SPDX-License-Identifier: ISC
 *
 * Message ports: see msgport.h. Called by servers, ipc/conn_port.c and libos/fiber_port.c. Whatever
 * calls out (put, reply, receipt, wake) does so last: the request may be somebody else's when it
 * comes back.
 */
#include "ipc/msgport.h"

#include <stddef.h>

#include "libos/assert.h"

static void request_list(struct request *r, struct msgport *port, enum request_state state)
{
    SERVER_ASSERT(chain_empty(&r->link));
    r->state = (uint8_t)state;
    r->at = port;
    chain_append(r->flags & REQUEST_URGENT ? &port->urgent : &port->queue, &r->link);
}

static void request_unlist(struct request *r)
{
    if (r->state == REQUEST_QUEUED && r->at)
        r->at->requests--;
    chain_remove(&r->link);
    r->at = NULL;
}

static void wake(struct waiter *waiter)
{
    if (waiter)
        waiter->wake(waiter);
}

/* --- kinds of ports --- */

/* Without a word on who owns it: whoever sends is its owner if it has a handler, and isn't if not.
 */
static bool is_owner(const struct msgport *port)
{
    return port->running ? *port->running == port->owner : port->handler != NULL;
}

static int32_t call_oneself(struct msgport *port, struct request *r)
{
    port->calling = true;
    int32_t status = port->handler(port, r);
    port->calling = false;
    return status;
}

static int32_t own_put(struct msgport *port, struct request *r)
{
    if (is_owner(port)) {
        if (port->handler && !port->calling)
            return call_oneself(port, r);
        if (r->flags & REQUEST_SYNC)
            return ERROR_BAD_STATE; /* the owner would wait for itself */
    }
    if (port->requests == port->limit)
        return ERROR_FULL;
    port->requests++;
    request_list(r, port, REQUEST_QUEUED);
    request_receipt(r);
    wake(port->arrival);
    return REQUEST_KEPT;
}

static void own_reply(struct msgport *port, struct request *r)
{
    struct waiter *waiter = r->waiter;
    request_list(r, port, REQUEST_RETURNED);
    wake(waiter);
    wake(port->arrival);
}

static int32_t put_only(struct msgport *port, struct request *r)
{
    return port->handler(port, r);
}

static void reply_only(struct msgport *port, struct request *r)
{
    r->state = REQUEST_MINE;
    wake(r->waiter);
    if (port->replied)
        port->replied(port, r);
}

void msgport_init_ops(struct msgport *port, const struct msgport_ops *ops)
{
    *port = (struct msgport){.ops = ops};
    chain_init(&port->urgent);
    chain_init(&port->queue);
    chain_init(&port->room);
}

void msgport_init(struct msgport *port, uint32_t limit)
{
    static const struct msgport_ops own = {.put = own_put, .reply = own_reply, .queues = true};
    SERVER_ASSERT(limit);
    msgport_init_ops(port, &own);
    port->limit = limit;
}

void msgport_set_handler(struct msgport *port, msgport_put *handler, struct fiber *owner,
                         struct fiber *const *running)
{
    SERVER_ASSERT(port->ops->queues);
    port->handler = handler;
    port->owner = owner;
    port->running = running;
}

void msgport_init_put(struct msgport *port, msgport_put *put)
{
    static const struct msgport_ops ops = {.put = put_only};
    msgport_init_ops(port, &ops);
    port->handler = put;
}

void msgport_init_reply(struct msgport *port, msgport_replied *replied)
{
    static const struct msgport_ops ops = {.reply = reply_only};
    msgport_init_ops(port, &ops);
    port->replied = replied;
}

void msgport_init_panic(struct msgport *port)
{
    static const struct msgport_ops ops = {0};
    msgport_init_ops(port, &ops);
}

void msgport_room(struct msgport *port)
{
    struct chain *first = chain_take(&port->room);
    if (first)
        wake(CHAIN_OF(first, struct waiter, link));
}

struct request *msgport_get(struct msgport *port)
{
    SERVER_ASSERT(port->ops->queues);
    struct chain *head = chain_empty(&port->urgent) ? &port->queue : &port->urgent;
    if (chain_empty(head))
        return NULL;
    struct request *r = CHAIN_OF(head->next, struct request, link);
    bool answer = r->state == REQUEST_RETURNED;
    request_unlist(r);
    r->state = answer ? REQUEST_MINE : REQUEST_HELD;
    if (!answer)
        msgport_room(port);
    return r;
}

uint32_t msgport_serve(struct msgport *port)
{
    uint32_t count = port->requests;
    SERVER_ASSERT(port->handler);
    for (uint32_t i = 0; i < count; i++) {
        struct request *r = msgport_get(port);
        if (!r)
            return i;
        SERVER_ASSERT(r->state == REQUEST_HELD); /* answers go to a port without a handler */
        int32_t status = port->handler(port, r);
        if (status != REQUEST_KEPT)
            request_reply(r, (enum error)status);
    }
    return count;
}

static bool list_check(const struct msgport *port, const struct chain *head, uint32_t *requests)
{
    for (const struct chain *link = head->next; link != head; link = link->next) {
        const struct request *r = CHAIN_OF(link, const struct request, link);
        bool queued = r->state == REQUEST_QUEUED;
        if (link->next->prev != link || r->at != port || (!queued && r->state != REQUEST_RETURNED))
            return false;
        if (!(r->flags & REQUEST_URGENT) != (head == &port->queue))
            return false;
        *requests += queued;
    }
    return true;
}

bool msgport_check(const struct msgport *port)
{
    uint32_t requests = 0;
    return list_check(port, &port->urgent, &requests) &&
           list_check(port, &port->queue, &requests) && requests == port->requests &&
           (!requests || requests <= port->limit);
}

/* --- requests --- */

void request_init(struct request *r, uint16_t op, struct msgport *reply_port)
{
    *r = (struct request){.m = {.op = op}, .reply_port = reply_port, .state = REQUEST_MINE};
    chain_init(&r->link);
}

void request_reinit(struct request *r, struct msgport *reply_port)
{
    SERVER_ASSERT(r->state == REQUEST_MINE);
    r->m.flags = 0;
    r->m.status = OK;
    r->reply_port = reply_port;
    r->waiter = NULL;
    r->receipt = r->abort = NULL;
    r->flags &= REQUEST_URGENT;
}

void request_receipt(struct request *r)
{
    void (*receipt)(struct request *) = r->receipt;
    r->receipt = NULL;
    if (receipt)
        receipt(r);
}

static void answer(struct request *r, enum error status)
{
    r->m.flags = MSG_REPLY;
    r->m.status = status;
    r->receipt = r->abort = NULL;
}

void request_finish(struct request *r, enum error status)
{
    answer(r, status);
    r->at = NULL;
    if (!(r->flags & REQUEST_SYNC)) {
        SERVER_ASSERT(r->reply_port->ops->reply);
        r->reply_port->ops->reply(r->reply_port, r);
        return;
    }
    r->state = REQUEST_MINE;
    wake(r->waiter);
}

int32_t request_begin(struct request *r, struct msgport *port, uint8_t flags)
{
    SERVER_ASSERT(r->state == REQUEST_MINE && port->ops->put);
    SERVER_ASSERT(r->reply_port || flags & REQUEST_SYNC);
    r->m.flags = 0;
    r->flags = (uint8_t)((r->flags & REQUEST_URGENT) | flags);
    r->state = REQUEST_HELD;
    int32_t status = port->ops->put(port, r);
    if (status == REQUEST_KEPT)
        return status;
    SERVER_ASSERT(r->state == REQUEST_HELD);
    r->state = REQUEST_MINE;
    if (status != ERROR_FULL)
        answer(r, (enum error)status);
    return status;
}

enum error request_send(struct request *r, struct msgport *port)
{
    int32_t status = request_begin(r, port, 0);
    if (status == ERROR_FULL)
        return ERROR_FULL;
    if (status != REQUEST_KEPT)
        request_finish(r, (enum error)status);
    return OK;
}

void request_reply(struct request *r, enum error status)
{
    SERVER_ASSERT(r->state == REQUEST_HELD && (unsigned)status < ERROR_COUNT);
    request_finish(r, status);
}

int32_t request_forward(struct request *r, struct msgport *port)
{
    SERVER_ASSERT(r->state == REQUEST_HELD && port->ops->put);
    r->abort = NULL;
    int32_t status =
        r->flags & REQUEST_CANCELLED ? (int32_t)ERROR_CANCELLED : port->ops->put(port, r);
    if (status == REQUEST_KEPT || status == ERROR_FULL)
        return status;
    request_reply(r, (enum error)status);
    return status;
}

bool request_cancel(struct request *r)
{
    if (request_is_done(r))
        return true;
    if (r->state == REQUEST_HELD) {
        void (*abort)(struct request *) = r->abort;
        r->flags |= REQUEST_CANCELLED;
        r->abort = NULL;
        if (!abort)
            return false;
        abort(r);
        return request_is_done(r);
    }
    struct msgport *port = r->at;
    if (r->state == REQUEST_AWAY) {
        port->ops->cancel(port, r);
        port = NULL; /* the transport says when there is room */
    } else {
        request_unlist(r);
    }
    request_finish(r, ERROR_CANCELLED);
    if (port)
        msgport_room(port);
    return true;
}

bool request_drop(struct request *r)
{
    if (r->state != REQUEST_QUEUED && r->state != REQUEST_RETURNED)
        return false;
    struct msgport *port = r->state == REQUEST_QUEUED ? r->at : NULL;
    request_unlist(r);
    r->state = REQUEST_MINE;
    if (port)
        msgport_room(port);
    return true;
}
