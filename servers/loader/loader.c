/* SPDX-License-Identifier: ISC
 *
 * The loader: begun anew for each program that is to be swapped in, it looks at what the controller
 * has staged, tells init its verdict, and does nothing more. It sees the staged bytes and what the
 * composition demands, both read-only, and can send to init: who takes it over by a clever file can
 * have that file accepted, and no more. docs/swap.md.
 */
#include "libos/kernel.h"
#include "libos/domain.h"
#include "libos/server.h"
#include "libos/supervisor.h"
#include "motet/supervisor.h"
#include "servers/loader/check.h"

struct loader {
    struct swap_verdict verdict;
};

static enum error loader_start(void *state, struct domain *domain)
{
    struct loader *loader = state;
    struct staged staged;
    size_t bytes;
    struct msg m;
    const struct swap_program *table = domain_file(domain, "swaps", &bytes);
    supervisor_staged(domain, &staged);
    if (!table || !staged.bytes) {
        domain_log(domain, "not the loader: the manifest needs loader = true");
        return ERROR_NO_RIGHT;
    }
    loader_check(staged.bytes, staged.size, staged.check, loader_find(table, bytes, staged.domain),
                 &loader->verdict);
    msg_set(&m, SUPERVISOR_VERDICT, &loader->verdict, sizeof(loader->verdict));
    kernel_report(&m);
    return OK;
}

const struct server motet_server_loader = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "loader",
    .version = "1",
    .state_size = sizeof(struct loader),
    .stack_bytes = 2048, /* measured with -fstack-usage: the deepest path needs about 800 */
    .start = loader_start,
};
SERVER_EXPORT(motet_server_loader);
