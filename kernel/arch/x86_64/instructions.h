/* SPDX-License-Identifier: ISC
 *
 * Single privileged instructions as functions, and the kernel's way to device memory: all that the
 * files about interrupt controllers and clocks need of the machine.
 */
#ifndef KERNEL_INSTRUCTIONS_H
#define KERNEL_INSTRUCTIONS_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void memory_fence(void)
{
    __asm__ volatile("mfence" : : : "memory");
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline void write_cr3(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr4(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

static inline void flush_page(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* memory.c maps the kernel's devices (enum device_page) in the last 2 MiB of the GiB where the
 * kernel is linked. */
static inline volatile uint32_t *device_page(uint32_t number)
{
    return (volatile uint32_t *)(0xffffffffbfe00000ull + number * 4096ull);
}

static inline uint32_t device_read32(uint32_t page, uint32_t offset)
{
    return device_page(page)[offset / 4];
}

static inline void device_write32(uint32_t page, uint32_t offset, uint32_t value)
{
    device_page(page)[offset / 4] = value;
}

static inline uint64_t device_read64(uint32_t page, uint32_t offset)
{
    return *(volatile uint64_t *)&device_page(page)[offset / 4];
}

static inline void device_write64(uint32_t page, uint32_t offset, uint64_t value)
{
    *(volatile uint64_t *)&device_page(page)[offset / 4] = value;
}

static inline void cache_line_flush(const void *address)
{
    __asm__ volatile("clflush (%0)" : : "r"(address) : "memory");
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

#endif
