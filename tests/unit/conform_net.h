/* SPDX-License-Identifier: ISC
 *
 * What every driver of the class "net" (ipc/proto/netdev.h) must do, whatever its card: with an
 * honest one, with one that lies, with a client that makes mistakes or begins anew. The driver's
 * own test says how its card is made and how frames come and go, and runs these:
 *
 *     static const struct conform_net e1000 = {.server = &motet_server_e1000_drv, ...};
 *     return conform_net(&e1000);
 */
#ifndef MOTET_TESTS_CONFORM_NET_H
#define MOTET_TESTS_CONFORM_NET_H

#include "tests/unit/fake_domain.h"

enum {
    CONFORM_NET_RX = 1, /* numbers of pools; "rx" and these are made by the tests */
    CONFORM_NET_SEND,
    CONFORM_NET_OWN, /* the driver's, made by `attach` */
    CONFORM_NET_BUFFERS = 48,
    CONFORM_NET_BUFFER_BYTES = 2048,
    CONFORM_NET_FRAME = 2048,
};

struct conform_net {
    const struct server *server;
    uint8_t rx_rights; /* what it has on the pool "rx" */

    /* Adds the driver's own pool, and a card that is honest and may reach that pool and the two
     * others; returns what the other functions get. */
    void *(*attach)(struct domain *domain);
    void (*detach)(void *fake);

    /* A frame from outside. False: the card has no buffer for it. */
    bool (*receive)(void *fake, const uint8_t *frame, uint32_t length);

    /* One that comes spoiled, and nothing of it is to be seen; NULL: cards of this kind tell of
     * none. False: as above. */
    bool (*spoil)(void *fake);

    /* The next frame of the driver's that the card sends; its length, 0: there is none. */
    uint32_t (*transmit)(void *fake, uint8_t frame[CONFORM_NET_FRAME]);

    uint32_t (*interrupts)(void *fake); /* as bits; a pin comes until it is let go */
    void (*link)(void *fake, bool up);

    /* The card can't be used, in way n (before `start`); it breaks its rules in way n, while it has
     * buffers and no frame to send. */
    void (*unusable)(void *fake, uint32_t n);
    void (*misbehave)(void *fake, uint32_t n);
    uint32_t unusable_ways, misbehaviours;
};

/* Runs all; 0: it conforms. */
int conform_net(const struct conform_net *driver);

#endif
