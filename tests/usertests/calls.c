/* SPDX-License-Identifier: ISC
 *
 * The errors of the calls that aren't invoke, and what hostile messages do.
 */
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

#include "libos/kernel.h"

static const struct received one = {.msg = {.op = 1}};

static enum error send_wait(uint64_t to, uint64_t own, uint64_t caps, uint64_t deadline)
{
    struct received io = one;
    return ut_send_wait(to, own, caps, deadline, &io);
}

void test_send_empty_slot(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(EMPTY_SLOT, ut_send(EMPTY, 1, 0));
    refused(EMPTY_SLOT, ut_send(0, 1, 0));
    for (unsigned v = 4; v < HOSTILE_VALUES; v++)
        refused(EMPTY_SLOT, ut_send(hostile[v] | 1ull << 40, 1, 0));
    refused(EMPTY_SLOT, ut_send(port, 1, EMPTY));
    refused(EMPTY_SLOT, ut_send(port, 1, (uint64_t)EMPTY << 32 | E->space));
    refused(EMPTY_SLOT, ut_send(port, 1, UINT64_MAX));
}

void test_send_wrong_type(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(WRONG_TYPE, ut_send(E->space, 1, 0));
    refused(WRONG_TYPE, ut_send(port, 1, E->memory));
    refused(WRONG_TYPE, ut_send(port, 1, make(OBJECT_table, 1)));
}

void test_send_no_right(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(NO_RIGHT, ut_send(copy_with(port, RIGHT_ALL & ~RIGHT_SEND), 1, 0));
    refused(NO_RIGHT, ut_send(copy_with(port, RIGHT_NONE), 1, 0));
}

void test_send_bad_argument(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(BAD_ARGUMENT, ut_send(port, 0, 0));
    refused(BAD_ARGUMENT, ut_send(port, 0xffffffffffff0000, 0));
}

void test_send_full(void)
{
    uint32_t port = make(OBJECT_port, 1), narrow = mint(port, RIGHT_SEND, 1, 1);
    must(ut_send(narrow, 1, 0));
    refused(FULL, ut_send(narrow, 1, 0));
    for (int i = 0; i < PORT_QUEUE_SLOTS - 1; i++)
        must(ut_send(port, 1, 0));
    refused(FULL, ut_send(port, 1, 0));
}

void test_send_limit(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(LIMIT, ut_send(port, 1, deepest(E->space)));
    refused(LIMIT, ut_send(port, 1, half_revoked(E->space)));
}

void test_signal_empty_slot(void)
{
    refused(EMPTY_SLOT, ut_signal(0));
    for (unsigned v = 3; v < HOSTILE_VALUES; v++)
        refused(EMPTY_SLOT, ut_signal(hostile[v] | 1ull << 40));
}

void test_signal_wrong_type(void)
{
    refused(WRONG_TYPE, ut_signal(E->table));
}

void test_signal_no_right(void)
{
    refused(NO_RIGHT, ut_signal(copy_with(make(OBJECT_port, 1), RIGHT_ALL & ~RIGHT_SIGNAL)));
}

void test_wait_empty_slot(void)
{
    uint32_t port = make(OBJECT_port, 1);
    for (unsigned v = 3; v < HOSTILE_VALUES; v++)
        refused(EMPTY_SLOT, ut_wait(hostile[v] | 1ull << 40, 0, 1, NULL));
    struct received io = {0};
    refused(EMPTY_SLOT, call_recorded(CALL_wait, port, EMPTY, 0, 1, &io)); /* the doorbell */
}

void test_wait_wrong_type(void)
{
    uint32_t port = make(OBJECT_port, 1);
    struct received io = {0};
    refused(WRONG_TYPE, ut_wait(E->table, 0, 1, NULL));
    refused(WRONG_TYPE, call_recorded(CALL_wait, port, E->table, 0, 1, &io));
}

