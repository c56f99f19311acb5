/* SPDX-License-Identifier: ISC
 *
 * What every operation refuses: four tests of each are made from calls.def (list.c). And numbers
 * of calls, operations and slots that there aren't.
 */
#include "tests/usertests/usertests.h"
#include "tests/usertests/tests.h"

const uint64_t hostile[HOSTILE_VALUES] = {
    0,
    1,
    63,
    EMPTY,
    TABLE_SLOTS,
    4095,
    4097,
    0x7fffffffffff,
    USER_ADDRESS_END - 1,
    USER_ADDRESS_END,
    NOT_CANONICAL,
    KERNEL_HALF - 1,
    KERNEL_HALF,
    KERNEL_TEXT,
    1ull << 63,
    INT64_MAX,
    UINT32_MAX,
    1ull << 32,
    1ull << 32 | 1,
    UINT64_MAX - 4095,
    UINT64_MAX - 1,
    UINT64_MAX,
};

static const struct {
    uint8_t object, right;
} operations[OPERATION_COUNT] = {
#define OPERATION(object, name, right, ...) {OBJECT_##object, RIGHT_##right},
#include "motet/calls.def"
};

static enum error plainly(uint64_t slot, uint64_t operation)
{
    return invoke_recorded(slot, operation, (const uint64_t[5]){0});
}

void test_invoke_on_empty_slot(void)
{
    const uint64_t slots[] = {0, EMPTY, E->slots, 1ull << 32 | E->table, 1ull << 63, UINT64_MAX};
    for (unsigned i = 0; i < COUNT(slots); i++)
        refused(EMPTY_SLOT, plainly(slots[i], E->argument));
}

void test_invoke_on_wrong_type(void)
{
    for (int type = OBJECT_untyped; type < OBJECT_COUNT; type++)
        if (type != operations[E->argument].object)
            refused(WRONG_TYPE, plainly(slot_of((enum object)type), E->argument));
}

/* page.info asks for none; untyped memory and tables always have theirs. */
void test_invoke_without_right(void)
{
    uint8_t object = operations[E->argument].object, right = operations[E->argument].right;
    uint32_t slot = slot_of((enum object)object), without = slot_new();
    enum error error = INVOKE(E->table, captable_copy, slot, without, RIGHT_ALL & ~right);
    if (object == OBJECT_untyped || object == OBJECT_table) {
        check(error == ERROR_WRONG_TYPE);
        return;
    }
    must(error);
    if (right != RIGHT_NONE)
        refused(NO_RIGHT, plainly(without, E->argument));
    else
        must(plainly(without, E->argument));
}

/* Senseless arguments, on a capability that can be spared: any documented answer will do, and the
 * domain goes on. */
void test_invoke_hostile_arguments(void)
{
    uint8_t object = operations[E->argument].object;
    for (unsigned v = 0; v < HOSTILE_VALUES; v++) {
        uint64_t operation = E->argument;
        uint32_t slot = object == OBJECT_captable  ? make(OBJECT_captable, 1)
                        : object == OBJECT_untyped ? make(OBJECT_untyped, 8)
                                                   : slot_of((enum object)object);
        if (operation == OPERATION_ioport_out) /* could reset the machine */
            continue;
        for (unsigned w = 0; w < HOSTILE_VALUES; w++) {
            uint64_t a[5] = {hostile[v], hostile[w], hostile[(v + w) % HOSTILE_VALUES],
                             hostile[(v + 2 * w) % HOSTILE_VALUES], hostile[w]};
            invoke_recorded(slot, operation, a);
        }
        if (E->next_slot > TABLE_SLOTS / 2) {
            check(object != OBJECT_none);
            while (E->next_slot > SLOT_TESTS_FIRST)
                INVOKE(E->table, captable_delete, --E->next_slot);
            E->next_slot = SLOT_TESTS_FIRST;
        }
    }
    must(sys_yield());
}

void test_call_unknown(void)
{
    static const uint64_t calls[] = {CALL_COUNT, 255,       1ull << 32, 1ull << 32 | 1,
                                     1ull << 63, INT64_MAX, UINT64_MAX, KERNEL_HALF};
    for (unsigned i = 0; i < COUNT(calls); i++) {
        struct received io = {0};
        refused(UNKNOWN_CALL, call_recorded(calls[i], E->table, 0, 0, 0, &io));
    }
}

void test_invoke_unknown_operation(void)
{
    static const uint64_t numbers[] = {OPERATION_COUNT, 1000, 1ull << 32, 1ull << 63, UINT64_MAX};
    for (unsigned i = 0; i < COUNT(numbers); i++)
        refused(UNKNOWN_CALL, plainly(E->table, numbers[i]));
}

/* Every register holds garbage: the call looks at the low bits of none. */
void test_call_garbage_in_registers(void)
{
    for (uint64_t call = 0; call < CALL_COUNT; call++)
        for (unsigned v = 0; v < HOSTILE_VALUES; v++) {
            uint64_t garbage = hostile[v] | 1ull << 62;
            struct received io = {.msg = {.op = 0xffff, .flags = 0xffff, .status = -1}};
            for (int w = 0; w < MSG_WORDS; w++)
                io.msg.w[w] = garbage;
            enum error error = call_recorded(call, garbage, garbage, garbage, garbage, &io);
            if (call == CALL_yield)
                must(error);
            else if (call == CALL_invoke)
                refused(UNKNOWN_CALL, error);
            else
                refused(EMPTY_SLOT, error);
        }
}
