/* SPDX-License-Identifier: ISC
 *
 * The loader: a domain that init begins anew for each program that is to be swapped in. It looks at
 * the program in the staging memory, which it can only read, says what it found, and waits for its
 * end. Whatever a program brings about while it is looked at happens here, where nothing else is.
 */
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
    const struct supervisor_staged staged = supervisor_staged(domain);
    struct msg m;
    size_t bytes = 0;
    if (!staged.program)
        return OK; /* the image boots: nothing is swapped yet */
    const void *table = domain_file(domain, "swaps", &bytes);
    const struct swap_program *wanted = table ? loader_find(table, bytes, staged.domain) : NULL;
    if (!wanted) {
        domain_log(domain, "domain %u isn't in the table of what can be swapped", staged.domain);
        return ERROR_NOT_FOUND;
    }
    loader_check(wanted, staged.program, staged.bytes, staged.check, &loader->verdict);
    msg_set(&m, SUPERVISOR_VERDICT, &loader->verdict, sizeof(loader->verdict));
    return supervisor_ask(domain, &m);
}

const struct server motet_server_loader = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "loader",
    .state_size = sizeof(struct loader),
    .stack_bytes = 6144, /* measured with -fstack-usage: a signature needs about 4600 */
    .start = loader_start,
};
SERVER_EXPORT(motet_server_loader);
