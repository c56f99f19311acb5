/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's clock with a battery: the model of the unit tests, which shows the
 * simulated time, two seconds before the end of a year when the machine starts. A second ends with
 * an update, during which what the registers hold means nothing (MC146818A's data sheet, table 6).
 *
 * It lies for a few milliseconds, in ways that a driver can notice: what it can't be believed it
 * says itself, or it shows what is no time, or no time twice.
 */
#include <time.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/panic.h"
#include "tests/unit/fake_cmos.h"
#include "tools/sim/legacy.h"
#include "tools/sim/world.h"

enum {
    SECONDS = 0x00,
    MINUTES = 0x02,
    HOURS = 0x04,
    DAY = 0x07,
    MONTH = 0x08,
    YEAR = 0x09,
    REGISTER_A = 0x0a,
    REGISTER_B = 0x0b,
    REGISTER_D = 0x0d,
    DATA = 1, /* offset of the port */
};

enum {
    WARNING_TICKS = 244000, /* register A says so long before that an update is coming */
    UPDATE_TICKS = 1984000,
    READING_TICKS = 100000, /* a lie begins while the driver reads */
    FIELDS_TICKS = 10000,   /* reading all fields takes about so long */
    LIE_TICKS = 6000000,
};

enum lie {
    LIE_STANDS,  /* its divider is held in reset */
    LIE_IS_SET,  /* somebody is setting it */
    LIE_UPDATES, /* an update that doesn't end */
    LIE_RACES,
    LIE_NO_TIME,
    LIE_BATTERY,
    LIES
};

static struct fake_cmos clock_chip;
static uint64_t start_seconds; /* what it showed when the machine started */
static bool raced;             /* since the driver began to read */
static struct {
    uint64_t from, to; /* ticks */
    enum lie what;
    uint8_t field, value; /* what is shown, where */
} lie;

/* --- the time --- */

static bool is_updating(uint64_t warning)
{
    const uint64_t passed = sim_clock % SIM_TICKS_PER_SECOND;
    return passed < UPDATE_TICKS || passed >= SIM_TICKS_PER_SECOND - warning;
}

static void show_time(void)
{
    const time_t now = (time_t)(start_seconds + sim_clock / SIM_TICKS_PER_SECOND);
    struct tm tm;
    gmtime_r(&now, &tm);
    const struct clock_calendar shown = {
        .year = (uint32_t)tm.tm_year + 1900,
        .month = (uint32_t)tm.tm_mon + 1,
        .day = (uint32_t)tm.tm_mday,
        .hour = (uint32_t)tm.tm_hour,
        .minute = (uint32_t)tm.tm_min,
        .second = (uint32_t)tm.tm_sec,
    };
    fake_cmos_show(&clock_chip, &shown, world.options.clock_format);
}

static void show_nothing(void)
{
    static const uint8_t fields[] = {SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR};
    for (uint32_t i = 0; i < sizeof(fields); i++)
        clock_chip.memory[fields[i]] = (uint8_t)random_below(256);
}

/* Before a register is read. */
static void looked(struct fake_cmos *cmos)
{
    cmos->updating = is_updating(WARNING_TICKS);
    show_time();
    if (is_updating(0))
        show_nothing();
}

/* The driver has seen that no update is near, and is kept from running until one comes. Once in a
 * reading, since seconds are long. */
static void race(void)
{
    const uint64_t left = SIM_TICKS_PER_SECOND - sim_clock % SIM_TICKS_PER_SECOND;
    if (raced || is_updating(WARNING_TICKS) || !chance(world.options.clock_races))
        return;
    raced = true;
    clock_jump(left - random_below(FIELDS_TICKS));
}

/* --- lies --- */

/* There is an occasion: the driver begins to read. 0x60 and more is no BCD of a minute, a day or a
 * month, and no binary one. */
static void tempt(void)
{
    static const uint8_t fields[] = {SECONDS, MINUTES, DAY, MONTH};
    if (sim_clock < lie.to || !chance(world.options.card_lies))
        return;
    world.count.lies++;
    lie.from = sim_clock + random_below(READING_TICKS);
    lie.to = lie.from + random_below(LIE_TICKS);
    lie.what = (enum lie)random_below(LIES);
    lie.field = fields[random_below(sizeof(fields))];
    lie.value = (uint8_t)(0x60 + random_below(0x100 - 0x60));
}

/* Another one than the last time, so that two readings are never the same. */
static uint8_t racing(void)
{
    lie.value = (lie.value + 1) % 10;
    return lie.value;
}

/* What it says that register `n` holds, where that is `value`. */
static uint8_t lie_about(uint8_t n, uint8_t value)
{
    if (sim_clock < lie.from || sim_clock >= lie.to)
        return value;
    switch (lie.what) {
    case LIE_STANDS:
        return n == REGISTER_A ? value ^ 0x50 : value;
    case LIE_IS_SET:
        return n == REGISTER_B ? value | 0x80 : value;
    case LIE_UPDATES:
        return n == REGISTER_A ? value | 0x80 : value;
    case LIE_RACES:
        return n == SECONDS ? racing() : value;
    case LIE_NO_TIME:
        return n == lie.field ? lie.value : value;
    default:
        return n == REGISTER_D ? 0 : value;
    }
}

static void cmos_honest(void)
{
    lie.to = 0;
}

/* --- ports --- */

static uint32_t cmos_in(uint32_t offset)
{
    if (offset != DATA)
        return 0xff; /* the index can't be read */
    if (clock_chip.index == REGISTER_D) {
        raced = false;
        tempt();
    }
    const uint32_t value = clock_chip.model.read(&clock_chip.model, offset, 1);
    const uint8_t said = lie_about(clock_chip.index, (uint8_t)value);
    if (clock_chip.index == REGISTER_A)
        race();
    return said;
}

static void cmos_out(uint32_t offset, uint32_t value)
{
    clock_chip.model.write(&clock_chip.model, offset, 1, value);
}

static void cmos_start(void)
{
    struct tm start = {.tm_year = (int)world.options.clock_year - 1900,
                       .tm_mon = 11,
                       .tm_mday = 31,
                       .tm_hour = 23,
                       .tm_min = 59,
                       .tm_sec = 58};
    start_seconds = (uint64_t)timegm(&start);
    lie.to = 0;
    raced = false;
    fake_cmos_init(&clock_chip);
    clock_chip.looked = looked;
}

void cmos_told(const struct clock_time *time)
{
    const uint64_t now = start_seconds * SIM_TICKS_PER_SECOND + time->monotonic;
    const uint64_t told = time->seconds * SIM_TICKS_PER_SECOND + time->nanoseconds;
    if (!world.count.lies && (now < told || now - told >= time->precision))
        panic("a client was told a time that is wrong by %ld us, in %lu us",
              ((long)now - (long)told) / 1000, time->precision / 1000);
}

const struct legacy_kind cmos_kind = {
    .port = 0x70,
    .ports = 2,
    .start = cmos_start,
    .in = cmos_in,
    .out = cmos_out,
    .honest = cmos_honest,
};
