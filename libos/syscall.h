/* SPDX-License-Identifier: ISC
 *
 * The system calls as C functions; include/motet/abi.h has the register convention. Thin: nothing
 * is checked here. For x86-64, as kernel_x86_64.c; the rest of the libOS is for any processor.
 *
 * Memory is read before the first register variable is set, and written after the last one was
 * read: a sanitizer's call beside a memory access would change the registers in between.
 */
#ifndef MOTET_LIBOS_SYSCALL_H
#define MOTET_LIBOS_SYSCALL_H

#include <stdint.h>

#include "libos/trap.h"
#include "motet/abi.h"
#include "motet/msg.h"

/* What wait and send_wait bring back. */
struct received {
    uint64_t pending; /* bits since the last wait */
    struct msg msg;   /* msg.op 0: none; msg.tag: badge of the sender's capability */
    uint32_t caps;    /* which capabilities arrived: bit n for the n-th slot */
};

static inline uint64_t msg_header(const struct msg *m)
{
    uint64_t header;
    __builtin_memcpy(&header, m, 8);
    return header;
}

static inline enum error sys_signal(uint64_t port)
{
    uint64_t rax = CALL_signal;
    __asm__ volatile(TRAP : "+a"(rax) : "D"(port) : "rcx", "r11", "memory");
    return (enum error)rax;
}

static inline enum error sys_yield(void)
{
    uint64_t rax = CALL_yield;
    __asm__ volatile(TRAP : "+a"(rax) : : "rcx", "r11", "memory");
    return (enum error)rax;
}

/* `caps`: two slots to send copies of, (second << 32 | first), 0: none. */
static inline enum error sys_send(uint64_t port, const struct msg *m, uint64_t caps)
{
    uint64_t rax = CALL_send, header = msg_header(m);
    const uint64_t in0 = m->w[0], in1 = m->w[1], in2 = m->w[2];
    const uint64_t in3 = m->w[3], in4 = m->w[4], in5 = m->w[5];
    register uint64_t w0 __asm__("rdx") = in0;
    register uint64_t w1 __asm__("r10") = in1;
    register uint64_t w2 __asm__("r8") = in2;
    register uint64_t w3 __asm__("r9") = in3;
    register uint64_t w4 __asm__("r12") = in4;
    register uint64_t w5 __asm__("r13") = in5;
    register uint64_t r14 __asm__("r14") = caps;
    __asm__ volatile(TRAP
                     : "+a"(rax)
                     : "D"(port), "S"(header), "r"(w0), "r"(w1), "r"(w2), "r"(w3), "r"(w4), "r"(w5),
                       "r"(r14)
                     : "rcx", "r11", "memory");
    return (enum error)rax;
}

/* What an entry brought, out of copies of its registers. */
static inline void received_set(struct received *received, uint64_t pending, uint64_t header,
                                uint64_t tag, uint64_t caps)
{
    received->pending = pending;
    __builtin_memcpy(&received->msg, &header, 8);
    received->msg.tag = tag;
    received->caps = (uint32_t)caps;
}

static inline void received_words(struct received *received, uint64_t w0, uint64_t w1, uint64_t w2,
                                  uint64_t w3, uint64_t w4, uint64_t w5)
{
    received->msg.w[0] = w0;
    received->msg.w[1] = w1;
    received->msg.w[2] = w2;
    received->msg.w[3] = w3;
    received->msg.w[4] = w4;
    received->msg.w[5] = w5;
}

/* One entry for wait (call == CALL_wait, `port` waited on) and send_wait (message to `port`, then
 * wait on `own_port`). `caps` as in sys_send; for a plain wait the two slots to receive into. */
static inline enum error sys_exchange(enum call call, uint64_t port, uint64_t own_port,
                                      uint64_t caps, uint64_t deadline, struct received *io)
{
    uint64_t rax = call, rdi = port, header = msg_header(&io->msg), rbx = own_port;
    const uint64_t in0 = io->msg.w[0], in1 = io->msg.w[1], in2 = io->msg.w[2];
    const uint64_t in3 = io->msg.w[3], in4 = io->msg.w[4], in5 = io->msg.w[5];
    register uint64_t w0 __asm__("rdx") = in0;
    register uint64_t w1 __asm__("r10") = in1;
    register uint64_t w2 __asm__("r8") = in2;
    register uint64_t w3 __asm__("r9") = in3;
    register uint64_t w4 __asm__("r12") = in4;
    register uint64_t w5 __asm__("r13") = in5;
    register uint64_t r14 __asm__("r14") = caps;
    register uint64_t r15 __asm__("r15") = deadline;
    __asm__ volatile(TRAP
                     : "+a"(rax), "+D"(rdi), "+S"(header), "+b"(rbx), "+r"(w0), "+r"(w1), "+r"(w2),
                       "+r"(w3), "+r"(w4), "+r"(w5), "+r"(r14)
                     : "r"(r15)
                     : "rcx", "r11", "memory");
    const uint64_t out0 = w0, out1 = w1, out2 = w2, out3 = w3, out4 = w4, out5 = w5, caps_in = r14;
    received_set(io, rdi, header, rbx, caps_in);
    received_words(io, out0, out1, out2, out3, out4, out5);
    return (enum error)rax;
}

/* `doorbell`: a slot to signal before waiting, 0: none. Without a message msg.op is 0 and the words
 * of the message mean nothing. */
static inline enum error sys_wait(uint64_t port, uint64_t doorbell, uint64_t deadline,
                                  struct received *received)
{
    uint64_t rax = CALL_wait, rdi = port, header = 0, rbx = doorbell;
    register uint64_t w0 __asm__("rdx");
    register uint64_t w1 __asm__("r10");
    register uint64_t w2 __asm__("r8");
    register uint64_t w3 __asm__("r9");
    register uint64_t w4 __asm__("r12");
    register uint64_t w5 __asm__("r13");
    register uint64_t r14 __asm__("r14") = 0; /* no slots to receive capabilities into */
    register uint64_t r15 __asm__("r15") = deadline;
    __asm__ volatile(TRAP
                     : "+a"(rax), "+D"(rdi), "+S"(header), "+b"(rbx), "=r"(w0), "=r"(w1), "=r"(w2),
                       "=r"(w3), "=r"(w4), "=r"(w5), "+r"(r14)
                     : "r"(r15)
                     : "rcx", "r11", "memory");
    const uint64_t out0 = w0, out1 = w1, out2 = w2, out3 = w3, out4 = w4, out5 = w5, caps = r14;
    received_set(received, rdi, header, rbx, caps);
    received_words(received, out0, out1, out2, out3, out4, out5);
    return (enum error)rax;
}

struct invoked {
    uint64_t a[3]; /* results */
};

static inline enum error sys_invoke(uint64_t slot, enum operation operation, uint64_t a0,
                                    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                    struct invoked *results)
{
    uint64_t rax = CALL_invoke;
    register uint64_t w0 __asm__("rdx") = a0;
    register uint64_t w1 __asm__("r10") = a1;
    register uint64_t w2 __asm__("r8") = a2;
    register uint64_t w3 __asm__("r9") = a3;
    register uint64_t w4 __asm__("r12") = a4;
    __asm__ volatile(TRAP
                     : "+a"(rax), "+r"(w0), "+r"(w1), "+r"(w2)
                     : "D"(slot), "S"((uint64_t)operation), "r"(w3), "r"(w4)
                     : "rcx", "r11", "memory");
    const uint64_t out0 = w0, out1 = w1, out2 = w2;
    if (results)
        *results = (struct invoked){{out0, out1, out2}};
    return (enum error)rax;
}

#endif
