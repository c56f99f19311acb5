/* SPDX-License-Identifier: ISC
 *
 * What a thread does to the processor rather than by calls: each ends with the fault that is
 * announced, reported to the supervisor with its cause and address.
 */
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

#include "libos/start.h"

static void reads(uint64_t address)
{
    (void)*(const volatile uint8_t *)address;
}

static void writes(uint64_t address)
{
    *(volatile uint8_t *)address = 1;
}

static void jumps(uint64_t address)
{
    __asm__ volatile("jmp *%0" : : "r"(address) : "memory");
}

/* The helper's fault comes to `port`, and its thread is put back to do something else. */
static void helper_faults(uint32_t thread, uint32_t port, void (*does)(uint64_t), uint64_t address,
                          uint64_t cause)
{
    struct received received = {0};
    must(INVOKE(thread, thread_set_registers, (uint64_t)does, E->note[1], address));
    start(thread);
    must(ut_wait(port, 0, 1, &received));
    if (received.msg.op != KERNEL_FAULT || received.msg.w[0] != cause ||
        (cause == FAULT_PAGE && received.msg.w[1] != address) || received.msg.tag != 77)
        fail(__LINE__, "address 0x%lx: fault %lu at 0x%lx", (unsigned long)address,
             (unsigned long)received.msg.w[0], (unsigned long)received.msg.w[1]);
    check(thread_state_of(thread) == THREAD_FAULTED);
}

static void all_fault(void (*does)(uint64_t), const uint64_t *addresses, unsigned count,
                      uint64_t cause)
{
    uint32_t port = make(OBJECT_port, 1), thread = make(OBJECT_thread, 1);
    uint32_t faults = mint(port, RIGHT_SEND, 77, 0);
    must(INVOKE(thread, thread_configure, E->space, E->table, HIGHER, faults));
    E->note[1] = helper_stack();
    for (unsigned i = 0; i < count; i++)
        helper_faults(thread, port, does, addresses[i], cause);
}

static const uint64_t unmapped[] = {
    0,
    1,
    0xfff,
    0x1000,
    0x10000,
    PLACE,
    SHARED_ADDRESS + SHARED_PAGES *PAGE_BYTES,
    INFO_ADDRESS + PAGE_BYTES,
    STACKS_ADDRESS - 1,
    STACKS_ADDRESS + STACKS_PAGES *PAGE_BYTES,
    USER_ADDRESS_END - 1,
    USER_ADDRESS_END,
    NOT_CANONICAL - 1,
};
static const uint64_t kernels[] = {
    KERNEL_HALF, KERNEL_HALF + 0x100000, 0xffffc00000000000, 0xffffffff80000000,
    KERNEL_TEXT, UINT64_MAX - 4095,      UINT64_MAX,
};
static const uint64_t not_canonical[] = {
    NOT_CANONICAL, NOT_CANONICAL + 4096, 0x0123456789abcdef, 1ull << 62,
    1ull << 63,    KERNEL_HALF - 8,      KERNEL_HALF - 1,
};

void test_read_unmapped(void)
{
    all_fault(reads, unmapped, COUNT(unmapped), FAULT_PAGE);
}

void test_write_unmapped(void)
{
    all_fault(writes, unmapped, COUNT(unmapped), FAULT_PAGE);
}

void test_execute_unmapped(void)
{
    all_fault(jumps, unmapped, COUNT(unmapped), FAULT_PAGE);
}

void test_read_kernel(void)
{
    all_fault(reads, kernels, COUNT(kernels), FAULT_PAGE);
}

void test_write_kernel(void)
{
    all_fault(writes, kernels, COUNT(kernels), FAULT_PAGE);
}

void test_execute_kernel(void)
{
    all_fault(jumps, kernels, COUNT(kernels), FAULT_PAGE);
}

void test_read_not_canonical(void)
{
    all_fault(reads, not_canonical, COUNT(not_canonical), FAULT_PROTECTION);
}

void test_write_not_canonical(void)
{
    all_fault(writes, not_canonical, COUNT(not_canonical), FAULT_PROTECTION);
}

