/* SPDX-License-Identifier: ISC
 *
 * A server for tests that isn't the controller and asks init all that a controller may, for every
 * domain, again and again. It must get no answer, and nobody may be harmed.
 */
#include "libos/domain.h"
#include "libos/server.h"
#include "libos/supervisor.h"
#include "motet/control.h"

enum { PERIOD = 5000000, ASKED = 100 };

struct nosy {
    struct domain *domain;
    uint32_t asked, answers;
};

static enum error start(void *state, struct domain *domain)
{
    struct nosy *nosy = state;
    nosy->domain = domain;
    if (supervisor_log(domain, 0) || supervisor_counters(domain, 1))
        domain_log(domain, "it has the controller's pages");
    domain_set_deadline(domain, domain_time(domain) + PERIOD);
    return OK;
}

static void ask(void *state)
{
    struct nosy *nosy = state;
    struct msg m = {.op = (uint16_t)(SUPERVISOR_CONTROL + nosy->asked % CONTROL_OPS),
                    .w = {nosy->asked / CONTROL_OPS}};
    if (supervisor_ask(nosy->domain, &m) == OK)
        nosy->asked++;
    if (nosy->asked < ASKED)
        domain_set_deadline(nosy->domain, domain_time(nosy->domain) + PERIOD);
    else
        domain_log(nosy->domain, "asked %u times, %u answers", nosy->asked, nosy->answers);
}

static void message(void *state, const struct msg *m)
{
    (void)m;
    ((struct nosy *)state)->answers++;
}

extern const struct server motet_server_nosy;
const struct server motet_server_nosy = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "nosy",
    .state_size = sizeof(struct nosy),
    .stack_bytes = 1024,
    .start = start,
    .deadline = ask,
    .message = message,
};
SERVER_EXPORT(motet_server_nosy);
