/* SPDX-License-Identifier: ISC
 *
 * What the simulator and the simulated processor's user side know of each other.
 */
#ifndef KERNEL_SIM_PROCESSOR_H
#define KERNEL_SIM_PROCESSOR_H

#include "libos/state.h"
#include "motet/image.h"

/* A domain's first instruction, and init's. */
_Noreturn void sim_domain_start(const struct start_page *start);
_Noreturn void init_start(void);

/* What each domain has linked; filled in when the machine boots. */
struct sim_servers {
    const struct server *server[DOMAIN_SERVERS_MAX];
    uint64_t count;
};
extern struct sim_servers sim_servers[IMAGE_DOMAINS_MAX];

/* All servers of this program, by the Makefile; ends with NULL. */
extern const struct server *const sim_linked[];

/* What a page of device memory holds: registers are reached by way of the simulator. */
extern const struct device_model sim_registers;

#endif