void test_execute_not_canonical(void)
{
    all_fault(jumps, not_canonical, COUNT(not_canonical), FAULT_PROTECTION);
}

void test_read_supervisor(void)
{
    static const uint64_t addresses[] = {INIT_PRIVATE_ADDRESS, INIT_STACK_ADDRESS,
                                         INIT_IMAGE_ADDRESS, INIT_BOOT_ADDRESS};
    all_fault(reads, addresses, COUNT(addresses), FAULT_PAGE);
}

void test_write_kernel_information(void)
{
    static const uint64_t addresses[] = {INFO_ADDRESS, INFO_ADDRESS + 8, INFO_ADDRESS + 4095};
    all_fault(writes, addresses, COUNT(addresses), FAULT_PAGE);
}

void test_write_read_only_page(void)
{
    uint32_t page = make(OBJECT_page, 1), second = copy_with(page, RIGHT_ALL);
    map_at(page, E->space, PLACE, RIGHT_READ);
    must(INVOKE(second, page_map, E->space, PLACE + PAGE_BYTES, RIGHT_READ | RIGHT_WRITE));
    writes(PLACE + PAGE_BYTES); /* the same memory, by another way */
    check(*(volatile uint8_t *)PLACE == 1);
    expect_fault(FAULT_PAGE, PLACE);
    writes(PLACE);
}

void test_write_executable_page(void)
{
    map_at(make(OBJECT_page, 1), E->space, PLACE, RIGHT_READ | RIGHT_EXECUTE);
    expect_fault(FAULT_PAGE, PLACE + 16);
    writes(PLACE + 16);
}

void test_write_text(void)
{
    expect_fault(FAULT_PAGE, IMAGE_ADDRESS);
    writes(IMAGE_ADDRESS);
}

