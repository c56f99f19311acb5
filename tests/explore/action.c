/* SPDX-License-Identifier: ISC
 *
 * See action.h.
 */
#include "tests/explore/action.h"

#include <stdio.h>
#include <string.h>

#include "kernel/arch/sim/check_step.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/captable.h"
#include "kernel/port.h"
#include "tests/explore/memory.h"
#include "tests/explore/scene.h"

enum {
    OUTSIDE = 255,   /* a slot number: beyond every table */
    TWICE = 128,     /* with a slot: two slots of a message */
    SLOTS_MAX = 128, /* of a table, that are looked at */
    CHOICES_MAX = SLOTS_MAX + 16,
    SLOT_OUTSIDE = 100000,
    SENDER_BADGE = 0x5a5a, /* what a sender has where the badge goes; no capability has it */
};

/* --- classes of arguments --- */

struct choices {
    uint8_t good[CHOICES_MAX], bad[CHOICES_MAX];
    int goods, bads;
};

/* Classes of numbers: their letters, values that are right, values that are wrong. */
static const struct numbers {
    char letter;
    uint8_t goods, bads;
    uint64_t value[8]; /* the right ones first */
} number_classes[] = {
    /* addresses: mapped, free, without one table, without any */
    {'a', 4, 2, {AT, AT + 0x2000, AT + 0x200000, 0x8000000000, AT + 1, USER_ADDRESS_END}},
    {'r', 2, 0, {RIGHT_ALL, RIGHT_WRITE | RIGHT_SIGNAL}},
    {'m',
     3,
     2,
     {RIGHT_READ, RIGHT_READ | RIGHT_WRITE, RIGHT_READ | RIGHT_EXECUTE, RIGHT_WRITE,
      RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE}},
    {'b', 2, 0, {0, 4}},                       /* badge */
    {'q', 2, 1, {0, 1, PORT_QUEUE_SLOTS + 1}}, /* share */
    {'p', 2, 1, {PRIORITY, PRIORITY - 1, PRIORITY_COUNT}},
    {'f', 2, 1, {0, SLOT_PORT, 1ull << 32}},      /* fault slot */
    {'g', 3, 1, {0, TICK, 2 * TICK, UINT64_MAX}}, /* ticks of a budget, of its period */
    {'x', 1, 1, {0x400000, USER_ADDRESS_END}},
    {'v', 2, 1, {IRQ_VECTOR_FIRST, IRQ_VECTOR_FIRST + 1, IRQ_VECTOR_FIRST - 1}},
    {'i', 1, 1, {5, 64}}, /* bit */
    {'I', 4, 1, {IRQ_MESSAGE, PIN, PIN | IRQ_PIN_LEVEL, IRQ_PIN_IOMMU, 99}},
    {'z', 2, 2, {0x18, 0x100, SIM_BUSES << 8, 0x10000}}, /* devices: on too many buses; no device */
    {'E', 1, 0, {1}},                                    /* the IOMMU: an invalidation is over */
    {'o', 1, 2, {IOPORT_FIRST, IOPORT_FIRST - 1, IOPORT_FIRST + IOPORT_COUNT}},
    {'k', 2, 2, {1, 2, 0, 5}},                          /* how many ports, or bytes */
    {'h', 1, 1, {1, 0}},                                /* message header */
    {'c', 2, 1, {CALL_COUNT, CALL_invoke, UINT64_MAX}}, /* invoke: of an unknown operation */
    {'V', 2, 1, {IRQ_VECTOR_FIRST, IRQ_VECTOR_FIRST + 1, IRQ_VECTOR_LAST + 1}},
    {'N', 1, 0, {PIN}},
    {'T', 2, 0, {TICK, 0}},              /* time; 0: until the timer fires */
    {'D', 3, 1, {0, 2 * TICK, TICK, 1}}, /* deadline from now on; 0: none, 1: past */
    {'A', 2, 2, {IMAGE_ADDRESS, DEVICE_ADDRESS, 1, 1ull << 40}}, /* physical */
};

