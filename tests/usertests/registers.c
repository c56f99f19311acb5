/* SPDX-License-Identifier: ISC
 *
 * What the processor's state is when the kernel is entered: flags, stack pointer and segments of a
 * thread are its own affair and come back as they were, whichever way it enters.
 */
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

#include "libos/kernel.h"

enum {
    FLAG_DIRECTION = 1 << 10,
    FLAG_ALIGNMENT = 1 << 18,
    FLAG_NESTED = 1 << 14,
    FLAG_IDENTIFICATION = 1 << 21,
    FLAG_TRAP = 1 << 8,
    FLAG_CARRY = 1
};

/* `syscall` with these flags added; returns the flags after it. The call is yield. */
static uint64_t syscall_with_flags(uint64_t flags)
{
    uint64_t after, call = CALL_yield;
    __asm__ volatile("pushfq; orq %2, (%%rsp); popfq; syscall; pushfq; popq %0; cld; pushq %0; "
                     "andq $~0x44400, (%%rsp); popfq"
                     : "=&r"(after), "+a"(call)
                     : "r"(flags)
                     : "rcx", "r11", "memory", "cc");
    check(call == OK);
    return after;
}

static void flags_survive_syscall(uint64_t flags)
{
    check((syscall_with_flags(flags) & flags) == flags);
    E->note[0] = 1;
    must(INVOKE(E->table, captable_info, E->table)); /* the kernel works as ever */
}

void test_syscall_with_direction_flag(void)
{
    flags_survive_syscall(FLAG_DIRECTION);
}

/* With SMAP this flag would let the kernel reach user memory. */
void test_syscall_with_alignment_flag(void)
{
    flags_survive_syscall(FLAG_ALIGNMENT);
}

void test_syscall_with_nested_task_flag(void)
{
    flags_survive_syscall(FLAG_NESTED);
}

void test_syscall_with_all_flags(void)
{
    flags_survive_syscall(FLAG_DIRECTION | FLAG_ALIGNMENT | FLAG_NESTED | FLAG_IDENTIFICATION |
                          FLAG_CARRY);
}

/* The instruction behind is stepped, not the kernel. */
void test_syscall_with_trap_flag(void)
{
    expect_fault(1, AT_INSTRUCTION);
    uint64_t call = CALL_yield;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; syscall; nop; nop"
                     : "+a"(call)
                     :
                     : "rcx", "r11", "memory", "cc");
}

/* Memory that the kernel clears with a string instruction goes upwards whatever the flag says. */
void test_retype_with_direction_flag(void)
{
    uint32_t slot = slot_new();
    uint64_t result = CALL_invoke;
    register uint64_t pages __asm__("r10") = 4;
    register uint64_t to __asm__("r8") = slot;
    register uint64_t address __asm__("r9") = 0;
    __asm__ volatile("std; syscall; cld"
                     : "+a"(result), "+r"(pages), "+r"(to)
                     : "D"((uint64_t)E->memory), "S"((uint64_t)OPERATION_untyped_retype),
                       "d"((uint64_t)OBJECT_page), "r"(address)
                     : "rcx", "r11", "memory", "cc");
    check(result == OK);
    map_at(slot, E->space, PLACE, RIGHT_READ);
    for (uint64_t i = 0; i < 4 * PAGE_BYTES / 8; i++)
        check(((const volatile uint64_t *)PLACE)[i] == 0);
}

void test_popf_of_privileged_flags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; orq $0x3000, (%%rsp); andq $~0x200, (%%rsp); popfq; pushfq; popq %0"
                     : "=r"(flags)
                     :
                     : "cc", "memory");
    check((flags & 0x3000) == 0 && (flags & 0x200));
    expect_fault(FAULT_PROTECTION, AT_INSTRUCTION);
    __asm__ volatile("cli");
}

/* --- the stack pointer --- */

static void syscall_with_stack(uint64_t stack)
{
    uint64_t call = CALL_yield, saved, after;
    __asm__ volatile("movq %%rsp, %1; movq %3, %%rsp; syscall; movq %%rsp, %2; movq %1, %%rsp"
                     : "+a"(call), "=&b"(saved), "=&d"(after)
                     : "r"(stack)
                     : "rcx", "r11", "memory", "cc");
    check(call == OK && after == stack);
}