void test_wait_no_right(void)
{
    uint32_t port = make(OBJECT_port, 1);
    struct received io = {0};
    refused(NO_RIGHT, ut_wait(copy_with(port, RIGHT_ALL & ~RIGHT_WAIT), 0, 1, NULL));
    refused(NO_RIGHT, call_recorded(CALL_wait, port, copy_with(port, RIGHT_WAIT), 0, 1, &io));
}

void test_wait_bad_argument(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(BAD_ARGUMENT, ut_wait(port, E->slots, 1, NULL));
    refused(BAD_ARGUMENT, ut_wait(port, 0xffffffffull << 32, 1, NULL));
    refused(BAD_ARGUMENT, ut_wait(port, UINT64_MAX, 1, NULL));
}

void test_wait_occupied(void)
{
    uint32_t port = make(OBJECT_port, 1);
    must(ut_send(port, 1, E->space));
    refused(OCCUPIED, ut_wait(port, E->table, 1, NULL));
    refused(OCCUPIED, ut_wait(port, (uint64_t)E->table << 32 | EMPTY, 1, NULL));
    must(ut_wait(port, EMPTY, 1, NULL)); /* the message was left */
}

static void wait_as_told(uint64_t port)
{
    E->note[0] = ut_wait(port, 0, E->note[2], NULL);
    helper_end();
}

static void send_wait_as_told(uint64_t port)
{
    E->note[0] = send_wait(E->note[3], port, 0, E->note[2]);
    helper_end();
}

static void given_up_by_suspension(void (*waiter)(uint64_t))
{
    uint32_t port = make(OBJECT_port, 1), thread = helper(waiter, port, HIGHER, 0);
    E->note[0] = ERROR_COUNT;
    E->note[3] = make(OBJECT_port, 1);
    start(thread);
    check(E->note[0] == ERROR_COUNT && thread_state_of(thread) == THREAD_WAITING);
    must(INVOKE(thread, thread_suspend, 0));
    must(ut_send(port, 1, 0)); /* nobody waits any more */
    start(thread);
    check(E->note[0] == ERROR_BAD_STATE);
}

void test_wait_bad_state(void)
{
    given_up_by_suspension(wait_as_told);
}

void test_wait_busy(void)
{
    uint32_t port = make(OBJECT_port, 1);
    start(helper(helper_waits, port, HIGHER, 0));
    refused(BUSY, ut_wait(port, 0, 1, NULL));
    refused(BUSY, ut_wait(port, 0, 0, NULL));
}

void test_wait_timeout(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(TIMEOUT, ut_wait(port, 0, 1, NULL));
    refused(TIMEOUT, ut_wait(port, 0, kernel_clock() + 100000, NULL));
}

static void given_up_by_destruction(void (*waiter)(uint64_t))
{
    uint32_t port = make(OBJECT_port, 1);
    E->note[0] = ERROR_COUNT;
    E->note[3] = make(OBJECT_port, 1);
    start(helper(waiter, port, HIGHER, 0));
    delete_all(port);
    check(E->note[0] == ERROR_PEER_DIED);
}

void test_wait_peer_died(void)
{
    given_up_by_destruction(wait_as_told);
}

void test_send_wait_empty_slot(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(EMPTY_SLOT, send_wait(EMPTY, port, 0, 1));
    refused(EMPTY_SLOT, send_wait(port, EMPTY, 0, 1));
    refused(EMPTY_SLOT, send_wait(port, port, EMPTY, 1));
    refused(TIMEOUT, ut_wait(port, 0, 1, NULL)); /* nothing was sent */
}

void test_send_wait_wrong_type(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(WRONG_TYPE, send_wait(E->table, port, 0, 1));
    refused(WRONG_TYPE, send_wait(port, E->table, 0, 1));
    refused(WRONG_TYPE, send_wait(port, port, E->memory, 1));
}

void test_send_wait_no_right(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(NO_RIGHT, send_wait(copy_with(port, RIGHT_WAIT), port, 0, 1));
    refused(NO_RIGHT, send_wait(port, copy_with(port, RIGHT_SEND), 0, 1));
    refused(TIMEOUT, ut_wait(port, 0, 1, NULL));
}

