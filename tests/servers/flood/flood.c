/* SPDX-License-Identifier: ISC
 *
 * A server that keeps init busy as well as it can: a log page full of empty lines, a signal, a
 * false fault report and a false failure, again and again. tests/system/test_machine.py looks at
 * what that does to the others.
 */
#include "libos/domain.h"
#include "libos/log.h"
#include "libos/server.h"
#include "libos/start.h"
#include "libos/syscall.h"
#include "motet/supervisor.h"

struct flood {
    struct domain *domain;
};

static enum error flood_start(void *state, struct domain *domain)
{
    const struct start_page *start = (const struct start_page *)START_ADDRESS;
    struct log_page *log = (struct log_page *)start->log_address;
    struct msg fault = {.op = KERNEL_FAULT}, failed = {.op = SUPERVISOR_FAILED};
    ((struct flood *)state)->domain = domain;
    for (volatile bool on = true; on;) {
        for (int i = 0; i < LOG_BYTES; i++)
            log_write(log, "", 0);
        sys_signal(SLOT_SUPERVISOR);
        sys_send(SLOT_SUPERVISOR, &fault, 0);
        sys_send(SLOT_SUPERVISOR, &failed, 0);
    }
    return OK;
}

static bool flood_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    (void)conn;
    (void)m;
    return true;
}

extern const struct server motet_server_flood;
const struct server motet_server_flood = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "flood",
    .state_size = sizeof(struct flood),
    .stack_bytes = 2048,
    .start = flood_start,
    .receive = flood_receive,
};
SERVER_EXPORT(motet_server_flood);
