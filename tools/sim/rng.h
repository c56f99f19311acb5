/* SPDX-License-Identifier: ISC
 *
 * What the simulated source of entropy knows. Called by invariants.c.
 */
#ifndef TOOLS_SIM_RNG_H
#define TOOLS_SIM_RNG_H

#include <stdint.h>

/* Its driver has given these bytes to a client: panics if they weren't the driver's to give. */
void rng_given_on(const uint8_t *bytes, uint32_t count);

#endif
