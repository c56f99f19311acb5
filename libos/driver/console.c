/* SPDX-License-Identifier: ISC
 *
 * The server's side of the console class: see console.h. Called by drivers. Refuses messages of a
 * senseless length.
 */
#include "libos/driver/console.h"

const struct server_port console_ports[1] = {
    {"console", CONSOLE_PROTOCOL, CONSOLE_VERSION, CONN_SERVER}};

enum error console_open(struct driver *driver, struct console *console,
                        const struct console_ops *ops)
{
    console->ops = ops;
    console->conn = domain_conn(driver->domain, "console", 0);
    if (console->conn)
        return OK;
    domain_log(driver->domain, "port \"console\" is connected to nobody: see the manifest");
    return ERROR_NOT_FOUND;
}

/* False: the bytes wait until the device has sent others. */
static bool data_received(struct driver *driver, const struct console *console, const struct msg *m)
{
    struct console_data data;
    msg_get(m, &data, sizeof(data));
    if (!data.length || data.length > CONSOLE_DATA_MAX) {
        driver->counters[CONSOLE_BAD_MESSAGE]++;
    } else if (driver_runs(driver) && console->ops->write(driver, data.bytes, data.length)) {
        driver->counters[CONSOLE_TX_BYTES] += data.length;
    } else if (driver_runs(driver)) {
        driver->counters[CONSOLE_TX_HELD]++;
        return false;
    } else {
        driver->counters[CONSOLE_TX_DOWN] += data.length;
    }
    return true;
}

bool console_receive(struct driver *driver, struct console *console, const struct msg *m)
{
    switch (m->op) {
    case CONSOLE_OPEN:
        console->state_due = 1;
        return true;
    case CONSOLE_DATA:
        return data_received(driver, console, m);
    default:
        driver->counters[CONSOLE_BAD_MESSAGE]++;
        return true;
    }
}

/* What came goes to the client, as far as there is room: the doorbell for room brings us back. */
static void bytes_hand_over(struct driver *driver, const struct console *console)
{
    while (driver_runs(driver)) {
        struct console_data data = {0};
        struct msg m;
        if (!conn_room(console->conn)) {
            driver->counters[CONSOLE_RX_HELD]++;
            return;
        }
        data.length = (uint16_t)console->ops->read(driver, data.bytes, sizeof(data.bytes));
        if (!data.length)
            return;
        driver->counters[CONSOLE_RX_BYTES] += data.length;
        msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
        conn_send(console->conn, &m);
    }
}

void console_round(struct driver *driver, struct console *console)
{
    bytes_hand_over(driver, console);
    const bool broken = driver->state == DRIVER_BROKEN;
    const struct console_state state = {.up = driver_runs(driver)};
    struct msg m;
    if (!console->state_due && (!broken || console->broken_told))
        return;
    msg_set(&m, CONSOLE_STATE, &state, sizeof(state));
    if (conn_send(console->conn, &m) != OK)
        return;
    console->state_due = 0;
    console->broken_told = broken;
}
