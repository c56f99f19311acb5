/* SPDX-License-Identifier: ISC
 *
 * Message ports inside a domain: a request is a message with a way back. It goes to a port, whoever
 * is behind that answers it, at once or later, and it comes back. The same code sends to a
 * function, to a queue, over a connection (ipc/conn_port.h) and to the supervisor
 * (libos/kernel_conn.h). docs/ports.md has all operations on one page. For code of one domain:
 * nothing here is shared memory, nothing is locked, nothing waits (waiting: libos/fiber_port.h).
 *
 * A request is in one state; who may touch it follows from that:
 *
 *   MINE      its sender's: not sent yet, or back
 *   QUEUED    in the queue of the port `at`
 *   HELD      of whoever answers it: a put function that kept it, or who took it with msgport_get
 *   AWAY      under way in a transport, the port `at`
 *   RETURNED  answered, in the queue of its reply port `at`
 *
 *   MINE -> (HELD) -> MINE | QUEUED | AWAY      request_begin, request_send, request_call
 *   QUEUED -> HELD      msgport_get            RETURNED -> MINE      msgport_get, request_wait
 *   HELD -> QUEUED | AWAY                      request_forward
 *   HELD | AWAY | QUEUED -> RETURNED | MINE    request_reply, an answer, request_cancel
 *
 * Invariants: the memory is the sender's, and stays where it is until the state is MINE again. A
 * request that was sent is answered exactly once. `link` is in a list exactly in QUEUED and
 * RETURNED (and for whoever holds it: a list of its own, while it is HELD).
 *
 * Bounds: a queue takes `limit` requests, a transport has a table; beyond that the answer is
 * ERROR_FULL, at once, and nothing was sent. Answers always find room: a request brings its own.
 */
#ifndef MOTET_IPC_MSGPORT_H
#define MOTET_IPC_MSGPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/chain.h"
#include "motet/error.h"
#include "motet/msg.h"

struct fiber; /* libos/fiber.h */
struct msgport;
struct request;

enum request_state {
    REQUEST_MINE,
    REQUEST_QUEUED,
    REQUEST_HELD,
    REQUEST_AWAY,
    REQUEST_RETURNED,
};

enum request_flags {
    REQUEST_URGENT = 1 << 0, /* the sender's: before those that aren't, in queues of this domain */
    REQUEST_SYNC = 1 << 1,   /* somebody waits for this very request: it isn't queued when done */
    REQUEST_CANCELLED = 1 << 2, /* the sender wants it back; its holder may look */
    REQUEST_UNWANTED = 1 << 3,  /* of ipc/conn_port.h: who asked is gone */
};

/* What a put function says besides enum error: the request isn't answered yet, and no longer the
 * caller's to touch. */
enum { REQUEST_KEPT = -1 };

/* Somebody who is to be told once; `wake` doesn't put it back into the list. */
struct waiter {
    struct chain link;
    void (*wake)(struct waiter *waiter);
};

struct request {
    struct msg m; /* what crosses; when answered: flags MSG_REPLY, status, words */
    struct chain link;
    struct msgport *reply_port; /* where it goes when answered */
    struct msgport *at;         /* QUEUED, AWAY, RETURNED: where it is */
    struct waiter *waiter;      /* told when it is answered */
    void (*receipt)(struct request *r);
    void (*abort)(struct request *r);
    uint8_t state; /* enum request_state */
    uint8_t flags; /* enum request_flags */
    uint16_t slot; /* AWAY: of the transport's table */
};

/* Status, or REQUEST_KEPT. ERROR_FULL: refused, the request is as if it had never come; who says so
 * calls msgport_room when it can take one. */
typedef int32_t msgport_put(struct msgport *port, struct request *r);
typedef void msgport_replied(struct msgport *port, struct request *r);

/* A kind of port. NULL: using it so is a failed assertion. */
struct msgport_ops {
    msgport_put *put;
    msgport_replied *reply;                                  /* r is answered and in no list */
    void (*cancel)(struct msgport *port, struct request *r); /* forgets r, which is AWAY in it */
    bool queues;                                             /* msgport_get */
};

struct msgport {
    const struct msgport_ops *ops;
    struct chain urgent, queue;   /* struct request */
    uint32_t requests, limit;     /* QUEUED in it; at most */
    struct waiter *arrival;       /* told when something was queued; set by the owner */
    struct chain room;            /* struct waiter: told when a request more may be put */
    msgport_put *handler;         /* put-only: it; own: called when the owner sends to itself */
    msgport_replied *replied;     /* reply-only */
    struct fiber *owner;          /* own: which fiber's it is, if running isn't NULL */
    struct fiber *const *running; /* which fiber runs now */
    bool calling;                 /* the handler runs because the owner sent to itself */
};

