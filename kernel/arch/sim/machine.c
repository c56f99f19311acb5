/* SPDX-License-Identifier: ISC
 *
 * kernel/arch.h and kernel/panic.h for a host process. See machine.h.
 */
#include "kernel/arch/sim/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "kernel/arch/sim/arena.h"
#include "kernel/iommu.h"
#include "kernel/irq.h"
#include "kernel/syscall.h"

uint64_t sim_pages;
struct cpu sim_cpu;
uint64_t sim_clock, sim_frequency;
struct sim_machine sim;
struct kernel_counters *sim_counters;
static struct kernel_counters own_counters; /* where no image is booted */
char sim_panic_text[SIM_PANIC_BYTES];

void sim_reset(uint64_t pages)
{
    ASSERT(pages <= SIM_PAGES_MAX);
    sim_arena_map(false);
    ASAN_UNPOISON_MEMORY_REGION(sim_memory, SIM_PAGES_MAX * (uint64_t)PAGE_BYTES);
    sim_pages = pages;
    memset(sim_memory, 0xdd, pages * PAGE_BYTES);
    for (uint64_t vector = IRQ_VECTOR_FIRST; vector <= IRQ_VECTOR_LAST; vector++)
        irq_release(vector);
    sim = (struct sim_machine){0};
    iommu = (struct iommu){0};
    sim_cpu = (struct cpu){0};
    own_counters = (struct kernel_counters){0};
    sim_counters = &own_counters;
    cpu_init(&sim_cpu);
    sim_clock = 1;
    sim_frequency = 1000000;
}

/* As on every machine: whoever made the running thread stop has asked for another. */
static void leave(void)
{
    if (sim_cpu.reschedule)
        sim_cpu.steps.schedule(&sim_cpu);
}

void sim_syscall(void)
{
    ASSERT(sim_cpu.current);
    syscall_handle(sim_cpu.current);
    leave();
}

void sim_fault(uint64_t cause, uint64_t address, uint64_t error)
{
    ASSERT(sim_cpu.current);
    sim_cpu.steps.fault(sim_cpu.current, cause, address, error);
    leave();
}

void sim_interrupt(uint64_t vector)
{
    sim_cpu.steps.interrupt(vector);
    leave();
}

void sim_pin_assert(uint64_t pin)
{
    if (sim.pin[pin].open)
        sim_interrupt(sim.pin[pin].vector);
    ASSERT(!sim.pin[pin].open || !sim.pin[pin].level); /* else it would interrupt for ever */
}

void sim_advance(uint64_t ticks)
{
    enum { INTERRUPTS_MAX = 1000 }; /* one expiry each; more is a storm */
    uint64_t end = sim_clock + ticks, before = sim.timer_interrupts;
    while (sim.timer && sim.timer <= end) {
        if (sim_clock < sim.timer)
            sim_clock = sim.timer;
        sim.timer = 0;
        sim.timer_interrupts++;
        sim_cpu.steps.timer(&sim_cpu);
        leave();
        ASSERT(sim.timer_interrupts - before < INTERRUPTS_MAX);
    }
    sim_clock = end;
}

void arch_timer_set(uint64_t time)
{
    sim.timer = time;
    sim.timer_sets++;
}

void arch_space_load(struct space *space)
{
    sim_cpu.space = space;
    if (sim.flushed)
        sim.flushed(0, 0);
}

void arch_thread_load(struct thread *thread)
{
    sim.loaded = thread;
}

void arch_flush(uint64_t address, uint64_t pages)
{
    if (sim.flushed)
        sim.flushed(address, pages);
}

void arch_space_init(uint64_t *root)
{
    for (int i = 256; i < 512; i++)
        root[i] = SIM_KERNEL_ENTRY;
}

void arch_registers_init(struct registers *registers)
{
    registers->rflags = 0x202;
}

void arch_registers_start(struct registers *registers, uint64_t rip, uint64_t rsp,
                          uint64_t argument)
{
    *registers = (struct registers){.rip = rip, .rsp = rsp, .rdi = argument};
    arch_registers_init(registers);
}

uint64_t arch_ioport_in(uint64_t port, uint64_t bytes)
{
    return sim.ioport_in ? sim.ioport_in(port, bytes) : port << 8 | bytes;
}

void arch_ioport_out(uint64_t port, uint64_t bytes, uint64_t value)
{
    sim.out_port = port;
    sim.out_bytes = bytes;
    sim.out_value = value;
    if (sim.ioport_out)
        sim.ioport_out(port, bytes, value);
}

enum error arch_pin_route(uint64_t pin, uint64_t vector, bool level)
{
    if (pin == IRQ_PIN_IOMMU ? !sim.iommu.present : pin >= SIM_PINS)
        return ERROR_BAD_ARGUMENT;
    if (sim_pin(pin)->open)
        return ERROR_OCCUPIED;
    *sim_pin(pin) = (struct sim_pin){.vector = vector, .level = level, .open = true};
    return OK;
}

void arch_pin_mask(uint64_t pin, bool masked)
{
    ASSERT(pin == IRQ_PIN_IOMMU || pin < SIM_PINS);
    sim_pin(pin)->open = !masked;
}

void arch_irq_message(uint64_t vector, uint64_t *address, uint64_t *data)
{
    *address = 0xfee00000;
    *data = vector;
}

void arch_console_write(const char *text)
{
    fputs(text, stderr);
}

static void print(const char *prefix, const char *text, va_list arguments)
{
    fputs(prefix, stderr);
    vfprintf(stderr, text, arguments);
    fputc('\n', stderr);
}

void kprintf(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    print("kernel: ", text, arguments);
    va_end(arguments);
}

void panic_trace(const uint64_t *rbp)
{
    (void)rbp; /* the sanitizers' own trace is better */
}

void panic(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    if (sim.panic) {
        vsnprintf(sim_panic_text, sizeof(sim_panic_text), text, arguments);
        longjmp(*sim.panic, 1);
    }
    print("kernel: panic: ", text, arguments);
    va_end(arguments);
    abort();
}
