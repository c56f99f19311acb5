/* SPDX-License-Identifier: ISC
 *
 * The usual send_wait, and the usual wait with a doorbell: to a thread that waits for it, by one
 * that has nothing else to do. They do what port_send or port_signal, port_wait and schedule would
 * do one after the other, without the ready queue; tests/unit/kernel_fastpath_test.c holds the two
 * against each other.
 */
#ifndef KERNEL_FASTPATH_H
#define KERNEL_FASTPATH_H

#include <stdbool.h>

#include "kernel/thread.h"

/* True: done, the receiver runs. False: nothing was touched, the call is to be made as any other.
 */
bool send_wait_fast(struct thread *sender);
bool wait_fast(struct thread *waiter);

#endif
