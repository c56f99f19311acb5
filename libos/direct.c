/* SPDX-License-Identifier: ISC
 *
 * Connections between two servers of one domain. A send is a call of the peer's `receive` when the
 * peer is in none of its entry points and nothing waits on the connection. Otherwise, and when the
 * peer refuses, the message is queued for the domain's loop. Servers see struct conn only.
 *
 * Each end has a queue of the messages to its server: `slots` entries in private memory, that
 * compose placed. Invariants:
 *  - put - taken <= slots; entries from taken up to put wait, in the order in which they were sent;
 *  - an entry stays in the queue while `receive` looks at it;
 *  - a server is active while one of its entry points runs, and then it isn't called again: calls
 *    nest as deep as the domain has servers, at most (compose sums their stacks).
 *
 * Nobody outside the domain sees any of it: no fence, no doorbell. Room comes only by the loop's
 * taking a message, which is something that happens: so whoever found none is called in batch_end.
 */
#include "ipc/barrier.h"
#include "libos/state.h"

static bool queue_is_empty(const struct queue *queue)
{
    return queue->put == queue->taken;
}

static enum error queue_add(struct libos *libos, struct queue *queue, const struct msg *m)
{
    if (queue->put - queue->taken > queue->mask)
        return ERROR_FULL;
    queue->entry[queue->put++ & queue->mask] = *m;
    libos->queued = true;
    return OK;
}

static enum error direct_put(struct conn *conn, const struct msg *m)
{
    struct link *to = conn->transport;
    struct domain *domain = to->domain;
    struct libos *libos = domain->libos;
    if (!domain->active && queue_is_empty(&to->queue)) {
        domain->active = true;
        message_point();
        bool taken = domain->server->receive(domain->state, &to->conn, m);
        domain->active = false;
        libos->happened |= domain < libos->turn; /* its batch_end of this round has passed */
        if (taken)
            return OK;
    }
    return queue_add(libos, &to->queue, m);
}

static uint32_t direct_room(struct conn *conn)
{
    const struct link *to = conn->transport;
    return to->queue.mask + 1 - (to->queue.put - to->queue.taken);
}

static void direct_open(struct libos *libos, struct link *link, const struct start_conn *from)
{
    link->conn.put = direct_put;
    link->conn.room = direct_room;
    link->conn.transport = &libos->link[from->peer];
    link->queue = (struct queue){.entry = (struct msg *)from->mine, .mask = from->slots - 1};
}

static void queue_drain(struct libos *libos, struct link *link)
{
    struct queue *queue = &link->queue;
    struct domain *domain = link->domain;
    uint32_t first = queue->taken, end = queue->put;
    if (end - first > LOOP_BATCH)
        end = first + LOOP_BATCH;
    queue->stalled = false;
    domain->active = true;
    while (queue->taken != end) {
        const struct msg *m = &queue->entry[queue->taken & queue->mask];
        message_point();
        if (!domain->server->receive(domain->state, &link->conn, m)) {
            queue->stalled = libos->stalled = true;
            break;
        }
        queue->taken++;
    }
    domain->active = false;
    libos->happened |= queue->taken != first;
    libos->queued |= !queue->stalled && !queue_is_empty(queue);
}

static void direct_drain(struct libos *libos)
{
    for (struct link *link = libos->links_by[START_DIRECT]; link; link = link->next)
        if (!queue_is_empty(&link->queue))
            queue_drain(libos, link);
}

const struct transport direct_transport = {.open = direct_open, .drain = direct_drain};