void test_send_wait_bad_argument(void)
{
    uint32_t port = make(OBJECT_port, 1);
    struct received none = {0};
    refused(BAD_ARGUMENT, ut_send_wait(port, port, 0, 1, &none));
}

void test_send_wait_full(void)
{
    uint32_t port = make(OBJECT_port, 1), own = make(OBJECT_port, 1);
    uint32_t narrow = mint(port, RIGHT_SEND, 1, 1);
    refused(TIMEOUT, send_wait(narrow, own, 0, 1)); /* it was sent, and nothing came */
    refused(FULL, send_wait(narrow, own, 0, 1));
}

void test_send_wait_limit(void)
{
    uint32_t port = make(OBJECT_port, 1);
    refused(LIMIT, send_wait(port, port, deepest(E->space), 1));
}

void test_send_wait_busy(void)
{
    uint32_t port = make(OBJECT_port, 1), own = make(OBJECT_port, 1);
    start(helper(helper_waits, own, HIGHER, 0));
    refused(BUSY, send_wait(port, own, 0, 1));
    must(ut_wait(port, 0, 1, NULL)); /* the message was sent all the same */
}

void test_send_wait_timeout(void)
{
    uint32_t port = make(OBJECT_port, 1), own = make(OBJECT_port, 1);
    refused(TIMEOUT, send_wait(port, own, 0, kernel_clock() + 100000));
}

void test_send_wait_bad_state(void)
{
    given_up_by_suspension(send_wait_as_told);
}

void test_send_wait_peer_died(void)
{
    given_up_by_destruction(send_wait_as_told);
}

void test_yield_alone(void)
{
    for (int i = 0; i < 100; i++)
        must(sys_yield());
}

/* --- messages --- */

/* A port on which it waits itself takes what it sends there. */
void test_message_to_oneself(void)
{
    uint32_t port = mint(make(OBJECT_port, 1), RIGHT_ALL, 0xabc, 0);
    struct received io = one;
    must(ut_send_wait(port, port, 0, 1, &io));
    check(io.msg.op == 1 && io.msg.tag == 0xabc);
}

/* All that one has, sent to oneself: each copy has its rights and no more. */
void test_capabilities_to_oneself(void)
{
    uint32_t port = make(OBJECT_port, 1);
    const uint32_t sent[] = {E->table,   E->space, E->thread, E->verdict,
                             E->ioports, E->irqs,  E->info};
    for (unsigned i = 0; i < COUNT(sent); i++) {
        uint32_t first = slot_new(), second = slot_new();
        struct received received = {0};
        must(INVOKE(E->table, captable_info, sent[i]));
        uint64_t type = E->result[0], rights = E->result[1];
        must(ut_send(port, 1, (uint64_t)sent[i] << 32 | sent[i]));
        must(ut_wait(port, (uint64_t)second << 32 | first, 1, &received));
        check(received.caps == 3);
        must(INVOKE(E->table, captable_info, first));
        check(E->result[0] == type && E->result[1] == rights);
        must(INVOKE(E->table, captable_info, second));
        check(E->result[0] == type && E->result[1] == rights);
    }
}

/* Both copies want the same slot: one gets it, the other is lost, and nothing is doubled. */
void test_capabilities_into_one_slot(void)
{
    uint32_t port = make(OBJECT_port, 1), slot = slot_new();
    struct received received = {0};
    must(ut_send(port, 1, (uint64_t)E->table << 32 | E->space));
    must(ut_wait(port, (uint64_t)slot << 32 | slot, 1, &received));
    check(received.caps == 1);
    must(INVOKE(E->table, captable_info, slot));
    check(E->result[0] == OBJECT_space);
}

/* The port itself, in a message in its own queue, and then both go. */
void test_port_in_its_own_queue(void)
{
    uint32_t port = make(OBJECT_port, 1);
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(ut_send(port, 1, (uint64_t)port << 32 | port));
    delete_all(port);
}