/* Class t: what retype makes, how many pages. */
static const struct made {
    uint8_t type;
    uint16_t pages;
} made[] = {
    {OBJECT_page, 1},  {OBJECT_page, 2},     {OBJECT_page, 10},  {OBJECT_untyped, 2},
    {OBJECT_table, 1}, {OBJECT_captable, 1}, {OBJECT_space, 2},  {OBJECT_thread, 1},
    {OBJECT_port, 1},  {OBJECT_dmaspace, 3}, {OBJECT_thread, 2}, {OBJECT_irq, 1},
    {OBJECT_page, 16}, {OBJECT_page, 513},   {OBJECT_COUNT, 1},  {OBJECT_untyped, 0},
};
enum { MADE_GOOD = 10, MADE = sizeof(made) / sizeof(made[0]) };

/* Letters of slots: U page table ... (X dmaspace, Y IOMMU, M a space or dmaspace) a capability of
 * that type in the own table; s any, e empty; d and u empty and in use in the invoked table; w what
 * a message takes along; R where a wait receives; B a bell. */
static const char *const operation_classes[OPERATION_COUNT] = {
    [OPERATION_untyped_retype] = "teA",
    [OPERATION_page_map] = "Mam",
    [OPERATION_table_map] = "Ma",
    [OPERATION_captable_copy] = "sdr",
    [OPERATION_captable_mint] = "Pdrbq",
    [OPERATION_captable_move] = "sd",
    [OPERATION_captable_delete] = "u",
    [OPERATION_captable_revoke] = "u",
    [OPERATION_captable_info] = "u",
    [OPERATION_thread_configure] = "SCpf",
    [OPERATION_thread_set_registers] = "xx",
    [OPERATION_thread_budget] = "gg",
    [OPERATION_irq_derive] = "ve",
    [OPERATION_irq_bind] = "PiI",
    [OPERATION_ioport_derive] = "oke",
    [OPERATION_ioport_in] = "ok",
    [OPERATION_ioport_out] = "ok",
    [OPERATION_iommu_assign] = "zX",
};

static const char *const kind_classes[ACTION_KINDS] = {
    [ACTION_send] = "Pwh",       [ACTION_signal] = "P",    [ACTION_wait] = "PRBD",
    [ACTION_send_wait] = "PPwD", [ACTION_yield] = "",      [ACTION_unknown_call] = "c",
    [ACTION_fault] = "",         [ACTION_interrupt] = "V", [ACTION_pin] = "N",
    [ACTION_time] = "T",         [ACTION_iommu] = "E",
};

static const uint8_t operation_objects[OPERATION_COUNT] = {
#define OPERATION(object, name, ...) [OPERATION_##object##_##name] = OBJECT_##object,
#include "motet/calls.def"
};

static const char object_letters[OBJECT_COUNT + 1] = "-UGTSCHPIOXY";

static const struct numbers *numbers_of(char letter)
{
    for (size_t i = 0; i < sizeof(number_classes) / sizeof(number_classes[0]); i++)
        if (number_classes[i].letter == letter)
            return &number_classes[i];
    return NULL;
}

static void good(struct choices *choices, uint64_t value)
{
    choices->good[choices->goods++] = (uint8_t)value;
}

static void bad(struct choices *choices, uint64_t value)
{
    choices->bad[choices->bads++] = (uint8_t)value;
}

/* What a table has: for each class of slots one look through it. */
struct slots {
    uint8_t used[SLOTS_MAX];
    uint8_t type[SLOTS_MAX];
    int count;
    uint8_t empty, next_empty; /* the lowest two */
};

