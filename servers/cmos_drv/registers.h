/* SPDX-License-Identifier: ISC
 *
 * The clock of a PC: MC146818A, behind an index and a data port, and what its registers hold (its
 * data sheet, figures 4, 12 to 15; the century is IBM's addition, in memory that the clock leaves
 * alone).
 */
#ifndef SERVERS_CMOS_DRV_REGISTERS_H
#define SERVERS_CMOS_DRV_REGISTERS_H

#include "libos/driver/registers.h"

/* The index's bit 7 masks NMIs: it stays clear, as the firmware leaves it. */
#define CMOS_PORTS(R)                                                                              \
    R(cmos, index, 0, 8, wo)                                                                       \
    R(cmos, data, 1, 8, rw)
PORT_REGISTERS(cmos, CMOS_PORTS, 2)

enum {
    CMOS_SECONDS = 0x00,
    CMOS_MINUTES = 0x02,
    CMOS_HOURS = 0x04,
    CMOS_DAY = 0x07,
    CMOS_MONTH = 0x08,
    CMOS_YEAR = 0x09,
    CMOS_A = 0x0a,
    CMOS_B = 0x0b,
    CMOS_C = 0x0c,
    CMOS_D = 0x0d,
    CMOS_CENTURY = 0x32,

    CMOS_PM = 0x80, /* of the hours, where they are 12 */

    CMOS_A_UPDATING = 0x80, /* or in 244 us */
    CMOS_A_DIVIDER = 0x70,
    CMOS_A_RUNS = 0x20, /* of a crystal of 32,768 Hz, the one that PCs have */

    CMOS_B_SET = 0x80, /* nothing is updated */
    CMOS_B_INTERRUPTS = 0x70,
    CMOS_B_BINARY = 0x04, /* not BCD */
    CMOS_B_24_HOURS = 0x02,

    CMOS_D_VALID = 0x80, /* the battery has never failed */

    CMOS_NOBODY = 0xff, /* what is read where no device is */
};

#endif
