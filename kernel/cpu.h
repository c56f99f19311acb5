/* SPDX-License-Identifier: ISC
 *
 * What each CPU has for itself. Other CPUs never touch it.
 */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include "kernel/list.h"
#include "kernel/thread.h"
#include "kernel/trace.h"

struct cpu {
    struct thread *current; /* NULL: idle. First: entry.S relies on it */
    uint64_t stack_top;     /* entry.S: the kernel's stack on this CPU */
    uint64_t user_rsp;      /* entry.S: scratch */
    uint8_t reschedule;     /* choose again before leaving the kernel */
    uint64_t ready_bits;    /* priorities with a ready thread */
    struct list ready[PRIORITY_COUNT];
    struct deadline *deadlines; /* root of the tree */
    uint64_t timer;             /* when the hardware timer will fire, 0: not armed */
    uint64_t slice_end;         /* 0: no equal competes */
    uint64_t budget_end;        /* of the running thread, 0: it has none */
    struct space *space;        /* whose root table is loaded; NULL: the kernel's */
    struct steps steps;         /* plain or traced */
    struct trace trace;
};

void cpu_init(struct cpu *cpu);

#endif
