/* SPDX-License-Identifier: ISC
 *
 * The canonical form of a machine's state, as a hash of 64 bits. Two states with the same form have
 * the same futures, so that one of them is enough to look at.
 *
 * What a state is: all that the kernel may read before it writes it. That is
 *
 *  - the derivation list, in order: of each capability where it is (which table and slot, or which
 *    entry of which port's queue, counted from its head), type, rights, depth, flags, size, and
 *    what its type needs;
 *  - of each object, in the order of their first capabilities: all its fields;
 *  - the CPU, the interrupt vectors, the timer, the pins.
 *
 * Page frames have no names: each page of an object is numbered in the order of the derivation
 * list, and a pointer is the number of its page and the offset in it; so is an address in a page
 * table. Objects in other frames make the same state, and objects that are alike, pages or threads,
 * can't be told apart but by their place in the derivation tree and the slots where they are named,
 * which is what a program can see of them. Why that is sound: the kernel computes with addresses
 * only to follow them, and compares them only for equality; it never orders by them.
 *
 * Left out, with the reason why nothing depends on it:
 *
 *  - the clock: times are taken relative to it (the kernel compares and subtracts times only);
 *  - counters (spurious interrupts, timer interrupts), the last write to an I/O port: never read;
 *  - user registers, but for the receive slots of a waiting thread: a running thread's are set anew
 *    by the next action, and message contents only travel from register to register. What arrives
 *    is checked at each step instead (kernel/arch/sim/check_step.h), also the badges;
 *  - what is known of a fault, but for its badge: it goes to registers only;
 *  - empty slots and free entries of queues: written as a whole before they are read. That they
 *    are empty is part of the form;
 *  - the ring position of a queue's head: entries are counted from it (all uses are modulo the
 * size);
 *  - user pages: never read by the kernel. Pages of objects that are gone are filled with garbage
 *    as soon as they are, and free memory is known by untyped.used and untyped.cleared.
 *
 * Redundant fields (list links, counts, page table entries) are part of it, so that a state that
 * breaks an invariant never looks like one that doesn't.
 */
#ifndef EXPLORE_CANONICAL_H
#define EXPLORE_CANONICAL_H

#include <stdbool.h>
#include <stdint.h>

struct canonical {
    uint64_t hash;
    uint64_t dead;  /* bits: pages that were handed out and are in no object any more */
    uint64_t gone;  /* those of them that nobody may touch: the memory isn't available again */
    uint64_t slots; /* pages of capability tables, the root table's included */
    bool broken;    /* a list isn't one, or two objects share a page: there is no form */
};

void canonical_take(struct canonical *canonical);

#endif