void test_execute_data(void)
{
    map_at(make(OBJECT_page, 1), E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    *(volatile uint8_t *)PLACE = 0xc3;
    expect_fault(FAULT_PAGE, PLACE);
    jumps(PLACE);
}

void test_execute_stack(void)
{
    expect_fault(FAULT_PAGE, STACKS_ADDRESS);
    jumps(STACKS_ADDRESS);
}

void test_execute_read_only_page(void)
{
    map_at(make(OBJECT_page, 1), E->space, PLACE, RIGHT_READ);
    expect_fault(FAULT_PAGE, PLACE);
    jumps(PLACE);
}

void test_unmapped_page_is_gone_at_once(void)
{
    uint32_t page = make(OBJECT_page, 1);
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    writes(PLACE);
    must(INVOKE(page, page_unmap, 0));
    expect_fault(FAULT_PAGE, PLACE);
    reads(PLACE);
}

void test_deleted_page_is_gone_at_once(void)
{
    uint32_t page = make(OBJECT_page, 1);
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    writes(PLACE);
    delete_all(page);
    expect_fault(FAULT_PAGE, PLACE);
    reads(PLACE);
}

void test_write_after_rights_shrink(void)
{
    uint32_t page = make(OBJECT_page, 1);
    map_at(page, E->space, PLACE, RIGHT_READ | RIGHT_WRITE);
    writes(PLACE);
    must(INVOKE(page, page_unmap, 0));
    must(INVOKE(page, page_map, E->space, PLACE, RIGHT_READ));
    reads(PLACE);
    expect_fault(FAULT_PAGE, PLACE);
    writes(PLACE);
}

/* --- who hears of it --- */

void test_fault_without_a_port(void)
{
    uint32_t thread = helper(reads, 0, HIGHER, 0);
    start(thread);
    check(thread_state_of(thread) == THREAD_FAULTED);
    start(thread); /* the instruction again */
    check(thread_state_of(thread) == THREAD_FAULTED);
}

void test_fault_slot_that_is_no_port(void)
{
    const uint32_t slots[] = {EMPTY, E->space, E->table, UINT32_MAX, TABLE_SLOTS};
    for (unsigned i = 0; i < COUNT(slots); i++) {
        uint32_t thread = helper(reads, 0, HIGHER, slots[i]);
        start(thread);
        check(thread_state_of(thread) == THREAD_FAULTED);
    }
}

/* No entry of the queue is needed, and messages come first. */
void test_fault_to_a_full_port(void)
{
    uint32_t port = make(OBJECT_port, 1);
    struct received received = {0};
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(ut_send(port, 1, 0));
    start(helper(reads, 0x123, HIGHER, port));
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(ut_wait(port, 0, 1, NULL));
    must(ut_wait(port, 0, 1, &received));
    check(received.msg.op == KERNEL_FAULT && received.msg.w[1] == 0x123);
}

/* A pager maps what is missing: the instruction is done then. */
static void reads_and_notes(uint64_t address)
{
    E->note[0] = *(const volatile uint64_t *)address + 5;
    helper_end();
}

void test_fault_mended(void)
{
    uint32_t port = make(OBJECT_port, 1), page = make(OBJECT_page, 1);
    uint32_t thread = helper(reads_and_notes, PLACE, HIGHER, port);
    struct received received = {0};
    start(thread);
    must(ut_wait(port, 0, 1, &received));
    map_at(page, E->space, received.msg.w[1], RIGHT_READ);
    start(thread);
    check(E->note[0] == 5);
}

/* --- instructions --- */

#define INSTRUCTION(name, expected_cause, instruction)                                             \
    void test_##name(void)                                                                         \
    {                                                                                              \
        expect_fault(expected_cause, AT_INSTRUCTION);                                              \
        __asm__ volatile(instruction                                                               \
                         :                                                                         \
                         : "a"(0ul), "d"(0ul), "c"(0ul), "D"(PLACE), "b"(0x18ul)                   \
                         : "memory");                                                              \
    }

/* QEMU before 9.1 reads the stack of a far return with the kernel's rights: SMAP forbids that. */
#define EITHER(name, one, other, instruction)                                                      \
    void test_##name(void)                                                                         \
    {                                                                                              \
        expect_either(one, other);                                                                 \
        __asm__ volatile(instruction                                                               \
                         :                                                                         \
                         : "a"(0ul), "d"(0ul), "c"(0ul), "D"(PLACE), "b"(0x18ul)                   \
                         : "memory");                                                              \
    }

INSTRUCTION(hlt, 13, "hlt")
INSTRUCTION(cli, 13, "cli")
INSTRUCTION(sti, 13, "sti")
INSTRUCTION(in_port, 13, "inb $0x80, %%al")
INSTRUCTION(in_port_by_register, 13, "movw $0x3fd, %%dx; inb %%dx, %%al")
INSTRUCTION(out_port, 13, "outb %%al, $0x80")
INSTRUCTION(out_reset, 13, "movw $0xcf9, %%dx; movb $6, %%al; outb %%al, %%dx")
INSTRUCTION(in_string, 13, "insb")
INSTRUCTION(lgdt, 13, "lgdt (%%rsp)")
INSTRUCTION(lidt, 13, "lidt (%%rsp)")
INSTRUCTION(lldt, 13, "lldt %%ax")
INSTRUCTION(ltr, 13, "ltr %%ax")
INSTRUCTION(lmsw, 13, "lmsw %%ax")
INSTRUCTION(clts, 13, "clts")
INSTRUCTION(read_cr0, 13, "movq %%cr0, %%rax")
INSTRUCTION(write_cr0, 13, "movq %%rax, %%cr0")
INSTRUCTION(read_cr3, 13, "movq %%cr3, %%rax")
INSTRUCTION(write_cr3, 13, "movq %%rax, %%cr3")
INSTRUCTION(write_cr4, 13, "movq %%rax, %%cr4")
INSTRUCTION(write_dr7, 13, "movq %%rax, %%dr7")
INSTRUCTION(rdmsr, 13, "movl $0xc0000082, %%ecx; rdmsr")
INSTRUCTION(wrmsr, 13, "movl $0xc0000082, %%ecx; wrmsr")
INSTRUCTION(rdpmc, 13, "rdpmc")
INSTRUCTION(invlpg, 13, "invlpg (%%rdi)")
INSTRUCTION(invd, 13, "invd")
INSTRUCTION(wbinvd, 13, "wbinvd")
INSTRUCTION(swapgs, 13, "swapgs")
INSTRUCTION(sysret, 13, "movq $0, %%rcx; sysretq")
EITHER(sysenter, 13, 6, "sysenter")
INSTRUCTION(sgdt, 13, "sgdt -16(%%rsp)")
INSTRUCTION(sidt, 13, "sidt -16(%%rsp)")
INSTRUCTION(sldt, 13, "sldt %%ax")
INSTRUCTION(smsw, 13, "smsw %%ax")
INSTRUCTION(str, 13, "str %%ax")
INSTRUCTION(int3, 13, "int3")
INSTRUCTION(int_divide, 13, "int $0")
INSTRUCTION(int_nmi, 13, "int $2")
INSTRUCTION(int_double_fault, 13, "int $8")
INSTRUCTION(int_page_fault, 13, "int $14")
INSTRUCTION(int_timer, 13, "int $0x20")
INSTRUCTION(int_device, 13, "int $0x30")
INSTRUCTION(int_without_gate, 13, "int $0x80")
INSTRUCTION(int_spurious, 13, "int $0xff")
INSTRUCTION(kernel_data_segment, 13, "movw $0x10, %%ax; movw %%ax, %%ds")
INSTRUCTION(kernel_stack_segment, 13, "movw $0x10, %%ax; movw %%ax, %%ss")
INSTRUCTION(null_stack_segment, 13, "xorl %%eax, %%eax; movw %%ax, %%ss")
INSTRUCTION(task_segment, 13, "movw $0x2b, %%ax; movw %%ax, %%ds")
INSTRUCTION(segment_outside_the_table, 13, "movw $0xfffb, %%ax; movw %%ax, %%es")
EITHER(far_return_to_kernel_code, 13, 14, "pushq $0x08; pushq $0; lretq")
EITHER(far_return_to_data, 13, 14, "pushq $0x1b; pushq $0; lretq")
EITHER(iret_to_kernel_code, 13, 14,
       "pushq $0x10; pushq $0; pushq $0x2; pushq $0x08; pushq $0; iretq")
EITHER(iret_to_kernel_stack_segment, 13, 14,
       "pushq $0x10; pushq $0; pushq $0x202; pushq $0x23; pushq $0; iretq")
INSTRUCTION(iret_with_nested_task, 13,
            "pushfq; orq $0x4000, (%%rsp); popfq; pushq $0x1b; pushq %%rsp; pushq $0x202; "
            "pushq $0x23; pushq $0; iretq")
INSTRUCTION(undefined, 6, "ud2")
INSTRUCTION(stac, 6, "stac")
INSTRUCTION(clac, 6, "clac")
INSTRUCTION(mwait, 6, "mwait")
INSTRUCTION(vmcall, 6, "vmcall")
EITHER(xsetbv, 6, 13, "xsetbv")
INSTRUCTION(wrgsbase, 6, "wrgsbase %%rax")
INSTRUCTION(push_segment, 6, ".byte 0x06")
INSTRUCTION(lock_without_memory, 6, ".byte 0xf0, 0x90")
INSTRUCTION(sse, 6, ".byte 0x0f, 0x57, 0xc0")       /* xorps %xmm0, %xmm0 */
INSTRUCTION(sse_store, 6, ".byte 0x0f, 0x11, 0x07") /* movups %xmm0, (%rdi) */
INSTRUCTION(mmx, 6, ".byte 0x0f, 0xef, 0xc0")       /* pxor %mm0, %mm0 */
INSTRUCTION(x87, 7, ".byte 0xd9, 0xe8")             /* fld1 */
INSTRUCTION(fxsave, 7, "andq $-16, %%rsp; fxsave -512(%%rsp)")
INSTRUCTION(divide_by_zero, 0, "xorl %%ecx, %%ecx; divl %%ecx")
INSTRUCTION(divide_overflow, 0, "movl $1, %%ecx; movl $2, %%edx; divl %%ecx")
EITHER(icebp, 1, 6, ".byte 0xf1")
INSTRUCTION(single_step, 1, "pushfq; orq $0x100, (%%rsp); popfq; nop; nop")
EITHER(push_to_not_canonical, 12, 13, "movq $0x800000000100, %%rsp; pushq %%rax")