static void slots_read(struct slots *slots, const struct captable *table)
{
    const struct cap *slot = (const struct cap *)table;
    slots->count = 0;
    slots->empty = slots->next_empty = OUTSIDE;
    for (uint8_t i = 1; i < table->slots && i < SLOTS_MAX; i++) {
        if (slot[i].type != OBJECT_none) {
            slots->type[slots->count] = slot[i].type;
            slots->used[slots->count++] = i;
        } else if (slots->empty == OUTSIDE) {
            slots->empty = i;
        } else if (slots->next_empty == OUTSIDE) {
            slots->next_empty = i;
        }
    }
}

static uint8_t slot_of_type(const struct slots *slots, uint8_t type)
{
    for (int i = 0; i < slots->count; i++)
        if (slots->type[i] == type)
            return slots->used[i];
    return OUTSIDE;
}

static void choose_typed(struct choices *choices, const struct slots *own, uint8_t type)
{
    uint8_t wrong = OUTSIDE;
    for (int i = 0; i < own->count; i++) {
        if (type == OBJECT_none || own->type[i] == type)
            good(choices, own->used[i]);
        else
            wrong = own->used[i];
    }
    if (wrong != OUTSIDE)
        bad(choices, wrong);
    bad(choices, own->empty);
    bad(choices, OUTSIDE);
}

static void choose_sent(struct choices *choices, const struct slots *own)
{
    uint8_t port = slot_of_type(own, OBJECT_port), page = slot_of_type(own, OBJECT_page);
    uint8_t untyped = slot_of_type(own, OBJECT_untyped);
    good(choices, 0);
    if (port != OUTSIDE)
        good(choices, port);
    if (page != OUTSIDE)
        good(choices, page | TWICE);
    if (untyped != OUTSIDE)
        bad(choices, untyped);
    bad(choices, own->empty);
}

static void choose_slot(struct choices *choices, char letter, const struct slots *own,
                        const struct slots *invoked)
{
    const struct slots *to = letter == 'd' ? invoked : own;
    switch (letter) {
    case 'e':
    case 'd':
        if (to->empty != OUTSIDE)
            good(choices, to->empty);
        if (to->count)
            bad(choices, to->used[0]);
        bad(choices, 0);
        bad(choices, OUTSIDE);
        break;
    case 'u':
        for (int i = 0; i < invoked->count; i++)
            good(choices, invoked->used[i]);
        bad(choices, invoked->empty);
        bad(choices, OUTSIDE);
        break;
    case 'w':
        choose_sent(choices, own);
        break;
    case 'R':
        good(choices, 0);
        if (own->next_empty != OUTSIDE)
            good(choices, own->empty | TWICE);
        bad(choices, own->used[0]);
        bad(choices, OUTSIDE);
        break;
    case 'B':
        good(choices, 0);
        if (slot_of_type(own, OBJECT_port) != OUTSIDE)
            good(choices, slot_of_type(own, OBJECT_port));
        bad(choices, own->empty);
        break;
    case 's':
        choose_typed(choices, own, OBJECT_none);
        break;
    case 'M':
        choose_typed(choices, own, OBJECT_space);
        for (int i = 0; i < own->count; i++)
            if (own->type[i] == OBJECT_dmaspace)
                good(choices, own->used[i]);
        break;
    default:
        choose_typed(choices, own, (uint8_t)(strchr(object_letters, letter) - object_letters));
    }
}

static void choose(struct choices *choices, char letter, const struct slots *own,
                   const struct slots *invoked)
{
    const struct numbers *numbers = numbers_of(letter);
    choices->goods = choices->bads = 0;
    if (letter == 't') {
        for (int i = 0; i < MADE; i++)
            (i < MADE_GOOD ? good : bad)(choices, (uint64_t)i);
    } else if (numbers) {
        for (int i = 0; i < numbers->goods + numbers->bads; i++)
            (i < numbers->goods ? good : bad)(choices, (uint64_t)i);
    } else {
        choose_slot(choices, letter, own, invoked);
    }
}

/* --- all actions of a state --- */

