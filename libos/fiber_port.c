/* SPDX-License-Identifier: ISC
 *
 * Waiting for requests and ports: see fiber_port.h. What is waited for is looked at again after
 * each wake-up, so that one too many does no harm.
 */
#include "libos/fiber_port.h"

#include "libos/assert.h"

/* On the waiting fiber's stack. */
struct fiber_waiter {
    struct waiter waiter;
    struct fiber *fiber;
};

static void waiter_wake(struct waiter *waiter)
{
    fiber_wake(CHAIN_OF(waiter, struct fiber_waiter, waiter)->fiber);
}

static void waiter_init(struct fiber_waiter *w, struct fibers *fibers)
{
    SERVER_ASSERT(fibers->running);
    *w = (struct fiber_waiter){.waiter.wake = waiter_wake, .fiber = fibers->running};
    chain_init(&w->waiter.link);
}

static enum error wait_until_done(struct fibers *fibers, struct request *r, uint64_t deadline)
{
    enum error error = OK;
    while (!request_is_done(r) && error == OK)
        error = fiber_wait(fibers, deadline);
    return request_is_done(r) ? OK : ERROR_TIMEOUT;
}

struct begin {
    struct request *request;
    struct msgport *port;
    int32_t status;
};

static void begin(void *argument)
{
    struct begin *b = argument;
    b->status = request_begin(b->request, b->port, REQUEST_SYNC);
}

/* As request_begin, but that it waits for room. */
static int32_t begin_when_room(struct fibers *fibers, struct request *r, struct msgport *port,
                               struct fiber_waiter *w, uint64_t deadline)
{
    for (;;) {
        struct begin b = {.request = r, .port = port};
        fiber_on_loop_stack(fibers, begin, &b);
        if (b.status != ERROR_FULL)
            return b.status;
        chain_append(&port->room, &w->waiter.link);
        enum error error = fiber_wait(fibers, deadline);
        bool told = chain_empty(&w->waiter.link);
        chain_remove(&w->waiter.link);
        if (error) {
            if (told)
                msgport_room(port); /* the room is somebody else's */
            return error;
        }
    }
}

enum error request_call(struct fibers *fibers, struct request *r, struct msgport *port,
                        uint64_t deadline)
{
    struct fiber_waiter w;
    waiter_init(&w, fibers);
    r->waiter = &w.waiter;
    int32_t status = begin_when_room(fibers, r, port, &w, deadline);
    if (status == REQUEST_KEPT) {
        bool late = wait_until_done(fibers, r, deadline) != OK;
        bool taken_back = late && request_cancel(r);
        wait_until_done(fibers, r, 0);
        status =
            taken_back && r->m.status == ERROR_CANCELLED ? (int32_t)ERROR_TIMEOUT : r->m.status;
    }
    r->waiter = NULL;
    return (enum error)status;
}

enum error request_wait(struct fibers *fibers, struct request *r, uint64_t deadline)
{
    struct fiber_waiter w;
    waiter_init(&w, fibers);
    r->waiter = &w.waiter;
    enum error error = wait_until_done(fibers, r, deadline);
    r->waiter = NULL;
    if (error)
        return error;
    request_drop(r);
    return (enum error)r->m.status;
}

struct request *msgport_wait(struct fibers *fibers, struct msgport *port, uint64_t deadline)
{
    struct fiber_waiter w;
    struct request *r;
    enum error error = OK;
    waiter_init(&w, fibers);
    SERVER_ASSERT(!port->arrival);
    port->arrival = &w.waiter;
    while (!(r = msgport_get(port)) && error == OK)
        error = fiber_wait(fibers, deadline);
    port->arrival = NULL;
    return r;
}
