/* SPDX-License-Identifier: ISC
 *
 * usertests in a simulator of its own, the user's side: its root program begins where init would.
 */
#include "kernel/arch/sim/user/processor.h"
#include "tests/usertests/supervisor.h"

const bool usertests_in_simulator = true;

extern const struct server motet_server_flood;
const struct server *const sim_linked[] = {&motet_server_flood, 0};

void init_start(void)
{
    usertests_start();
}
