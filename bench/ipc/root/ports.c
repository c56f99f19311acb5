/* SPDX-License-Identifier: ISC
 *
 * See ports.h. The receivers have the sender's priority, so that they run when it waits.
 */
#include "bench/ipc/root/ports.h"

#include "bench/ipc/root/root.h"
#include "ipc/conn.h"

/* --- kernel ports --- */

static void receive_forever(struct partner *partner)
{
    struct received received = {0};
    enum error error = sys_wait(partner->in, 0, 0, &received);
    for (;;) {
        must(error, "wait");
        partner->received++;
        if (--received.msg.w[0]) { /* so many of this batch are still to come */
            received.msg.op = 0;
            error = sys_wait(partner->in, 0, 0, &received);
            continue;
        }
        error = sys_exchange(CALL_send_wait, root()->answers, partner->in, 0, 0, &received);
    }
}

static void partner_same(void)
{
    receive_forever(&root()->partner[0]);
}

static void partner_other(void)
{
    receive_forever(&root()->partner[1]);
}

void ports_make(void)
{
    root()->answers = port_make();
    root()->partner[0].in = port_make();
    root()->partner[1].in = port_make();
    thread_start(thread_make(partner_same, INIT_SPACE, PRIORITY_LOW));
    thread_start(thread_make(partner_other, rig()->second_space, PRIORITY_LOW));
}

static void batch_send(uint32_t in, uint32_t batch)
{
    struct received io = {.msg = {.op = 1}};
    for (uint32_t left = batch; left > 1; left--) {
        io.msg.w[0] = left;
        must(sys_send(in, &io.msg, 0), "send");
    }
    io.msg.w[0] = 1;
    must(sys_exchange(CALL_send_wait, in, root()->answers, 0, 0, &io), "send_wait");
    if (!io.msg.op)
        must(ERROR_NOT_FOUND, "the answer");
}

uint32_t ports_measure(bool other_space, uint32_t batch, uint32_t rounds)
{
    struct partner *partner = &root()->partner[other_space];
    batch_send(partner->in, batch);
    partner->received = 0;
    uint32_t began = clock_low();
    for (uint32_t i = 0; i < rounds; i++)
        batch_send(partner->in, batch);
    uint32_t ticks = clock_low() - began;
    if (partner->received != batch * rounds)
        must(ERROR_BAD_STATE, "messages were lost");
    return ticks;
}

/* --- calls --- */

__attribute__((noinline)) static enum error take(struct conn *conn, const struct msg *m)
{
    (void)conn;
    root()->sum += m->w[0];
    return OK;
}

static uint32_t loop_nothing(uint32_t rounds)
{
    uint32_t began = clock_low();
    for (uint32_t i = 0; i < rounds; i++)
        __asm__ volatile("" : "+r"(i) : : "memory");
    return clock_low() - began;
}

static uint32_t loop_direct(uint32_t rounds, const struct msg *m)
{
    uint32_t began = clock_low();
    for (uint32_t i = 0; i < rounds; i++) {
        __asm__ volatile("" : "+r"(i) : : "memory");
        take(NULL, m);
    }
    return clock_low() - began;
}

static uint32_t loop_pointer(uint32_t rounds, struct conn *conn, const struct msg *m)
{
    uint32_t began = clock_low();
    for (uint32_t i = 0; i < rounds; i++) {
        __asm__ volatile("" : "+r"(i) : : "memory");
        conn_send(conn, m);
    }
    return clock_low() - began;
}

uint32_t calls_measure(enum call_kind kind, uint32_t rounds)
{
    struct msg m = {.op = 1};
    struct conn conn = {.put = take};
    __asm__ volatile("" : : "r"(&conn) : "memory"); /* or the compiler knows whom it calls */
    switch (kind) {
    case CALL_DIRECT:
        return loop_direct(rounds, &m);
    case CALL_POINTER:
        return loop_pointer(rounds, &conn, &m);
    default:
        return loop_nothing(rounds);
    }
}
