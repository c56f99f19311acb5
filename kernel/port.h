/* SPDX-License-Identifier: ISC
 *
 * A message port: one page.
 *
 * Invariants:
 *  - at most one waiting thread, and only while pending, queue and faulted are all empty;
 *  - sum of shares[].reserved, share 0's included, is PORT_QUEUE_SLOTS, and used <= reserved for
 *    each, so a sender within its share always finds a queue entry;
 *  - the capabilities in an entry are real slots of the derivation tree.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include "kernel/cap.h"
#include "kernel/thread.h"
#include "motet/msg.h"

struct port_entry {
    struct msg msg; /* tag: the badge */
    struct cap caps[2];
};

struct port_share {
    uint8_t reserved; /* queue entries kept for this sender; 0: the share is unused */
    uint8_t used;
    uint8_t closing; /* its capability is gone; free when used drops to 0 */
};

struct port {
    uint64_t pending; /* bits signalled since the last wait */
    struct thread *waiter;
    struct list faulted;                   /* threads whose fault message waits, by thread->link */
    uint8_t head, count;                   /* the queue: a ring of entries */
    uint8_t entry_share[PORT_QUEUE_SLOTS]; /* per entry: whose share it uses */
    struct port_share shares[PORT_SHARES + 1];
    _Alignas(64) struct port_entry entries[PORT_QUEUE_SLOTS];
};
_Static_assert(sizeof(struct port) <= PAGE_BYTES, "one page");

void port_init(struct port *port);

/* Reserves `slots` queue entries for a new sender; its share's index in *share. ERROR_LIMIT. */
enum error port_share_open(struct port *port, uint64_t slots, uint8_t *share);
void port_share_close(struct port *port, uint8_t share);

/* From `sender`'s registers, by the capability `cap`: the system calls. */
enum error port_send(struct thread *sender, struct cap *cap);
enum error port_wait(struct thread *thread, struct cap *cap);

/* ORs `bits` into the pending word and wakes the waiter. */
void port_signal(struct port *port, uint64_t bits);

/* Delivers or queues the fault of `thread`, whose record is filled in. */
void port_fault(struct port *port, struct thread *thread);

/* A wait under way ends without a message, by TIMEOUT, PEER_DIED or BAD_STATE (suspended): what it
 * returns, and counts. */
void port_wait_end(struct thread *thread, enum error error);

/* One step of emptying a port before it goes. False when it is empty. */
bool port_release(struct port *port);

void port_check(const struct port *port);

#endif
