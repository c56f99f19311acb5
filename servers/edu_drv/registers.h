/* SPDX-License-Identifier: ISC
 *
 * QEMU's `edu` device (docs/specs/edu.txt there): its registers, in the first bytes of BAR 0.
 */
#ifndef MOTET_EDU_DRV_REGISTERS_H
#define MOTET_EDU_DRV_REGISTERS_H

#include "libos/driver/registers.h"

/* Below 0x80 only accesses of 32 bits; the 64-bit ones take effect with `command`. */
#define EDU_REGISTERS(R)                                                                           \
    R(edu, id, 0x00, 32, ro)                                                                       \
    R(edu, liveness, 0x04, 32, rw) /* gives back the complement */                                 \
    R(edu, factorial, 0x08, 32, rw)                                                                \
    R(edu, status, 0x20, 32, rw)                                                                   \
    R(edu, raised, 0x24, 32, ro) /* why it interrupts */                                           \
    R(edu, acknowledge, 0x64, 32, wo)                                                              \
    R(edu, source, 0x80, 64, rw)                                                                   \
    R(edu, destination, 0x88, 64, rw)                                                              \
    R(edu, count, 0x90, 64, rw)                                                                    \
    R(edu, command, 0x98, 32, rw)
REGISTERS(edu, EDU_REGISTERS, 0x100)

enum {
    EDU_ID = 0x010000ed,
    EDU_STATUS_COMPUTING = 1,
    EDU_STATUS_INTERRUPT = 0x80, /* when a factorial is there */
    EDU_RAISED_FACTORIAL = 0x001,
    EDU_RAISED_DMA = 0x100,
    EDU_COMMAND_START = 1, /* clears itself when it is done */
    EDU_COMMAND_TO_MEMORY = 2,
    EDU_COMMAND_INTERRUPT = 4,
    EDU_BUFFER = 0x40000, /* where its own buffer is, as its DMA engine sees it */
};

#endif