/* --- ports --- */

/* A port whose owner takes requests and answers from its queue with msgport_get. At most `limit`
 * requests, 1 or more. */
void msgport_init(struct msgport *port, uint32_t limit);

/* The owner of such a port handles with `handler` what it sends to itself, in a call. An owner that
 * is a fiber says which one (`running`: &fibers->running); NULL, NULL: all that is sent to the port
 * is sent by its owner. Not nested: inside the handler another request_send queues, and
 * request_call gives ERROR_BAD_STATE, as it does to an owner without a handler, who would wait for
 * itself. */
void msgport_set_handler(struct msgport *port, msgport_put *handler, struct fiber *owner,
                         struct fiber *const *running);

/* Put-only: requests go to the function, which answers (returns a status) or keeps them. */
void msgport_init_put(struct msgport *port, msgport_put *put);

/* Reply-only: answers go to the function, the request being its sender's again. NULL: they are
 * only marked, for request_is_done. */
void msgport_init_reply(struct msgport *port, msgport_replied *replied);

/* Any use is a failed assertion. */
void msgport_init_panic(struct msgport *port);

/* The next request or answer (m.flags & MSG_REPLY), urgent ones first; NULL: none. */
struct request *msgport_get(struct msgport *port);

/* Gives the handler what is queued now, and answers what it doesn't keep. Returns how many. */
uint32_t msgport_serve(struct msgport *port);

/* Whether the port is in order (for assertions and tests). */
bool msgport_check(const struct msgport *port);

/* --- requests: the sender's side --- */

/* A request with no payload; m.w is then the sender's to fill in. `reply_port` is the sender's. */
void request_init(struct request *r, uint16_t op, struct msgport *reply_port);

/* The same request again, with what was answered as its payload; receipt, abort and all flags but
 * REQUEST_URGENT are gone. It must be MINE. */
void request_reinit(struct request *r, struct msgport *reply_port);

/* Called once, when a queue or a ring has taken the request; not if it is answered before that. */
static inline void request_set_receipt(struct request *r, void (*receipt)(struct request *))
{
    r->receipt = receipt;
}

/* Sends without waiting. OK: it will come to the reply port, and may have done so already.
 * ERROR_FULL: it wasn't sent, and won't come. */
enum error request_send(struct request *r, struct msgport *port);

/* The step below: a status says that it is answered, and MINE, and that nothing comes to the reply
 * port; REQUEST_KEPT that it will. `flags`: REQUEST_SYNC or 0. */
int32_t request_begin(struct request *r, struct msgport *port, uint8_t flags);

static inline bool request_is_done(const struct request *r)
{
    return r->state == REQUEST_MINE || r->state == REQUEST_RETURNED;
}

/* Takes a request back. Queued or under way it is answered at once with ERROR_CANCELLED. Held by
 * somebody: its abort function is called, and without one it comes when it comes. Returns whether
 * it is answered by now. */
bool request_cancel(struct request *r);

/* Takes a request of the caller's own out of the queue that it is in, as if it had never been sent,
 * or had been got. False: it is in none. */
bool request_drop(struct request *r);

/* --- requests: the side that answers --- */

/* Answers a request that is HELD; `status` as m.status, m.w is the answer's payload. */
void request_reply(struct request *r, enum error status);

/* Passes a HELD request on; who sent it doesn't notice. REQUEST_KEPT, or the status that it was
 * answered with. ERROR_FULL: it is still the caller's. */
int32_t request_forward(struct request *r, struct msgport *port);

/* While the request is HELD: who holds it can give it back early. The function may answer, now or
 * later. Forwarding forgets it. */
static inline void request_set_abort(struct request *r, void (*abort)(struct request *))
{
    r->abort = abort;
}

/* --- for kinds of ports --- */

/* Answers a request wherever it is; it must be in no list. */
void request_finish(struct request *r, enum error status);

/* Tells the first of those who wait for room. */
void msgport_room(struct msgport *port);

/* Calls the receipt, once. */
void request_receipt(struct request *r);

/* An empty port of that kind. */
void msgport_init_ops(struct msgport *port, const struct msgport_ops *ops);

#endif
