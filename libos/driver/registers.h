/* SPDX-License-Identifier: ISC
 *
 * A device's registers as a block that is declared once, in one table, from which the accessors
 * come:
 *
 *     #define EDU_REGISTERS(R)                                                                    \
 *         R(edu, id, 0x00, 32, ro)                                                                \
 *         R(edu, factorial, 0x08, 32, rw)
 *     REGISTERS(edu, EDU_REGISTERS, 0x100)
 *
 * That is the type `struct edu_registers`, edu_read_id, edu_read_factorial, edu_write_factorial,
 * and edu_open. What is wrong is found as early as it can be:
 *
 *  when compiled  a register that is misaligned, outside the block, or overlaps another one; a
 *                 write to one that is read-only, a read of one that is write-only: there is no
 *                 such function; a block taken for another one
 *  at start       edu_open: the device hasn't got that BAR, or it is smaller than the block
 *
 * PORT_REGISTERS instead of REGISTERS: the same for a block of I/O ports, of a device that the
 * manifest claims by `isa`.
 *
 * Widths are 8, 16, 32 and 64 bits; 64 are two accesses of 32, the lower half first, for registers
 * that take effect with another one's write. Modes are ro, wo and rw.
 */
#ifndef MOTET_LIBOS_REGISTERS_H
#define MOTET_LIBOS_REGISTERS_H

#include "libos/driver/driver.h"
#include "libos/driver/ports.h"

static inline uint8_t registers_read_8(const struct device_bar *bar, uint32_t offset)
{
    return device_read8(bar, offset);
}

static inline uint16_t registers_read_16(const struct device_bar *bar, uint32_t offset)
{
    return device_read16(bar, offset);
}

static inline uint32_t registers_read_32(const struct device_bar *bar, uint32_t offset)
{
    return device_read32(bar, offset);
}

static inline uint64_t registers_read_64(const struct device_bar *bar, uint32_t offset)
{
    uint64_t low = device_read32(bar, offset);
    return low | (uint64_t)device_read32(bar, offset + 4) << 32;
}

static inline void registers_write_8(const struct device_bar *bar, uint32_t offset, uint8_t value)
{
    device_write8(bar, offset, value);
}

static inline void registers_write_16(const struct device_bar *bar, uint32_t offset, uint16_t value)
{
    device_write16(bar, offset, value);
}

static inline void registers_write_32(const struct device_bar *bar, uint32_t offset, uint32_t value)
{
    device_write32(bar, offset, value);
}

static inline void registers_write_64(const struct device_bar *bar, uint32_t offset, uint64_t value)
{
    device_write32(bar, offset, (uint32_t)value);
    device_write32(bar, offset + 4, (uint32_t)(value >> 32));
}

#define REGISTER_READ(block, name, at, bits)                                                       \
    static inline uint##bits##_t block##_read_##name(const struct block##_registers *registers)    \
    {                                                                                              \
        return block##_in_ports ? ports_read_##bits(registers->bar, registers->offset + (at))      \
                                : registers_read_##bits(registers->bar, registers->offset + (at)); \
    }

#define REGISTER_WRITE(block, name, at, bits)                                                      \
    static inline void block##_write_##name(const struct block##_registers *registers,             \
                                            uint##bits##_t value)                                  \
    {                                                                                              \
        if (block##_in_ports)                                                                      \
            ports_write_##bits(registers->bar, registers->offset + (at), value);                   \
        else                                                                                       \
            registers_write_##bits(registers->bar, registers->offset + (at), value);               \
    }

#define REGISTER_ro(block, name, at, bits) REGISTER_READ(block, name, at, bits)
#define REGISTER_wo(block, name, at, bits) REGISTER_WRITE(block, name, at, bits)
#define REGISTER_rw(block, name, at, bits)                                                         \
    REGISTER_READ(block, name, at, bits) REGISTER_WRITE(block, name, at, bits)

#define REGISTER_ACCESS(block, name, at, bits, mode) REGISTER_##mode(block, name, at, bits)

/* An access of 64 bits needs the alignment of its halves. */
#define REGISTER_CHECK(block, name, at, bits, mode)                                                \
    _Static_assert((at) % ((bits) == 64 ? 4 : (bits) / 8) == 0, #block "." #name ": misaligned");  \
    _Static_assert((at) + (bits) / 8 <= block##_registers_bytes,                                   \
                   #block "." #name ": outside the block");

/* Two registers on one byte are two cases of one value, which no compiler takes. */
#define REGISTER_CASE(block, name, at, bits, mode) case (at)...(at) + (bits) / 8 - 1:

#define REGISTERS(block, LIST, bytes)      REGISTERS_IN(block, LIST, bytes, 0)
#define PORT_REGISTERS(block, LIST, bytes) REGISTERS_IN(block, LIST, bytes, 1)

#define REGISTERS_IN(block, LIST, bytes, in_ports)                                                 \
    enum { block##_registers_bytes = (bytes), block##_in_ports = (in_ports) };                     \
    struct block##_registers {                                                                     \
        const struct device_bar *bar; /* offset + bytes lies inside it */                          \
        uint32_t offset;                                                                           \
    };                                                                                             \
    LIST(REGISTER_CHECK)                                                                           \
    static inline void block##_registers_disjoint(uint32_t at)                                     \
    {                                                                                              \
        switch (at) {                                                                              \
            LIST(REGISTER_CASE)                                                                    \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
    }                                                                                              \
    LIST(REGISTER_ACCESS)                                                                          \
    /* The block `offset` bytes into BAR `n`. Not OK: there is none, which was said. */            \
    static inline enum error block##_open(struct block##_registers *registers,                     \
                                          struct driver *driver, uint32_t n, uint32_t offset)      \
    {                                                                                              \
        registers->bar = block##_in_ports                                                          \
                             ? driver_ports(driver, n, offset, block##_registers_bytes)            \
                             : driver_bar(driver, n, offset, block##_registers_bytes);             \
        registers->offset = offset;                                                                \
        return registers->bar ? OK : ERROR_NOT_FOUND;                                              \
    }

#endif
