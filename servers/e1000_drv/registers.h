/* SPDX-License-Identifier: ISC
 *
 * Intel's 8254x Gigabit Ethernet controllers: registers in BAR 0, and descriptors in memory.
 * ("PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual"; the section is
 * named at each step.)
 */
#ifndef MOTET_E1000_DRV_REGISTERS_H
#define MOTET_E1000_DRV_REGISTERS_H

#include "libos/driver/registers.h"

#define E1000_REGISTERS(R)                                                                         \
    R(e1000, control, 0x0000, 32, rw)                                                              \
    R(e1000, status, 0x0008, 32, ro)                                                               \
    R(e1000, causes, 0x00c0, 32, ro) /* reading clears */                                          \
    R(e1000, mask_set, 0x00d0, 32, wo)                                                             \
    R(e1000, mask_clear, 0x00d8, 32, wo)                                                           \
    R(e1000, rx_control, 0x0100, 32, wo)                                                           \
    R(e1000, tx_control, 0x0400, 32, wo)                                                           \
    R(e1000, tx_gap, 0x0410, 32, wo)                                                               \
    R(e1000, rx_base, 0x2800, 64, wo)                                                              \
    R(e1000, rx_bytes, 0x2808, 32, wo)                                                             \
    R(e1000, rx_head, 0x2810, 32, wo)                                                              \
    R(e1000, rx_tail, 0x2818, 32, wo)                                                              \
    R(e1000, rx_delay, 0x2820, 32, wo)                                                             \
    R(e1000, tx_base, 0x3800, 64, wo)                                                              \
    R(e1000, tx_bytes, 0x3808, 32, wo)                                                             \
    R(e1000, tx_head, 0x3810, 32, wo)                                                              \
    R(e1000, tx_tail, 0x3818, 32, wo)                                                              \
    R(e1000, address_low, 0x5400, 32, ro)                                                          \
    R(e1000, address_high, 0x5404, 32, ro)
REGISTERS(e1000, E1000_REGISTERS, 0x5408)

enum {
    CONTROL_SET_LINK_UP = 1 << 6, /* 13.4.1 */
    CONTROL_RESET = 1 << 26,
    STATUS_LINK_UP = 1 << 1, /* 13.4.2 */
    ADDRESS_VALID = 1u << 31,

    CAUSE_TX_DONE = 1 << 0, /* 13.4.17 */
    CAUSE_LINK = 1 << 2,
    CAUSE_RX_FEW = 1 << 4, /* buffers are left */
    CAUSE_RX_OVERRUN = 1 << 6,
    CAUSE_RX = 1 << 7,

    RX_ENABLE = 1 << 1,     /* 13.4.22 */
    RX_BROADCAST = 1 << 15, /* size of a buffer: 2048, bits 16 and 17 are zero */
    RX_STRIP_CRC = 1 << 26,
    TX_ENABLE = 1 << 1, /* 13.4.33 */
    TX_PAD = 1 << 3,
    TX_COLLISIONS = 0x0f << 4 | 0x40 << 12, /* for full duplex */
    TX_GAP = 10 | 8 << 10 | 6 << 20,        /* 13.4.34 */

    RX_BUFFER_BYTES = 2048,
    RING_ALIGN = 128, /* its bytes are a multiple of that, too */
};

/* 3.2.3 */
struct rx_entry {
    uint64_t address;
    uint16_t length;
    uint16_t checksum;
    uint8_t status; /* the device writes it last */
    uint8_t errors;
    uint16_t special;
};
enum { RX_DONE = 1 << 0, RX_END = 1 << 1 };

/* 3.3.3 */
struct tx_entry {
    uint64_t address;
    uint16_t length;
    uint8_t checksum_offset;
    uint8_t command;
    uint8_t status;
    uint8_t checksum_start;
    uint16_t special;
};
enum { TX_END = 1 << 0, TX_CRC = 1 << 1, TX_REPORT = 1 << 3, TX_DONE = 1 << 0 };

_Static_assert(sizeof(struct rx_entry) == 16 && sizeof(struct tx_entry) == 16, "the device's");

#endif
