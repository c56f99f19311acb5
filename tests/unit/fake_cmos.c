/* SPDX-License-Identifier: ISC
 *
 * See fake_cmos.h. Numbers are the data sheet's, not the driver's names for them.
 */
#include "tests/unit/fake_cmos.h"

#include <assert.h>
#include <string.h>

static uint32_t cmos_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_cmos *cmos = (struct fake_cmos *)model;
    assert(offset == 1 && bytes == 1);
    if (cmos->absent)
        return 0xff;
    cmos->accesses++;
    if (cmos->looked)
        cmos->looked(cmos);
    if (cmos->index != 0x0a || !cmos->updating)
        return cmos->memory[cmos->index];
    cmos->updating--;
    return cmos->memory[0x0a] | 0x80u;
}

static void cmos_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct fake_cmos *cmos = (struct fake_cmos *)model;
    assert(offset < 2 && bytes == 1 && value < 256);
    if (offset == 0) {
        assert(value < 128); /* NMIs stay as they are */
        cmos->index = (uint8_t)value;
        return;
    }
    assert(cmos->index == 0x0b); /* all else is the clock's, or the firmware's */
    cmos->written |= 1u << cmos->index;
    cmos->memory[cmos->index] = (uint8_t)value;
}

void fake_cmos_init(struct fake_cmos *cmos)
{
    const struct clock_calendar shown = {1999, 12, 31, 23, 59, 59};
    memset(cmos, 0, sizeof(*cmos));
    cmos->model = (struct device_model){cmos_read, cmos_write};
    cmos->memory[0x0a] = 0x26;
    cmos->memory[0x0b] = 0x70; /* the firmware's interrupts */
    cmos->memory[0x0d] = 0x80;
    fake_cmos_show(cmos, &shown, FAKE_CMOS_24_HOURS);
}

static uint8_t in_format(uint32_t value, uint32_t format)
{
    return (uint8_t)(format & FAKE_CMOS_BINARY ? value : value / 10 << 4 | value % 10);
}

void fake_cmos_show(struct fake_cmos *cmos, const struct clock_calendar *shown, uint32_t format)
{
    uint8_t *memory = cmos->memory;
    const uint32_t twelve = shown->hour % 12 ? shown->hour % 12 : 12;
    memory[0x00] = in_format(shown->second, format);
    memory[0x02] = in_format(shown->minute, format);
    memory[0x04] = in_format(format & FAKE_CMOS_24_HOURS ? shown->hour : twelve, format);
    if (!(format & FAKE_CMOS_24_HOURS) && shown->hour >= 12)
        memory[0x04] |= 0x80;
    memory[0x07] = in_format(shown->day, format);
    memory[0x08] = in_format(shown->month, format);
    memory[0x09] = in_format(shown->year % 100, format);
    memory[0x32] = in_format(shown->year / 100, format);
    memory[0x0b] = (uint8_t)((memory[0x0b] & 0xf9) | (format & FAKE_CMOS_BINARY ? 4 : 0) |
                             (format & FAKE_CMOS_24_HOURS ? 2 : 0));
}
