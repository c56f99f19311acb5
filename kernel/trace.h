/* SPDX-License-Identifier: ISC
 *
 * Tracing: records of what happens, in pages of user level (motet/trace.h).
 *
 * What can be traced is called through pointers, struct steps, one set per CPU. Without tracing
 * they lead straight to the functions that do the work, which costs what a call by name costs; with
 * tracing, to functions in trace.c that write a record and call the same ones. So no other file
 * knows of tracing, and there is nothing to test when it is off.
 *
 * Invariants:
 *  - header is NULL or at the start of a page run that a live capability marked CAP_TRACE names;
 *    removing that one ends tracing;
 *  - mask is 0 if there is no header; steps are the traced ones exactly if mask isn't 0;
 *  - then `running` is cpu->current between two kernel entries;
 *  - nothing is ever read from the run.
 */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/abi.h"
#include "motet/trace.h"

struct cap;
struct cpu;
struct port;
struct space;
struct thread;

/* As the functions of these names in port.h, thread.h, space.h, irq.h and fastpath.h. */
struct steps {
    bool (*send_wait_fast)(struct thread *sender);
    bool (*wait_fast)(struct thread *waiter);
    enum error (*send)(struct thread *sender, struct cap *cap);
    void (*signal)(struct port *port, uint64_t bits);
    void (*wake)(struct thread *thread);
    enum error (*resume)(struct thread *thread);
    enum error (*map)(struct space *space, struct cap *page, uint64_t at, uint8_t rights,
                      uint64_t *level);
    enum error (*unmap)(struct cap *page);
    void (*fault)(struct thread *thread, uint64_t cause, uint64_t address, uint64_t error);
    void (*interrupt)(uint64_t vector);
    void (*timer)(struct cpu *cpu);
    struct thread *(*schedule)(struct cpu *cpu);
};

struct trace {
    uint32_t mask;          /* events to record, a bit each */
    bool interrupt;         /* this entry is an interrupt: whoever runs has nothing to do with it */
    struct thread *running; /* of the last switch that was seen */
    struct trace_header *header;
    struct trace_record *next, *end;
    uint64_t written;
};

/* The pages of `page` become this CPU's ring; its header says so. The capability is marked. */
enum error trace_attach(struct cpu *cpu, struct cap *page);

/* Records these events from now on; 0: none. */
enum error trace_mask(struct cpu *cpu, uint64_t mask);

/* The marked capability goes. */
void trace_forget(struct cap *page);

void trace_init(struct cpu *cpu);

#endif
