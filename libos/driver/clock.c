/* SPDX-License-Identifier: ISC
 *
 * The server's side of the clock class: see clock.h. Called by drivers.
 */
#include "libos/driver/clock.h"

const struct server_port clock_ports[1] = {{"clock", CLOCK_PROTOCOL, CLOCK_VERSION, CONN_SERVER}};

enum { YEAR_FIRST = 1970, YEAR_LAST = 9999, DAY_SECONDS = 86400 };

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* From the year 1 on; Gregorian. */
static uint32_t days_before(uint32_t year)
{
    year--;
    return year * 365 + year / 4 - year / 100 + year / 400;
}

bool clock_seconds(const struct clock_calendar *c, uint64_t *seconds)
{
    if (c->year < YEAR_FIRST || c->year > YEAR_LAST || c->month < 1 || c->month > 12 ||
        c->day < 1 || c->day > month_days(c->year, c->month) || c->hour > 23 || c->minute > 59 ||
        c->second > 59)
        return false;
    uint32_t days = days_before(c->year) - days_before(YEAR_FIRST) + c->day - 1;
    for (uint32_t month = 1; month < c->month; month++)
        days += month_days(c->year, month);
    *seconds = (uint64_t)days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
    return true;
}

/* False: the device isn't there, or is no more. */
static bool time_read(struct driver *driver, clock_read *read, struct clock_time *time)
{
    struct clock_reading reading = {0};
    if (!driver_runs(driver))
        return false;
    const uint64_t begin = domain_time(driver->domain);
    const char *why = read(driver, &reading);
    if (why) {
        driver_fail(driver, why);
        return false;
    }
    const uint64_t end = domain_time(driver->domain);
    *time = (struct clock_time){.seconds = reading.seconds,
                                .nanoseconds = reading.nanoseconds,
                                .monotonic = end,
                                .precision = reading.step + (end - begin)};
    return true;
}

bool clock_receive(struct driver *driver, clock_read *read, struct conn *conn, const struct msg *m)
{
    struct clock_time time = {0};
    struct msg reply;
    if (m->op != CLOCK_TIME || m->flags) {
        driver->counters[CLOCK_BAD_MESSAGE]++;
        return true;
    }
    if (!conn_room(conn))
        return false;
    const bool known = time_read(driver, read, &time);
    msg_set(&reply, CLOCK_TIME, &time, sizeof(time));
    reply.flags = MSG_REPLY;
    reply.status = known ? OK : ERROR_BAD_STATE;
    reply.tag = m->tag;
    conn_send(conn, &reply);
    driver->counters[known ? CLOCK_SERVED : CLOCK_DOWN]++;
    return true;
}
