/* SPDX-License-Identifier: ISC
 *
 * This CPU: segments, task state, interrupt table, protection features; and what happens when an
 * interrupt arrives.
 */
#include <string.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/uart.h"
#include "kernel/panic.h"
#include "kernel/syscall.h"
#include "motet/rare.h"

enum {
    SELECTOR_KERNEL_CODE = 0x08,
    SELECTOR_USER_DATA = 0x18 | 3,
    SELECTOR_USER_CODE = 0x20 | 3,
    SELECTOR_TSS = 0x28,
    GATE_INTERRUPT = 0x8e,
    ENTRY_BYTES = 16, /* entry.S: distance of interrupt entries */
    ENTRY_COUNT = 112,
    IST_BYTES = 2048,
    RFLAGS_INTERRUPTS = 1 << 9,
    RFLAGS_ALWAYS = 1 << 1,
};

enum msr {
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_SFMASK = 0xc0000084,
    MSR_GS_BASE = 0xc0000101,
    MSR_KERNEL_GS_BASE = 0xc0000102,
};

enum {
    CR4_DE = 1 << 3,
    CR4_PGE = 1 << 7,
    CR4_UMIP = 1 << 11,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
    CR0_EMULATION = 1 << 2, /* every x87 and SSE instruction faults: no thread has FPU state */
};

enum exception {
    EXCEPTION_NMI = 2,
    EXCEPTION_DOUBLE = 8,
    EXCEPTION_PAGE = 14,
    EXCEPTION_MACHINE = 18
};

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; /* index 0 is IST 1 */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
} __attribute__((packed));

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct cpu boot_cpu;
bool no_execute;

static struct tss tss;
static struct gate gates[256];
static uint64_t segments[7];
static _Alignas(16) uint8_t ist_stacks[3][IST_BYTES];

extern char boot_stack_top[], interrupt_clac[], interrupt_entries[], spurious_entry[],
    syscall_entry[];
void reload_segments(void);
__attribute__((noreturn)) void idle_wait(void);
__attribute__((noreturn)) void enter_user(struct thread *thread);
struct thread *kernel_syscall(struct thread *thread);
struct thread *kernel_interrupt(struct thread *thread);
struct thread *kernel_interrupt_idle(uint64_t vector);
__attribute__((noreturn)) void kernel_trap(uint64_t vector, uint64_t error, const uint64_t *frame,
                                           const uint64_t *rbp);

static RARE void gate_set(unsigned vector, const char *entry, uint8_t ist)
{
    uint64_t address = (uint64_t)entry;
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)address,
        .selector = SELECTOR_KERNEL_CODE,
        .ist = ist,
        .type = GATE_INTERRUPT, /* privilege 0: `int n` from user mode is a protection fault */
        .offset_middle = (uint16_t)(address >> 16),
        .offset_high = (uint32_t)(address >> 32),
    };
}