struct list_of_actions {
    struct action *at;
    int count;
};

/* The address is ignored when it isn't image or device memory. */
static bool pointless(const struct action *action)
{
    if (action->kind != ACTION_invoke || action->operation != OPERATION_untyped_retype)
        return false;
    const struct cap *untyped = captable_slot(sim_cpu.current->captable, action->argument[0]);
    return action->argument[3] && untyped && untyped->type == OBJECT_untyped &&
           untyped->untyped.kind == UNTYPED_MEMORY;
}

static void add(struct list_of_actions *list, const struct action *action)
{
    if (pointless(action))
        return;
    ASSERT(list->count < ACTIONS_MAX);
    list->at[list->count++] = *action;
}

/* All right arguments with each other; then each wrong one alone among right ones. `first`: the
 * argument that the first class is for. */
static void combine(struct list_of_actions *list, struct action action, const char *classes,
                    int first, const struct slots *own, const struct slots *invoked)
{
    struct choices choices[ACTION_ARGUMENTS];
    int n = (int)strlen(classes), at[ACTION_ARGUMENTS] = {0};
    bool possible = true;
    for (int i = 0; i < n; i++) {
        choose(&choices[i], classes[i], own, invoked);
        possible = possible && choices[i].goods;
        action.argument[first + i] =
            choices[i].goods ? choices[i].good[0] : choices[i].bad[choices[i].bads - 1];
    }
    for (int i = 0; i < n; i++) {
        struct action wrong = action;
        for (int k = 0; k < choices[i].bads; k++) {
            wrong.argument[first + i] = choices[i].bad[k];
            add(list, &wrong);
        }
    }
    while (possible) {
        for (int i = 0; i < n; i++)
            action.argument[first + i] = choices[i].good[at[i]];
        add(list, &action);
        int i = 0;
        while (i < n && ++at[i] == choices[i].goods)
            at[i++] = 0;
        possible = i < n;
    }
}

static void add_operation(struct list_of_actions *list, uint8_t operation, const struct slots *own)
{
    const struct captable *table = sim_cpu.current->captable;
    const char *classes = operation_classes[operation];
    uint8_t type = operation_objects[operation];
    struct choices on;
    struct slots invoked;
    choose_slot((on.goods = on.bads = 0, &on), object_letters[type], own, own);
    struct action action = {.kind = ACTION_invoke, .operation = operation};
    for (int i = 0; i < on.bads; i++) {
        action.argument[0] = on.bad[i];
        add(list, &action);
    }
    for (int i = 0; i < on.goods; i++) {
        action.argument[0] = on.good[i];
        const struct cap *cap = (const struct cap *)table + on.good[i];
        bool other = type == OBJECT_captable && cap->object != table;
        if (other)
            slots_read(&invoked, cap->object);
        combine(list, action, classes ? classes : "", 1, own, other ? &invoked : own);
    }
}

int action_list(const struct action_set *set, struct action *actions)
{
    struct list_of_actions list = {.at = actions};
    const struct thread *current = sim_cpu.current;
    struct slots own;
    if (current)
        slots_read(&own, current->captable);
    for (uint8_t kind = 0; kind < ACTION_KINDS; kind++) {
        if (!(set->kinds >> kind & 1) || kind == ACTION_invoke)
            continue;
        if (current || kind >= ACTION_interrupt)
            combine(&list, (struct action){.kind = kind}, kind_classes[kind], 0, &own, &own);
    }
    for (uint8_t operation = 0; current && operation < OPERATION_COUNT; operation++)
        if (set->operations >> operation & 1)
            add_operation(&list, operation, &own);
    return list.count;
}

/* --- performing --- */

static uint64_t slot_number(uint8_t slot)
{
    return slot == OUTSIDE ? SLOT_OUTSIDE : slot;
}

