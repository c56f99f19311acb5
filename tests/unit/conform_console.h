/* SPDX-License-Identifier: ISC
 *
 * What every driver of the class "console" (ipc/proto/console.h) must do, whatever its device: with
 * an honest one, with one that lies, with none. The driver's own test says how its device is made
 * and how bytes come and go, and runs these:
 *
 *     static const struct conform_console con = {.server = &motet_server_virtio_con, ...};
 *     return conform_console(&con);
 */
#ifndef MOTET_TESTS_CONFORM_CONSOLE_H
#define MOTET_TESTS_CONFORM_CONSOLE_H

#include "tests/unit/fake_domain.h"

struct conform_console {
    const struct server *server;

    /* Adds what the manifest gives the driver and a device that is honest; returns what the other
     * functions get. `device` false: the machine has none, and it returns NULL. */
    void *(*attach)(struct domain *domain, bool device);
    void (*detach)(void *fake);

    /* Bytes from outside, at most `count`; how many the device has room for. */
    uint32_t (*receive)(void *fake, const uint8_t *bytes, uint32_t count);

    /* The next bytes of the driver's that the device sends, at most `most`; 0: there are none. */
    uint32_t (*transmit)(void *fake, uint8_t *bytes, uint32_t most);

    uint32_t (*interrupts)(void *fake); /* as bits; a pin comes until it is let go */

    /* The device can't be used, in way n (before `start`); it breaks its rules in way n, while it
     * has nothing to send. */
    void (*unusable)(void *fake, uint32_t n);
    void (*misbehave)(void *fake, uint32_t n);
    uint32_t unusable_ways, misbehaviours;
};

/* Runs all; 0: it conforms. */
int conform_console(const struct conform_console *driver);

#endif
