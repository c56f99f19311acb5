/* SPDX-License-Identifier: ISC
 *
 * The server's side of the entropy class: see entropy.h. Called by drivers. Refuses lengths outside
 * the protocol's bounds.
 */
#include "libos/driver/entropy.h"

#include <string.h>

const struct server_port entropy_ports[1] = {
    {"entropy", ENTROPY_PROTOCOL, ENTROPY_VERSION, CONN_SERVER}};

void entropy_add(struct entropy *entropy, uint8_t *bytes, uint32_t count)
{
    SERVER_ASSERT(count <= entropy_room(entropy));
    memcpy(entropy->bytes + entropy->stock, bytes, count);
    memset(bytes, 0, count);
    entropy->stock += count;
}

static void entropy_draw(struct entropy *entropy, uint8_t *out, uint32_t count)
{
    entropy->stock -= count;
    memcpy(out, entropy->bytes + entropy->stock, count);
    memset(entropy->bytes + entropy->stock, 0, count);
}

static enum error request_check(const struct driver *driver, const struct entropy_read *read)
{
    if (!read->length || read->length > ENTROPY_READ_MAX)
        return ERROR_BAD_ARGUMENT;
    return driver_runs(driver) ? OK : ERROR_BAD_STATE;
}

bool entropy_receive(struct driver *driver, struct entropy *entropy, struct conn *conn,
                     const struct msg *m)
{
    struct entropy_read read;
    if (m->op != ENTROPY_READ || m->flags) {
        driver->counters[ENTROPY_BAD_MESSAGE]++;
        return true;
    }
    msg_get(m, &read, sizeof(read));
    enum error error = request_check(driver, &read);
    if (!conn_room(conn) || (error == OK && read.length > entropy->stock)) {
        driver->counters[ENTROPY_HELD]++;
        return false;
    }
    struct entropy_read answer = {.length = error == OK ? read.length : 0};
    entropy_draw(entropy, answer.bytes, answer.length);
    struct msg reply;
    msg_set(&reply, ENTROPY_READ, &answer, sizeof(answer));
    reply.flags = MSG_REPLY;
    reply.status = error;
    reply.tag = m->tag;
    conn_send(conn, &reply);
    if (error == OK)
        driver->counters[ENTROPY_SERVED] += read.length;
    else
        driver->counters[error == ERROR_BAD_STATE ? ENTROPY_DOWN : ENTROPY_BAD_MESSAGE]++;
    return true;
}
