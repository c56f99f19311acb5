/* SPDX-License-Identifier: ISC
 *
 * What the simulated clients ask a machine over UDP, by what it serves: a name server questions of
 * DNS, entropyd for bytes. Called by client.c.
 */
#ifndef TOOLS_SIM_SERVICE_H
#define TOOLS_SIM_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

enum { SERVICE_PAYLOAD = 128 }; /* bytes that a question has at most */

struct service {
    uint16_t port;
    uint8_t questions; /* kinds, from 0 */

    /* Writes a question of that kind, with an ID if it has one; returns its bytes. */
    uint32_t (*ask)(uint8_t *to, uint16_t id, uint8_t question);

    /* The ID in an answer; -1: it is none. NULL: who asks is told questions apart by the port that
     * each comes from. */
    int32_t (*id)(const uint8_t *payload, uint32_t length);

    bool (*is_right)(const uint8_t *payload, uint32_t length, uint8_t question);
};

/* Of the machine as booted. */
const struct service *service_of_image(void);

#endif