static RARE void segments_load(void)
{
    uint64_t base = (uint64_t)&tss;
    segments[1] = 0x00af9a000000ffff; /* kernel code */
    segments[2] = 0x00cf92000000ffff; /* kernel data */
    segments[3] = 0x00cff2000000ffff; /* user data; sysret wants it before the code */
    segments[4] = 0x00affa000000ffff; /* user code */
    segments[5] =
        (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    segments[6] = base >> 32;
    struct table_pointer pointer = {sizeof(segments) - 1, (uint64_t)segments};
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    reload_segments();
    for (int i = 0; i < 3; i++)
        tss.ist[i] = (uint64_t)ist_stacks[i] + IST_BYTES;
    tss.io_map = sizeof(tss); /* no I/O port for user mode */
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
}

static RARE void interrupts_load(void)
{
    for (unsigned i = 0; i < ENTRY_COUNT; i++)
        gate_set(i, interrupt_entries + i * ENTRY_BYTES, 0);
    gate_set(EXCEPTION_NMI, interrupt_entries + EXCEPTION_NMI * ENTRY_BYTES, 1);
    gate_set(EXCEPTION_DOUBLE, interrupt_entries + EXCEPTION_DOUBLE * ENTRY_BYTES, 2);
    gate_set(EXCEPTION_MACHINE, interrupt_entries + EXCEPTION_MACHINE * ENTRY_BYTES, 3);
    gate_set(VECTOR_SPURIOUS, spurious_entry, 0);
    struct table_pointer pointer = {sizeof(gates) - 1, (uint64_t)gates};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static RARE uint32_t features_probe(void)
{
    struct cpuid basic = cpuid(1, 0), extended = cpuid(0x80000001, 0);
    struct cpuid structured = {0};
    if (cpuid(0, 0).eax >= 7)
        structured = cpuid(7, 0);
    return (extended.edx >> 20 & 1 ? CPU_NX : 0) | (structured.ebx >> 7 & 1 ? CPU_SMEP : 0) |
           (structured.ebx >> 20 & 1 ? CPU_SMAP : 0) | (structured.ecx >> 2 & 1 ? CPU_UMIP : 0) |
           (basic.ecx >> 30 & 1 ? CPU_RDRAND : 0) | (extended.edx >> 26 & 1 ? CPU_PAGES_1G : 0);
}

static RARE void features_enable(uint32_t features)
{
    static const uint8_t clac[] = {0x0f, 0x01, 0xca};
    uint64_t cr0, cr4 = read_cr4() | CR4_PGE | CR4_DE;
    if (features & CPU_SMEP)
        cr4 |= CR4_SMEP;
    if (features & CPU_SMAP) {
        cr4 |= CR4_SMAP;
        memcpy(interrupt_clac, clac, sizeof(clac)); /* the text isn't write-protected yet */
    }
    if (features & CPU_UMIP)
        cr4 |= CR4_UMIP;
    write_cr4(cr4);
    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movq %0, %%cr0" : : "r"(cr0 | CR0_EMULATION));
}

RARE uint32_t cpu_start(void)
{
    uint32_t features = features_probe();
    no_execute = features & CPU_NX;
    features_enable(features);
    segments_load();
    interrupts_load();
    cpu_init(&boot_cpu);
    boot_cpu.stack_top = (uint64_t)boot_stack_top;
    write_msr(MSR_GS_BASE, (uint64_t)&boot_cpu);
    write_msr(MSR_KERNEL_GS_BASE, 0);
    write_msr(MSR_STAR, 0x0010ull << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    write_msr(MSR_LSTAR, (uint64_t)syscall_entry);
    write_msr(MSR_SFMASK, 0x47700); /* AC, NT, IOPL, DF, IF, TF */
    return features;
}

void arch_thread_load(struct thread *thread)
{
    tss.rsp[0] = (uint64_t)(&thread->registers + 1);
}

RARE void arch_registers_init(struct registers *registers)
{
    registers->cs = SELECTOR_USER_CODE;
    registers->ss = SELECTOR_USER_DATA;
    registers->rflags = RFLAGS_INTERRUPTS | RFLAGS_ALWAYS;
}

RARE void arch_registers_start(struct registers *registers, uint64_t rip, uint64_t rsp,
                               uint64_t argument)
{
    *registers = (struct registers){.rip = rip, .rsp = rsp, .rdi = argument};
    arch_registers_init(registers);
}

/* The thread to return to; an idle CPU doesn't return. */
static struct thread *leave(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *thread = cpu->reschedule ? cpu->steps.schedule(cpu) : cpu->current;
    if (!thread)
        idle_wait();
    return thread;
}

struct thread *kernel_syscall(struct thread *thread)
{
    syscall_handle(thread);
    return leave();
}

static void interrupt_handle(uint64_t vector)
{
    if (vector == VECTOR_TIMER)
        cpu_self()->steps.timer(cpu_self());
    else
        cpu_self()->steps.interrupt(vector);
    apic_end_of_interrupt(); /* after a level-triggered pin was masked, or it would come again */
}

struct thread *kernel_interrupt(struct thread *thread)
{
    uint64_t vector = thread->registers.by_syscall;
    if (vector < VECTOR_TIMER)
        cpu_self()->steps.fault(thread, vector,
                                vector == EXCEPTION_PAGE ? read_cr2() : thread->registers.rip,
                                thread->registers.error);
    else
        interrupt_handle(vector);
    return leave();
}

struct thread *kernel_interrupt_idle(uint64_t vector)
{
    interrupt_handle(vector);
    return leave();
}

RARE void kernel_trap(uint64_t vector, uint64_t error, const uint64_t *frame, const uint64_t *rbp)
{
    kprintf("kernel exception %lu error 0x%lx at 0x%lx, address 0x%lx, stack 0x%lx",
            (unsigned long)vector, (unsigned long)error, (unsigned long)frame[0],
            (unsigned long)read_cr2(), (unsigned long)frame[3]);
    panic_trace(rbp);
    panic("exception in the kernel");
}

RARE void cpu_run(void)
{
    struct thread *thread = leave();
    enter_user(thread);
}

RARE uint64_t arch_ioport_in(uint64_t port, uint64_t bytes)
{
    if (bytes == 1)
        return in8((uint16_t)port);
    return bytes == 2 ? in16((uint16_t)port) : in32((uint16_t)port);
}

RARE void arch_ioport_out(uint64_t port, uint64_t bytes, uint64_t value)
{
    if (bytes == 1)
        out8((uint16_t)port, (uint8_t)value);
    else if (bytes == 2)
        out16((uint16_t)port, (uint16_t)value);
    else
        out32((uint16_t)port, (uint32_t)value);
}