void test_capability_revoked_while_under_way(void)
{
    uint32_t port = make(OBJECT_port, 1), page = make(OBJECT_page, 1), slot = slot_new();
    struct received received = {0};
    must(ut_send(port, 1, page));
    delete_all(page);
    must(ut_wait(port, slot, 1, &received));
    check(received.msg.op == 1 && received.caps == 0);
    must(INVOKE(E->table, captable_info, slot));
    check(E->result[0] == OBJECT_none);
}

void test_doorbell_of_the_port_waited_on(void)
{
    uint32_t port = mint(make(OBJECT_port, 1), RIGHT_ALL, 1ull << 63, 0);
    struct received io = {0};
    must(call_recorded(CALL_wait, port, port, 0, 1, &io));
    check(io.pending == 1ull << 63 && io.msg.op == 0);
}

/* --- badges and deadlines --- */

static void receives(uint64_t port)
{
    struct received received = {0};
    E->note[0] = ut_wait(port, 0, 0, &received);
    E->note[1] = received.msg.tag;
    E->note[2] = received.msg.w[0] ^ received.msg.w[5];
    E->note[3] = msg_header(&received.msg);
    helper_end();
}

/* The badge is the capability's, whatever the sender has in the register in which it arrives; by
 * each of the ways on which a message reaches who waits. */
void test_badge_of_a_message_to_who_waits(void)
{
    uint32_t port = make(OBJECT_port, 1), minted = mint(port, RIGHT_SEND, 0x123, 0);
    for (int way = 0; way < 3; way++) {
        struct received io = {.msg = {.op = 0x77, .flags = 3, .status = -5}};
        uint64_t own = mint(make(OBJECT_port, 1), RIGHT_ALL, 0x666, 0);
        io.msg.w[0] = 40;
        io.msg.w[5] = 2;
        uint64_t header = msg_header(&io.msg);
        start(helper(receives, port, HIGHER, 0));
        if (way == 0)
            must(call_recorded(CALL_send, minted, 0x666, 0, 0, &io));
        else
            refused(TIMEOUT, ut_send_wait(minted, own, way == 1 ? 0 : E->space, 1, &io));
        check(E->note[0] == OK && E->note[1] == 0x123);
        check(E->note[2] == (40 ^ 2) && E->note[3] == header);
    }
}

void test_hostile_badges(void)
{
    uint32_t port = make(OBJECT_port, 1);
    for (unsigned v = 0; v < HOSTILE_VALUES; v++) {
        uint32_t minted = mint(port, RIGHT_ALL, hostile[v], 0);
        struct received received = {0};
        must(ut_send(minted, 1, 0));
        must(ut_signal(minted));
        must(ut_wait(port, 0, 1, &received));
        check(received.msg.tag == hostile[v] && received.pending == hostile[v]);
    }
}

void test_signals_are_one_word(void)
{
    uint32_t port = make(OBJECT_port, 1);
    struct received received = {0};
    for (int bit = 0; bit < 64; bit++)
        must(ut_signal(mint(port, RIGHT_SIGNAL, 1ull << bit, 0)));
    must(ut_signal(port)); /* without a badge it says nothing */
    must(ut_wait(port, 0, 1, &received));
    check(received.pending == UINT64_MAX && received.msg.op == 0);
    refused(TIMEOUT, ut_wait(port, 0, 1, NULL));
}

/* However far: it waits, and can be made to stop. */
void test_wait_with_hostile_deadlines(void)
{
    for (unsigned v = 0; v < HOSTILE_VALUES; v++) {
        uint32_t base = E->next_slot, port = make(OBJECT_port, 1);
        E->helpers = 0;
        E->note[0] = ERROR_COUNT;
        E->note[2] = hostile[v];
        uint32_t thread = helper(wait_as_told, port, HIGHER, 0);
        start(thread);
        if (thread_state_of(thread) == THREAD_WAITING)
            delete_all(port);
        check(E->note[0] == ERROR_TIMEOUT || E->note[0] == ERROR_PEER_DIED);
        INVOKE(E->table, captable_delete, thread);
        INVOKE(E->table, captable_delete, port);
        E->next_slot = base;
    }
}
