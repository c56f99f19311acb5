/* SPDX-License-Identifier: ISC
 *
 * Requests over connections: see conn_port.h. With a transport that calls the peer at once, the
 * answer may come before conn_send returns: all is noted before, and nothing touched after.
 */
#include "ipc/conn_port.h"

#include "libos/assert.h"

/* --- the client's end --- */

enum { PLACE_BITS = 16 };

static struct conn_client *client_of(struct msgport *port)
{
    return CHAIN_OF(port, struct conn_client, port);
}

static uint16_t place_take(struct conn_client *client, struct request *r)
{
    uint16_t n = client->free;
    struct conn_place *place = &client->place[n];
    client->free = place->next_free;
    client->under_way++;
    place->taken = true;
    place->request = r;
    place->op = r->m.op;
    return n;
}

/* From now on its tag is unknown. */
static void place_free(struct conn_client *client, uint16_t n)
{
    struct conn_place *place = &client->place[n];
    place->tag += UINT64_C(1) << PLACE_BITS;
    place->request = NULL;
    place->taken = false;
    place->next_free = client->free;
    client->free = n;
    client->under_way--;
}

/* How many requests more can be put. */
static uint32_t places_left(struct conn_client *client)
{
    uint32_t room = conn_room(client->conn);
    if (room > client->room)
        client->room = (uint16_t)(room < CONN_PLACES_MAX ? room : CONN_PLACES_MAX);
    uint32_t most = client->room < client->places ? client->room : client->places;
    uint32_t left = client->under_way < most ? most - client->under_way : 0;
    return left < room ? left : room;
}

static int32_t client_put(struct msgport *port, struct request *r)
{
    struct conn_client *client = client_of(port);
    if (client->gone)
        return ERROR_PEER_DIED;
    if (client->aborting || !places_left(client))
        return ERROR_FULL;
    uint16_t n = place_take(client, r);
    struct msg m = r->m;
    m.tag = client->place[n].tag;
    m.status = OK;
    r->state = REQUEST_AWAY;
    r->at = port;
    r->slot = n;
    if (conn_send(client->conn, &m) != OK) {
        r->state = REQUEST_HELD;
        r->at = NULL;
        place_free(client, n);
        return ERROR_FULL;
    }
    if (client->place[n].tag == m.tag && client->place[n].request == r)
        request_receipt(r);
    return REQUEST_KEPT;
}

/* The place stays taken until the peer has answered: its room for answers is promised. */
static void client_cancel(struct msgport *port, struct request *r)
{
    struct conn_client *client = client_of(port);
    struct conn_place *place = &client->place[r->slot];
    place->request = NULL;
    if (!client->cancels)
        return;
    struct msg m = {.op = place->op, .flags = MSG_CANCEL, .tag = place->tag};
    conn_send(client->conn, &m); /* without room the peer does its work in vain */
}

void conn_client_init(struct conn_client *client, struct conn *conn, struct conn_place *place,
                      uint32_t places, uint64_t seed, bool cancels)
{
    static const struct msgport_ops ops = {.put = client_put, .cancel = client_cancel};
    SERVER_ASSERT(places && places <= CONN_PLACES_MAX);
    *client = (struct conn_client){
        .conn = conn, .place = place, .places = (uint16_t)places, .cancels = cancels};
    msgport_init_ops(&client->port, &ops);
    for (uint32_t n = 0; n < places; n++)
        place[n] =
            (struct conn_place){.tag = (seed << PLACE_BITS) | n, .next_free = (uint16_t)(n + 1)};
}

static enum error status_check(struct conn_client *client, int32_t status)
{
    if ((uint32_t)status < ERROR_COUNT)
        return (enum error)status;
    client->wrong.status++;
    return ERROR_VERSION;
}

void conn_client_receive(struct conn_client *client, const struct msg *m)
{
    uint16_t n = (uint16_t)m->tag;
    struct conn_place *place = n < client->places ? &client->place[n] : NULL;
    if (!place || !place->taken || place->tag != m->tag || !(m->flags & MSG_REPLY)) {
        client->wrong.unknown++;
        return;
    }
    if (place->op != m->op) {
        client->wrong.op++;
        return;
    }
    struct request *r = place->request;
    place_free(client, n);
    if (!r) {
        client->wrong.late++;
    } else {
        memcpy(r->m.bytes, m->bytes, MSG_BYTES);
        request_finish(r, status_check(client, m->status));
    }
    msgport_room(&client->port);
}

void conn_client_batch_end(struct conn_client *client)
{
    if (chain_empty(&client->port.room))
        return;
    for (uint32_t left = client->gone ? UINT32_MAX : places_left(client);
         left && !chain_empty(&client->port.room); left--)
        msgport_room(&client->port);
}

