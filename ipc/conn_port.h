/* SPDX-License-Identifier: ISC
 *
 * Requests (ipc/msgport.h) over a connection. A client's end is a port that sends them and matches
 * the answers; a server's end makes requests of what arrives and sends their answers back. What is
 * behind the connection, another domain or a function, makes no difference. Called from the
 * server's entry points: `receive` passes messages in, `batch_end` lets go what waited for room.
 *
 * The peer is hostile. An answer names its request by the tag: place in a table, and how often that
 * place was used. Unknown, repeated, belated and contradicting answers are counted and change
 * nothing.
 */
#ifndef MOTET_IPC_CONN_PORT_H
#define MOTET_IPC_CONN_PORT_H

#include "ipc/conn.h"
#include "ipc/msgport.h"

enum {
    CONN_PLACES_MAX = 1024 /* requests under way on one connection: RING_SLOTS_MAX */
};

/* --- the client's end --- */

/* One request under way. Free, or waiting for an answer: of `request`, or a belated one if that was
 * cancelled (NULL). Its tag is new for each use: 48 bits of number, 16 of place. */
struct conn_place {
    uint64_t tag;
    struct request *request;
    uint16_t op;
    uint16_t next_free;
    bool taken;
};

/* What was wrong about answers. */
struct conn_wrong {
    uint64_t late; /* came after their request was cancelled */
    uint64_t
        unknown; /* answer nothing that is under way: invented, repeated, or of an earlier life */
    uint64_t op; /* answer another operation than was asked */
    uint64_t status; /* have a status that isn't one: delivered as ERROR_VERSION */
};

struct conn_client {
    struct msgport port; /* put-only: to be sent to */
    struct conn *conn;
    struct conn_place *place;
    uint16_t places, free; /* first free one; `places`: none */
    uint16_t under_way;    /* places taken */
    uint16_t room;         /* the most room that the connection ever had */
    uint32_t generation;   /* of the peer, as last seen */
    bool cancels;          /* the protocol has MSG_CANCEL */
    bool gone;             /* the peer, for good */
    bool aborting;         /* nothing is sent */
    struct conn_wrong wrong;
};

/* `place`: the caller's memory, 1 to CONN_PLACES_MAX. `seed`: different in each life of this side,
 * so that answers for a former life are recognised (domain_random). Never more requests are under
 * way than `places`, nor than the connection has room for in one direction: the peer always finds
 * room to answer. Then, and without room, the answer is ERROR_FULL. */
void conn_client_init(struct conn_client *client, struct conn *conn, struct conn_place *place,
                      uint32_t places, uint64_t seed, bool cancels);

/* A message with MSG_REPLY that arrived. Always consumed. */
void conn_client_receive(struct conn_client *client, const struct msg *m);

/* In batch_end: whoever waits for room (libos/fiber_port.h) is told if there is some. */
void conn_client_batch_end(struct conn_client *client);

/* In `start` and in batch_end, with the peer's generation (domain_conn_generation): if the peer has
 * started again since the last call, all that is under way is answered with ERROR_PEER_DIED. From 0
 * on it starts for the first time. If it is CONN_BROKEN, whatever is sent from then on is answered
 * so, too. */
void conn_client_peer(struct conn_client *client, uint32_t generation);

/* Answers all that is under way with `error`; what the peer may still answer is then unknown. Sends
 * nothing: who sends again when answered is told ERROR_FULL, and of room afterwards. */
void conn_client_abort(struct conn_client *client, enum error error);

/* Whether the table is in order (for assertions and tests). */
bool conn_client_check(const struct conn_client *client);

/* --- the server's end --- */

struct conn_server {
    struct conn *conn;
    struct msgport *target;  /* where requests go */
    struct msgport reply;    /* their reply port */
    struct request *request; /* the caller's memory */
    uint16_t requests;
    struct chain free;   /* of them */
    struct chain unsent; /* answered, waiting for room */
    uint64_t refused;    /* messages that are no requests, cancellations of what isn't there */
};

/* At most `requests` (1 to CONN_PLACES_MAX) are taken and not yet answered. `target`: a put-only
 * port, or one with a queue. */
void conn_server_init(struct conn_server *server, struct conn *conn, struct msgport *target,
                      struct request *request, uint32_t requests);

/* A message that arrived. False: it can't be taken now, all requests are in use or the target is
 * full (return that from `receive`; batch_end comes when there is room). */
bool conn_server_receive(struct conn_server *server, const struct msg *m);

/* In batch_end: sends answers that found no room. */
void conn_server_batch_end(struct conn_server *server);

/* The peer is gone: cancels what it asked, and sends no answers to that. */
void conn_server_abort(struct conn_server *server);

#endif
