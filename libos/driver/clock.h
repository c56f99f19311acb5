/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/clock.h, for any driver of the class. The driver reads its device;
 * here are the messages, when the reading was made, and the calendar that devices count in.
 *
 * Invariant: what a client is told was read while the request was answered, and its precision
 * covers how long that took.
 */
#ifndef MOTET_LIBOS_CLOCK_DRIVER_H
#define MOTET_LIBOS_CLOCK_DRIVER_H

#include "ipc/proto/clock.h"
#include "libos/driver/driver.h"

/* A date and a time of day as devices show them, UTC. */
struct clock_calendar {
    uint32_t year, month, day, hour, minute, second; /* month and day from 1 */
};

/* Seconds since 1970. False: there is no such date or time, or not from 1970 to 9999. */
bool clock_seconds(const struct clock_calendar *calendar, uint64_t *seconds);

/* What a device shows. */
struct clock_reading {
    uint64_t seconds;     /* since 1970 */
    uint32_t nanoseconds; /* below 1,000,000,000 */
    uint32_t step;        /* nanoseconds, 1 or more: it shows the next value after so long */
};

/* Reads the device. NULL: *reading is what it shows; else why it can't be believed any more. */
typedef const char *clock_read(struct driver *driver, struct clock_reading *reading);

enum {
    CLOCK_SERVED = DRIVER_COUNTERS,
    CLOCK_DOWN, /* requests answered with BAD_STATE */
    CLOCK_BAD_MESSAGE,
    CLOCK_COUNTERS
};
#define CLOCK_COUNTER_NAMES                                                                        \
    DRIVER_COUNTER_NAMES, [CLOCK_SERVED] = "served", [CLOCK_DOWN] = "down",                        \
                          [CLOCK_BAD_MESSAGE] = "bad_message"

/* One request, as in libos/server.h. A device that `read` doesn't believe is failed. */
bool clock_receive(struct driver *driver, clock_read *read, struct conn *conn, const struct msg *m);

/* The class's port, for DRIVER. */
extern const struct server_port clock_ports[1];

#endif
