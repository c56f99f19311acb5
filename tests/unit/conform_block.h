/* SPDX-License-Identifier: ISC
 *
 * What every driver of the class "block" (ipc/proto/block.h) must do, whatever its device. The
 * driver's own test says how its device is made and how it works, and runs these. The medium is the
 * test's: CONFORM_BLOCKS blocks of memory.
 */
#ifndef MOTET_TESTS_CONFORM_BLOCK_H
#define MOTET_TESTS_CONFORM_BLOCK_H

#include "ipc/proto/block.h"
#include "tests/unit/fake_domain.h"

enum {
    CONFORM_BLOCKS = 64,
    CONFORM_BLOCK_POOL =
        1,                 /* the client's; number 2 has no dma right; both are made by the tests */
    CONFORM_BLOCK_OWN = 3, /* the driver's, made by `attach` */
    CONFORM_BLOCK_BUFFERS = 32,
    CONFORM_BLOCK_BUFFER_BYTES = 4096,
};

struct conform_medium {
    uint8_t bytes[CONFORM_BLOCKS * BLOCK_BYTES];
    bool read_only, no_flush;
    bool fails;       /* whatever is asked for */
    bool short_reads; /* only half of what is asked for comes, and that is said */
    uint32_t flushed; /* times */
};

struct conform_block {
    const struct server *server;

    /* Adds the driver's own pool and an honest device with that medium. */
    void *(*attach)(struct domain *domain, bool device, struct conform_medium *medium);
    void (*detach)(void *fake);

    /* The device does one of the requests that it has, not always the oldest. False: none. */
    bool (*work)(void *fake);
    uint32_t (*interrupts)(void *fake);

    /* Just before `start`: what the medium is like is known. */
    void (*offer)(void *fake);

    /* Before `start`: the device can't be used, in way n. Later: it breaks its rules in way n, with
     * at least one request in hand. */
    void (*unusable)(void *fake, uint32_t n);
    void (*misbehave)(void *fake, uint32_t n);
    uint32_t unusable_ways, misbehaviours;
};

/* Runs all; 0: it conforms. */
int conform_block(const struct conform_block *driver);

#endif