static const uint64_t stacks[] = {0,
                                  1,
                                  8,
                                  USER_ADDRESS_END,
                                  NOT_CANONICAL - 1,
                                  NOT_CANONICAL,
                                  KERNEL_HALF - 1,
                                  KERNEL_HALF,
                                  KERNEL_HALF + 0x100000,
                                  KERNEL_TEXT,
                                  1ull << 63,
                                  UINT64_MAX - 7,
                                  UINT64_MAX};

void test_syscall_with_hostile_stack(void)
{
    for (unsigned i = 0; i < COUNT(stacks); i++)
        syscall_with_stack(stacks[i]);
}

/* Spins with this stack pointer and these flags until a better thread, which a timer interrupt
 * makes ready, has set the note. The thread is switched away from meanwhile. */
static void spin(uint64_t stack, uint64_t flags)
{
    uint64_t saved, after;
    __asm__ volatile("movq %%rsp, %0; pushfq; orq %4, (%%rsp); popfq; movq %3, %%rsp\n"
                     "1: cmpq $0, (%2); je 1b\n"
                     "movq %%rsp, %1; movq %0, %%rsp; pushfq; andq $~0x44400, (%%rsp); popfq"
                     : "=&r"(saved), "=&r"(after)
                     : "r"(&E->note[0]), "r"(stack), "r"(flags)
                     : "memory", "cc");
    check(after == stack);
}

static void notes_later(uint64_t port)
{
    for (;;) {
        const struct kernel_info *info = (const struct kernel_info *)INFO_ADDRESS;
        struct received received = {0};
        sys_wait(port, 0, kernel_clock() + info->clock_frequency / 1000, &received);
        E->note[0] = 1;
        sys_wait(port, 0, 0, &received);
    }
}

static void interrupted(const uint64_t *at, unsigned count, uint64_t flags)
{
    uint32_t first = make(OBJECT_port, 1), port = mint(first, RIGHT_ALL, 1, 0);
    start(helper(notes_later, port, HIGHER, 0));
    for (unsigned i = 0; i < count; i++) {
        spin(at[i], flags);
        E->note[0] = 0;
        must(ut_signal(port));
    }
}

void test_interrupt_with_hostile_stack(void)
{
    interrupted(stacks, COUNT(stacks), 0);
}

void test_interrupt_with_all_flags(void)
{
    interrupted(stacks, 3, FLAG_DIRECTION | FLAG_ALIGNMENT | FLAG_NESTED | FLAG_CARRY);
}

void test_fault_with_hostile_stack(void)
{
    expect_fault(FAULT_PAGE, KERNEL_HALF - 0 + 0x1000 - 8);
    __asm__ volatile("movq %0, %%rsp; std; pushq %%rax" : : "r"(KERNEL_HALF + 0x1000) : "memory");
}

/* --- segments and what lies at the edges --- */

void test_user_segments_in_gs_and_fs(void)
{
    __asm__ volatile("movw $0x1b, %%ax; movw %%ax, %%gs; movw %%ax, %%fs; movw %%ax, %%ds; "
                     "movw %%ax, %%es"
                     :
                     :
                     : "rax", "memory");
    must(INVOKE(E->table, captable_info, E->table));
    __asm__ volatile("xorl %%eax, %%eax; movw %%ax, %%gs; movw %%ax, %%fs" : : : "rax", "memory");
    for (int i = 0; i < 100; i++)
        must(sys_yield());
}

/* `syscall` as the last two bytes that a user can have: it comes back to the first address that
 * isn't his. */
void test_syscall_at_the_end_of_user_addresses(void)
{
    uint64_t at = USER_ADDRESS_END - PAGE_BYTES;
    uint32_t page = make(OBJECT_page, 1), second = copy_with(page, RIGHT_ALL);
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    *(volatile uint8_t *)(PLACE + 4094) = 0x0f;
    *(volatile uint8_t *)(PLACE + 4095) = 0x05;
    map_at(second, E->space, at, RIGHT_READ | RIGHT_EXECUTE);
    expect_fault(FAULT_PAGE, USER_ADDRESS_END);
    uint64_t call = CALL_yield;
    __asm__ volatile("jmp *%1" : "+a"(call) : "r"(at + 4094) : "rcx", "r11", "memory");
}

/* The kernel's own registers and addresses don't show. */
void test_syscall_shows_nothing_of_the_kernel(void)
{
    uint64_t rax = CALL_yield, rcx, r11;
    __asm__ volatile("syscall; movq %%r11, %2"
                     : "+a"(rax), "=c"(rcx), "=r"(r11)
                     :
                     : "r11", "memory");
    check(rax == OK && rcx < USER_ADDRESS_END && r11 < 1ull << 22);
}
