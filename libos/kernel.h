/* SPDX-License-Identifier: ISC
 *
 * What the libOS asks of the kernel (libos/kernel_calls.c) and the processor
 * (libos/kernel_x86_64.c). A unit test brings its own of both, the simulator of the latter. Called
 * by libos/loop.c, domain.c and run.c; ring_fence of ipc/barrier.h belongs here too.
 */
#ifndef MOTET_LIBOS_KERNEL_H
#define MOTET_LIBOS_KERNEL_H

#include <stdint.h>

#include "motet/error.h"
#include "motet/msg.h"

/* Rings the doorbell in slot `doorbell` (0: none), then waits on the domain's own port until there
 * is something or the deadline (clock ticks, 0: none) has passed. Returns the pending bits; if a
 * message came too, fills in *message. */
uint64_t kernel_wait(uint64_t doorbell, uint64_t deadline, struct msg *message);

/* Rings the doorbell in that capability slot. */
void kernel_signal(uint64_t slot);

/* Unmasks the pin whose capability is in that slot. */
void kernel_acknowledge(uint64_t slot);

/* Sends a message of motet/supervisor.h to the supervisor. */
void kernel_report(const struct msg *m);

/* Sends to the port whose capability is in that slot, without waiting; the kernel's answer. */
enum error kernel_send(uint64_t slot, const struct msg *m);

/* I/O ports, by the capability in that slot; `bytes`: 1, 2 or 4. What it doesn't cover is all ones,
 * as where no device is, and takes nothing. */
uint32_t kernel_port_in(uint64_t slot, uint64_t port, uint32_t bytes);
void kernel_port_out(uint64_t slot, uint64_t port, uint32_t bytes, uint32_t value);

/* The clock of struct kernel_info, in ticks. */
uint64_t kernel_clock(void);

/* 64 bits of the processor's random generator, 0 when it has none to give just now. Only with
 * CPU_RDRAND. */
uint64_t kernel_random(void);

/* Ends the thread by a fault (invalid opcode) that shows `code` in rdi. */
_Noreturn void kernel_stop(uint64_t code);

enum stop_code {
    STOP_START_PAGE = 0x57a7, /* no start page of this version */
    STOP_KERNEL_INFO,         /* no kernel information page of this ABI */
    STOP_INIT,                /* init has said why it can't go on */
};

#endif
