/* SPDX-License-Identifier: ISC
 *
 * The virtio console driver: a server with one port, "console" (ipc/proto/console.h), one client
 * and one device, whose port 0 it is. con.c drives the device; here are the messages.
 *
 * No deadlock: `receive` waits for the device's sending only. What the device received stays there
 * until the client's channel has room.
 *
 * Without a device the driver runs on and drops what it is sent, counted: an image serves whether
 * or not somebody can look into it.
 */
#include "servers/virtio_con/virtio_con.h"

#include "ipc/proto/console.h"
#include "libos/assert.h"
#include "libos/swap.h"

struct con_setup console_setup(const struct virtio_con *drv)
{
    const struct pool *queues = domain_pool_named(drv->domain, "queues");
    return (struct con_setup){.device = drv->device,
                              .memory = queues->base,
                              .physical = queues->physical,
                              .bytes = queues->buffer_size};
}

/* Brings the device up, or says why not. */
static void device_start(struct virtio_con *drv)
{
    struct con_setup setup = console_setup(drv);
    char place[DEVICE_TEXT_BYTES];
    device_text(drv->device, place);
    if (con_start(&drv->con, &setup) == OK) {
        domain_log(drv->domain, "virtio-console %s", place);
        return;
    }
    drv->counters[COUNTER_DEVICES_REFUSED]++;
    domain_log(drv->domain, "device %s (%04x:%04x) not used: %s", place, drv->device->vendor,
               drv->device->id, drv->con.fault);
}

static enum error drv_start(void *state, struct domain *domain)
{
    struct virtio_con *drv = state;
    const struct pool *queues = domain_pool_named(domain, "queues");
    drv->domain = domain;
    drv->counters = domain_counters(domain);
    drv->conn = domain_conn(domain, "console", 0);
    drv->device = domain_device(domain, 0);
    if (!drv->conn || !queues || !queues->base || !(queues->rights & POOL_DMA)) {
        domain_log(domain, "port \"console\" is connected to nobody, or pool \"queues\" is missing "
                           "or not writable with dma right: see the manifest");
        return ERROR_NOT_FOUND;
    }
    if (domain_swaps(domain))
        return OK; /* the device is running: swap.c */
    if (drv->device)
        device_start(drv);
    else
        domain_log(domain, "no console: the machine has none (QEMU: -device virtio-serial-pci "
                           "-device virtconsole,chardev=...)");
    return OK;
}

static void state_send(struct virtio_con *drv)
{
    struct console_state state = {.up = drv->con.state == CON_RUNNING};
    struct msg m;
    msg_set(&m, CONSOLE_STATE, &state, sizeof(state));
    drv->state_due = conn_send(drv->conn, &m) != OK;
}

/* What came goes to the client, as far as there is room. The rest stays, and the doorbell for room
 * brings us back. */
static void rx_hand_over(struct virtio_con *drv)
{
    for (;;) {
        struct console_data data = {0};
        struct msg m;
        if (!conn_room(drv->conn)) {
            drv->counters[COUNTER_RX_HELD]++;
            return;
        }
        data.length = (uint16_t)con_read(&drv->con, data.bytes, sizeof(data.bytes));
        if (!data.length)
            return;
        drv->counters[COUNTER_RX_BYTES] += data.length;
        msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
        conn_send(drv->conn, &m);
    }
}

static void device_fail(struct virtio_con *drv)
{
    bool reset = con_fail(&drv->con);
    drv->counters[COUNTER_DEVICES_BROKEN]++;
    drv->state_due = true;
    domain_log(drv->domain, "device broken: %s; %s, out of use until a restart", drv->con.fault,
               reset ? "reset" : "it doesn't reset");
}

static void drv_batch_end(void *state)
{
    struct virtio_con *drv = state;
    if (drv->con.state == CON_RUNNING) {
        rx_hand_over(drv);
        con_flush(&drv->con);
        DEBUG_ASSERT(virtqueue_check(&drv->con.rx) && virtqueue_check(&drv->con.tx));
        if (con_fault(&drv->con))
            device_fail(drv);
    }
    if (drv->state_due)
        state_send(drv);
}

/* False: the bytes wait until the device has sent others; an interrupt will say so. */
static bool data_received(struct virtio_con *drv, const struct msg *m)
{
    struct console_data data;
    msg_get(m, &data, sizeof(data));
    if (!data.length || data.length > CONSOLE_DATA_MAX) {
        drv->counters[COUNTER_BAD_MESSAGE]++;
    } else if (drv->con.state != CON_RUNNING || con_fault(&drv->con)) {
        drv->counters[COUNTER_TX_DOWN] += data.length;
    } else if (!con_write(&drv->con, data.bytes, data.length)) {
        drv->counters[COUNTER_TX_HELD]++;
        return false;
    } else {
        drv->counters[COUNTER_TX_BYTES] += data.length;
    }
    return true;
}

static bool drv_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct virtio_con *drv = state;
    (void)conn; /* there is one */
    switch (m->op) {
    case CONSOLE_OPEN:
        drv->state_due = true;
        return true;
    case CONSOLE_DATA:
        return data_received(drv, m);
    default:
        drv->counters[COUNTER_BAD_MESSAGE]++;
        return true;
    }
}

/* The queues are looked at after each round anyway. A device that has one interrupt for everything
 * is asked what it was for; that lowers a pin, which may interrupt again then. */
static void drv_signal(void *state, uint32_t device, uint32_t bits)
{
    struct virtio_con *drv = state;
    struct con *con = &drv->con;
    (void)device; /* there is one */
    drv->counters[COUNTER_INTERRUPTS]++;
    if (con->state != CON_RUNNING)
        return;
    bool changed = bits >> con->config_vector & 1;
    if (con->virtio.single) {
        changed = virtio_take_isr(&con->virtio) & VIRTIO_ISR_CHANGED;
        domain_acknowledge(drv->domain, drv->device);
    }
    if (changed)
        con_changed(con);
}

static const struct server_port ports[] = {
    {.name = "console",
     .protocol = CONSOLE_PROTOCOL,
     .version = CONSOLE_VERSION,
     .role = CONN_SERVER},
};

static const char *const counter_names[] = {
#define COUNTER(name, text, meaning) text,
#include "servers/virtio_con/counters.def"
#undef COUNTER
};
_Static_assert(sizeof(counter_names) / sizeof(counter_names[0]) == COUNTER_COUNT, "one list");

const struct server motet_server_virtio_con = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "virtio_con",
    .version = "1",
    .state_size = sizeof(struct virtio_con),
    .stack_bytes = 2048, /* measured with -fstack-usage: the deepest path needs about 500 */
    .ports = ports,
    .port_count = 1,
    .counters = counter_names,
    .counter_count = COUNTER_COUNT,
    .start = drv_start,
    .signal = drv_signal,
    .receive = drv_receive,
    .batch_end = drv_batch_end,
};
SERVER_EXPORT(motet_server_virtio_con);
