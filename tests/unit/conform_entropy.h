/* SPDX-License-Identifier: ISC
 *
 * What every driver of the class "entropy" (ipc/proto/entropy.h) must do, whatever its device: with
 * an honest one, with one that lies, with none. The driver's own test says how its device is made
 * and how it gives bytes, and runs these:
 *
 *     static const struct conform_entropy rng = {.server = &motet_server_virtio_rng, ...};
 *     return conform_entropy(&rng);
 */
#ifndef MOTET_TESTS_CONFORM_ENTROPY_H
#define MOTET_TESTS_CONFORM_ENTROPY_H

#include "tests/unit/fake_domain.h"

struct conform_entropy {
    const struct server *server;

    /* Adds what the manifest gives the driver, pools first, and a device that is honest; returns
     * what the other functions get. `device` false: the machine has none. */
    void *(*attach)(struct domain *domain, bool device);
    void (*detach)(void *fake);

    /* The device gives some of the bytes, as many as it has room for in what the driver gave it;
     * returns how many. 0: the driver wants none now. */
    uint32_t (*produce)(void *fake, const uint8_t *bytes, uint32_t count);

    /* The interrupts that came since the last call, as bits. */
    uint32_t (*interrupts)(void *fake);

    /* Before `start`: the device isn't one that can be used, in way n; after it: it breaks its
     * rules in way n. */
    void (*unusable)(void *fake, uint32_t n);
    void (*misbehave)(void *fake, uint32_t n);
    uint32_t unusable_ways, misbehaviours;
};

/* Runs all; 0: it conforms. */
int conform_entropy(const struct conform_entropy *driver);

#endif
