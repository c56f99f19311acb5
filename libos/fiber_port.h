/* SPDX-License-Identifier: ISC
 *
 * Message ports in synchronous style: the operations of ipc/msgport.h that wait. Called by a fiber;
 * it alone stops. Deadlines are nanoseconds as domain_time, 0: none.
 */
#ifndef MOTET_LIBOS_FIBER_PORT_H
#define MOTET_LIBOS_FIBER_PORT_H

#include "ipc/msgport.h"
#include "libos/fiber.h"

/* Sends and waits for the answer: returns its status, and the request is MINE. If the port is full
 * it waits for room. If what is behind the port answers at once it doesn't wait at all.
 * ERROR_TIMEOUT: the deadline passed, and the request was cancelled; where that takes until its
 * holder gives it back (request_cancel), this waits for that, and returns what the holder said. */
enum error request_call(struct fibers *fibers, struct request *r, struct msgport *port,
                        uint64_t deadline);

/* Waits until a request that was sent is done, and takes it out of the reply port's queue; its
 * status. ERROR_TIMEOUT: it isn't done, nothing has changed. */
enum error request_wait(struct fibers *fibers, struct request *r, uint64_t deadline);

/* The next request or answer of a queue of this fiber's own; NULL: the deadline passed. One fiber
 * at a time. */
struct request *msgport_wait(struct fibers *fibers, struct msgport *port, uint64_t deadline);

#endif
