/* SPDX-License-Identifier: ISC
 *
 * cmos_drv: drives the clock of a PC (MC146818A and what chipsets have in its place). The class's
 * server side is libos/driver/clock.c; here are the registers.
 *
 * The clock updates its registers once a second, and they mean nothing meanwhile. A reading counts
 * only if it began while no update was near, and the one before was the same: then none came
 * between, however long the driver was kept from running.
 *
 * It refuses a clock that isn't there, stands still, is always updating, has lost its battery, or
 * shows what is no time. It changes nothing but the enables of interrupts.
 */
#include <string.h>

#include "libos/driver/clock.h"
#include "servers/cmos_drv/registers.h"

enum {
    UPDATE_NS = 3000000, /* 244 us of warning and 1,984 us of update (data sheet, table 6) */
    READINGS_MAX = 5,    /* two are the same, unless one was made while a second ended */
    STEP_NS = 1000000000,
    FIELDS = 7,
};

struct cmos_drv {
    struct driver driver;
    struct cmos_registers registers;
};

static uint8_t cmos_get(const struct cmos_drv *cmos, uint8_t index)
{
    cmos_write_index(&cmos->registers, index);
    return cmos_read_data(&cmos->registers);
}

/* What the registers hold, in no order that matters, and in which format. False: an update never
 * ends. */
static bool fields_read(struct cmos_drv *cmos, uint8_t field[FIELDS + 1])
{
    static const uint8_t index[FIELDS + 1] = {CMOS_SECONDS, CMOS_MINUTES, CMOS_HOURS,   CMOS_DAY,
                                              CMOS_MONTH,   CMOS_YEAR,    CMOS_CENTURY, CMOS_B};
    if (!DRIVER_WAIT(&cmos->driver, UPDATE_NS, !(cmos_get(cmos, CMOS_A) & CMOS_A_UPDATING)))
        return false;
    for (uint32_t i = 0; i <= FIELDS; i++)
        field[i] = cmos_get(cmos, index[i]);
    return true;
}

/* A field's value; 255: it is no BCD. */
static uint32_t field_value(uint8_t field, uint8_t format)
{
    if (format & CMOS_B_BINARY)
        return field;
    return field >> 4 <= 9 && (field & 15) <= 9 ? (field >> 4) * 10u + (field & 15) : 255;
}

/* 12 hours: 12 to 11, twice. 255: none of these. */
static uint32_t hour_value(uint8_t field, uint8_t format)
{
    if (format & CMOS_B_24_HOURS)
        return field_value(field, format);
    const uint32_t hour = field_value(field & (uint8_t)~CMOS_PM, format);
    return hour >= 1 && hour <= 12 ? hour % 12 + (field & CMOS_PM ? 12 : 0) : 255;
}

/* A machine without the register has anything there: it isn't from another century. */
static uint32_t year_value(const uint8_t field[FIELDS + 1], uint8_t format)
{
    const uint32_t year = field_value(field[5], format), century = field_value(field[6], format);
    return year > 99 ? 0 : year + 100 * (century >= 19 && century <= 22 ? century : 20);
}

static const char *cmos_read(struct driver *driver, struct clock_reading *reading)
{
    struct cmos_drv *cmos = (struct cmos_drv *)driver;
    uint8_t last[FIELDS + 1], field[FIELDS + 1];
    bool same = false;
    if (!(cmos_get(cmos, CMOS_D) & CMOS_D_VALID))
        return "its battery has failed";
    if (!fields_read(cmos, last))
        return "its update never ends";
    for (uint32_t i = 1; i < READINGS_MAX && !same; i++) {
        if (!fields_read(cmos, field))
            return "its update never ends";
        same = !memcmp(field, last, sizeof(last));
        memcpy(last, field, sizeof(last));
    }
    const uint8_t format = field[FIELDS];
    if ((cmos_get(cmos, CMOS_A) & CMOS_A_DIVIDER) != CMOS_A_RUNS || format & CMOS_B_SET)
        return "it stands still";
    const struct clock_calendar shown = {.year = year_value(field, format),
                                         .month = field_value(field[4], format),
                                         .day = field_value(field[3], format),
                                         .hour = hour_value(field[2], format),
                                         .minute = field_value(field[1], format),
                                         .second = field_value(field[0], format)};
    reading->step = STEP_NS;
    if (!same)
        return "it never shows the same time twice";
    return clock_seconds(&shown, &reading->seconds) ? NULL : "what it shows is no time";
}

static bool cmos_silence(struct driver *driver)
{
    const struct cmos_drv *cmos = (const struct cmos_drv *)driver;
    const uint8_t format = cmos_get(cmos, CMOS_B);
    cmos_write_index(&cmos->registers, CMOS_B);
    cmos_write_data(&cmos->registers, format & (uint8_t)~CMOS_B_INTERRUPTS);
    return true;
}

static enum error cmos_start(struct driver *driver)
{
    struct cmos_drv *cmos = (struct cmos_drv *)driver;
    struct clock_reading reading;
    enum error error = cmos_open(&cmos->registers, driver, 0, 0);
    if (error != OK)
        return error;
    if (cmos_get(cmos, CMOS_A) == CMOS_NOBODY && cmos_get(cmos, CMOS_B) == CMOS_NOBODY)
        return driver_refuse(driver, "nobody answers at its ports (QEMU: -machine microvm,rtc=on)");
    cmos_silence(driver);
    const char *why = cmos_read(driver, &reading);
    return why ? driver_refuse(driver, why) : OK;
}

/* It is to have none: what was under way is let go. */
static void cmos_interrupt(struct driver *driver, uint32_t vector)
{
    (void)vector;
    cmos_get((const struct cmos_drv *)driver, CMOS_C);
}

static bool cmos_receive(void *state, struct conn *conn, const struct msg *m)
{
    return clock_receive(state, cmos_read, conn, m);
}

static const struct driver_ops ops = {
    .what = "clock (manifest: isa = \"cmos\")",
    .vendor = DEVICE_VENDOR_PNP,
    .id = 0x0b00, /* PNP0B00: the AT's real-time clock */
    .start = cmos_start,
    .interrupt = cmos_interrupt,
    .silence = cmos_silence,
};

static const char *const counters[] = {CLOCK_COUNTER_NAMES};

DRIVER(cmos_drv, struct cmos_drv, ops, counters, .ports = clock_ports, .port_count = 1,
       .receive = cmos_receive);