static uint64_t value_of(char letter, uint8_t choice)
{
    const struct numbers *numbers = numbers_of(letter);
    if (letter == 'w' || letter == 'R') {
        if (choice == OUTSIDE || !(choice & TWICE))
            return slot_number(choice);
        uint64_t slot = choice & ~TWICE;
        return slot | (letter == 'w' ? slot : slot + 1) << 32;
    }
    if (!numbers)
        return slot_number(choice);
    uint64_t value = numbers->value[choice];
    if (letter == 'D' && value > 1)
        return sim_clock + value;
    return value;
}

/* Arguments of an invocation, in the order of a0 to a4. */
static void invocation(const struct action *action, struct registers *r)
{
    const char *classes = operation_classes[action->operation];
    uint64_t a[5] = {0};
    int n = 0;
    r->rdi = slot_number(action->argument[0]);
    r->rsi = action->operation;
    for (int i = 0; classes && classes[i]; i++) {
        uint8_t choice = action->argument[1 + i];
        if (classes[i] == 't') {
            a[n++] = made[choice].type;
            a[n++] = made[choice].pages;
        } else {
            a[n++] = value_of(classes[i], choice);
        }
    }
    r->rdx = a[0];
    r->r10 = a[1];
    r->r8 = a[2];
    r->r9 = a[3];
    r->r12 = a[4];
}

static void arguments(const struct action *action, struct registers *r)
{
    const uint8_t *a = action->argument;
    r->rdi = slot_number(a[0]);
    switch (action->kind) {
    case ACTION_send:
        r->r14 = value_of('w', a[1]);
        r->rsi = value_of('h', a[2]);
        r->rbx = SENDER_BADGE;
        break;
    case ACTION_wait:
        r->r14 = value_of('R', a[1]);
        r->rbx = slot_number(a[2]);
        r->r15 = value_of('D', a[3]);
        break;
    case ACTION_send_wait:
        r->rsi = 1;
        r->rbx = slot_number(a[1]);
        r->r14 = value_of('w', a[2]);
        r->r15 = value_of('D', a[3]);
        break;
    default:
        break;
    }
}

static enum error system_call(const struct action *action)
{
    struct thread *thread = sim_cpu.current;
    struct registers *r = &thread->registers;
    memory_touch(r, sizeof(*r));
    /* Words of a message are different from each other and from what was there. */
    uint64_t word = ~r->rdx | 1;
    r->rdx = word;
    r->r10 = word + 1;
    r->r8 = word + 2;
    r->r9 = word + 3;
    r->r12 = word + 4;
    r->r13 = word + 5;
    r->rbx = r->r14 = r->r15 = 0;
    r->rax = action->kind;
    if (action->kind == ACTION_unknown_call)
        r->rax = value_of('c', action->argument[0]), r->rsi = OPERATION_COUNT;
    else if (action->kind == ACTION_invoke)
        invocation(action, r);
    else
        arguments(action, r);
    check_step_before();
    sim_syscall();
    check_step_after();
    return thread->state == THREAD_WAITING ? OK : (enum error)r->rax;
}

enum error action_perform(const struct action *action)
{
    uint64_t ticks;
    switch (action->kind) {
    case ACTION_fault:
        check_fault_before();
        sim_fault(FAULT_PAGE, AT, 4);
        check_fault_after(FAULT_PAGE, AT, 4);
        return OK;
    case ACTION_interrupt:
        check_interrupt_before(value_of('V', action->argument[0]));
        sim_interrupt(value_of('V', action->argument[0]));
        check_interrupt_after();
        return OK;
    case ACTION_pin:
        check_interrupt_before(sim.pin[PIN].open ? sim.pin[PIN].vector : 0);
        sim_pin_assert(PIN);
        check_interrupt_after();
        return OK;
    case ACTION_time:
        ticks = value_of('T', action->argument[0]);
        if (!ticks)
            ticks = sim.timer > sim_clock ? sim.timer - sim_clock : 0;
        check_time_before(ticks);
        sim_advance(ticks);
        check_time_after();
        return OK;
    case ACTION_iommu:
        memory_touch(&sim, sizeof(sim));
        sim_iommu_finish();
        return OK;
    default:
        return system_call(action);
    }
}

