/* SPDX-License-Identifier: ISC
 *
 * What the portable kernel asks of a machine. arch/x86_64 is the real one; a host process is
 * another.
 */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu.h"
#include "motet/abi.h"

/* One timer interrupt at or soon after `time` (ticks). */
void arch_timer_set(uint64_t time);

/* Fills in the kernel's half of a new root table. */
void arch_space_init(uint64_t *root);

/* A thread's registers at birth / where it starts. */
void arch_registers_init(struct registers *registers);
void arch_registers_start(struct registers *registers, uint64_t rip, uint64_t rsp,
                          uint64_t argument);

/* Runs in this space from now on; NULL: the kernel's own. */
void arch_space_load(struct space *space);

/* Which thread the next return to user mode restores. */
void arch_thread_load(struct thread *thread);

/* Forgets translations of `pages` pages at `address` in the running space. */
void arch_flush(uint64_t address, uint64_t pages);

uint64_t arch_ioport_in(uint64_t port, uint64_t bytes);
void arch_ioport_out(uint64_t port, uint64_t bytes, uint64_t value);

/* Routes an I/O APIC input to a vector: edge, active high; or level, active low. */
enum error arch_pin_route(uint64_t pin, uint64_t vector, bool level);
void arch_pin_mask(uint64_t pin, bool masked);

/* Where a device writes, and what, to raise `vector`. */
void arch_irq_message(uint64_t vector, uint64_t *address, uint64_t *data);

/* The IOMMU; these are called only after iommu_start. Tables in memory that it walks are written
 * by the portable kernel: which are told before anything depends on them. */
void arch_iommu_written(const void *first, uint64_t bytes);

/* The device with that source id uses the tables at `root` from now on, as that domain. OCCUPIED:
 * it uses some already; LIMIT: devices on too many buses were assigned. */
enum error arch_iommu_assign(uint64_t source, uint64_t root, uint64_t domain);
void arch_iommu_unassign(uint64_t source);

/* Begins to invalidate all that the IOMMU remembers; whether that is over, in a bounded number of
 * looks. */
void arch_iommu_invalidate(void);
bool arch_iommu_invalidated(void);

/* Takes a recorded fault. False: there is none. */
struct iommu_fault {
    uint64_t source, address, reason; /* with enum dma_fault */
};
bool arch_iommu_fault(struct iommu_fault *fault);

void arch_console_write(const char *text);

/* Inline, for speed:
 *   struct kernel_counters *arch_counters(void)     of this CPU
 *   void *phys_to_virt(uint64_t physical)      the direct map: physical memory in kernel addresses
 *   uint64_t virt_to_phys(const void *address)
 *   struct cpu *cpu_self(void)
 *   void arch_clear(void *memory, uint64_t bytes)   zeros, a multiple of 8
 *   uint64_t arch_clock(void)                  clock ticks, monotonic
 */
#if defined(MOTET_HOST)
#include "kernel/arch/sim/arch_inline.h"
#else
#include "kernel/arch/x86_64/arch_inline.h"
#endif

#endif
