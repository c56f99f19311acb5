/* SPDX-License-Identifier: ISC
 *
 * LOCAL PLACEHOLDER */
#include "libos/server.h"
static enum error start(void *state, struct domain *domain) { (void)state; (void)domain; return OK; }
const struct server motet_server_loader = {.magic = SERVER_MAGIC, .abi = SERVER_ABI, .name = "loader", .state_size = 64, .stack_bytes = 1024, .start = start};
SERVER_EXPORT(motet_server_loader);