bool action_may_change(const struct action *action, enum error error)
{
    if (error == OK || error == ERROR_MORE || action->kind == ACTION_send_wait)
        return true;
    return action->kind == ACTION_wait && action->argument[2]; /* it may have rung a bell */
}

/* --- describing --- */

static const char *const kind_names[ACTION_KINDS] = {
    [ACTION_unknown_call] = "unknown call", [ACTION_fault] = "page fault",
    [ACTION_interrupt] = "interrupt",       [ACTION_pin] = "pin",
    [ACTION_time] = "time passes",          [ACTION_iommu] = "invalidation over",
#define CALL(name, ...) [ACTION_##name] = #name,
#include "motet/calls.def"
};

static const struct {
    const char *name, *arguments;
} operation_names[OPERATION_COUNT] = {
#define OPERATION(object, name, right, arguments, ...)                                             \
    [OPERATION_##object##_##name] = {#object "." #name, arguments},
#include "motet/calls.def"
};

/* What calls.def calls the n-th argument. */
static int argument_name(const char *names, int n, const char **name)
{
    while (n-- && names)
        names = strchr(names, ',') ? strchr(names, ',') + 2 : NULL;
    *name = names ? names : "";
    return names ? (int)strcspn(names, ",") : 0;
}

static int describe_invocation(const struct action *action, char *text, int bytes)
{
    struct registers r = {0};
    invocation(action, &r);
    const uint64_t a[5] = {r.rdx, r.r10, r.r8, r.r9, r.r12};
    const char *names = operation_names[action->operation].arguments, *name;
    int at = snprintf(text, (size_t)bytes, "%s on slot %lu",
                      operation_names[action->operation].name, (unsigned long)r.rdi);
    int length;
    for (int n = 0; n < 5 && at < bytes && (length = argument_name(names, n, &name)) > 0; n++)
        at += snprintf(text + at, (size_t)(bytes - at), ", %.*s 0x%lx", length, name,
                       (unsigned long)a[n]);
    return at;
}

static void describe_call(const struct action *action, char *text, int bytes)
{
    struct registers r = {0};
    const uint8_t *a = action->argument;
    arguments(action, &r);
    unsigned long capability = r.rdi, rbx = r.rbx, slots = r.r14, deadline = r.r15;
    if (action->kind == ACTION_send)
        snprintf(text, (size_t)bytes, "send to slot %lu, header %lu, capabilities 0x%lx",
                 capability, (unsigned long)r.rsi, slots);
    else if (action->kind == ACTION_wait)
        snprintf(text, (size_t)bytes,
                 "wait on slot %lu, receive slots 0x%lx, bell %lu, deadline %lu", capability, slots,
                 rbx, deadline);
    else if (action->kind == ACTION_send_wait)
        snprintf(text, (size_t)bytes,
                 "send_wait to slot %lu, own port %lu, capabilities 0x%lx, deadline %lu",
                 capability, rbx, slots, deadline);
    else if (action->kind == ACTION_signal)
        snprintf(text, (size_t)bytes, "signal to slot %lu", capability);
    else if (action->kind == ACTION_yield || action->kind == ACTION_fault)
        snprintf(text, (size_t)bytes, "%s", kind_names[action->kind]);
    else
        snprintf(text, (size_t)bytes, "%s 0x%lx", kind_names[action->kind],
                 (unsigned long)value_of(kind_classes[action->kind][0], a[0]));
}

void action_describe(const struct action *action, char *text, int bytes)
{
    if (action->kind == ACTION_invoke)
        describe_invocation(action, text, bytes);
    else
        describe_call(action, text, bytes);
}