void conn_client_abort(struct conn_client *client, enum error error)
{
    struct chain aborted;
    chain_init(&aborted);
    for (uint16_t n = 0; n < client->places; n++) {
        struct request *r = client->place[n].request;
        if (client->place[n].taken)
            place_free(client, n);
        if (!r)
            continue;
        r->state = REQUEST_QUEUED; /* here: in no port, and still to be cancelled */
        r->at = NULL;
        chain_append(&aborted, &r->link);
    }
    /* Who is answered may cancel others of these. */
    client->aborting = true;
    for (struct chain *link; (link = chain_take(&aborted));)
        request_finish(CHAIN_OF(link, struct request, link), error);
    client->aborting = false;
    conn_client_batch_end(client);
}

void conn_client_peer(struct conn_client *client, uint32_t generation)
{
    bool changed = generation != client->generation;
    /* What stands in the ring waits for its first life. */
    bool first = !client->generation && generation == 1;
    client->generation = generation;
    client->gone = generation == CONN_BROKEN;
    if (changed && !first)
        conn_client_abort(client, ERROR_PEER_DIED);
}

bool conn_client_check(const struct conn_client *client)
{
    uint32_t taken = 0, free = 0;
    for (uint16_t n = 0; n < client->places; n++) {
        const struct conn_place *place = &client->place[n];
        const struct request *r = place->request;
        taken += place->taken;
        if ((uint16_t)place->tag != n || (r && !place->taken))
            return false;
        if (r && (r->state != REQUEST_AWAY || r->at != &client->port || r->slot != n))
            return false;
    }
    for (uint16_t n = client->free; n < client->places && free <= client->places; free++)
        n = client->place[n].next_free;
    return taken == client->under_way && free + taken == client->places;
}

/* --- the server's end --- */

static void served_free(struct conn_server *server, struct request *r)
{
    r->state = REQUEST_MINE;
    chain_append(&server->free, &r->link);
}

static bool reply_send(struct conn_server *server, struct request *r)
{
    if (!(r->flags & REQUEST_UNWANTED) && conn_send(server->conn, &r->m) != OK)
        return false;
    served_free(server, r);
    return true;
}

static void served_replied(struct msgport *port, struct request *r)
{
    struct conn_server *server = CHAIN_OF(port, struct conn_server, reply);
    if (!chain_empty(&server->unsent) || !reply_send(server, r))
        chain_append(&server->unsent, &r->link);
}

void conn_server_init(struct conn_server *server, struct conn *conn, struct msgport *target,
                      struct request *request, uint32_t requests)
{
    SERVER_ASSERT(requests && requests <= CONN_PLACES_MAX);
    *server = (struct conn_server){
        .conn = conn, .target = target, .request = request, .requests = (uint16_t)requests};
    msgport_init_reply(&server->reply, served_replied);
    chain_init(&server->free);
    chain_init(&server->unsent);
    for (uint32_t n = 0; n < requests; n++) {
        request_init(&request[n], 0, &server->reply);
        chain_append(&server->free, &request[n].link);
    }
}

static void served_cancel(struct conn_server *server, const struct msg *m)
{
    for (uint32_t n = 0; n < server->requests; n++) {
        struct request *r = &server->request[n];
        if (r->state == REQUEST_MINE || r->m.tag != m->tag || r->m.op != m->op)
            continue;
        request_cancel(r);
        return;
    }
    server->refused++; /* or answered meanwhile */
}

bool conn_server_receive(struct conn_server *server, const struct msg *m)
{
    if (m->flags & MSG_CANCEL) {
        served_cancel(server, m);
        return true;
    }
    if (m->flags) {
        server->refused++;
        return true;
    }
    struct chain *link = chain_take(&server->free);
    if (!link)
        return false;
    struct request *r = CHAIN_OF(link, struct request, link);
    request_init(r, m->op, &server->reply);
    r->m = *m;
    if (request_send(r, server->target) == OK)
        return true;
    served_free(server, r);
    return false;
}

void conn_server_batch_end(struct conn_server *server)
{
    while (!chain_empty(&server->unsent)) {
        struct request *r = CHAIN_OF(server->unsent.next, struct request, link);
        chain_remove(&r->link);
        if (reply_send(server, r))
            continue;
        /* First again. */
        chain_append(server->unsent.next, &r->link);
        return;
    }
}

void conn_server_abort(struct conn_server *server)
{
    for (uint32_t n = 0; n < server->requests; n++) {
        struct request *r = &server->request[n];
        r->flags |= REQUEST_UNWANTED;
        if (r->state != REQUEST_MINE)
            request_cancel(r);
    }
    conn_server_batch_end(server);
}
