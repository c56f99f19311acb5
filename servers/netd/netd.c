/* SPDX-License-Identifier: ISC
 *
 * netd's descriptor and entry points. Called by the libOS's loop only. Refuses to start without the
 * connections and pools that docs/netd.md lists, and says which is missing.
 */
#include <stddef.h>

#include "libos/server.h"
#include "libos/swap.h"
#include "servers/netd/netd.h"

enum { PORT_NET, PORT_SOCK };

static const struct server_port ports[] = {
    [PORT_NET] = {"net", NETDEV_PROTOCOL, NETDEV_VERSION, CONN_CLIENT},
    [PORT_SOCK] = {"sock", SOCK_PROTOCOL, SOCK_VERSION, CONN_SERVER},
};

static const char *const settings[] = {"net#.ip", "net#.gw"};

static const char *const counter_names[] = {
#define COUNTER(name, text, meaning) text,
#include "servers/netd/counters.def"
#undef COUNTER
};

#define DEFAULT_ADDRESS "10.0.2.15/24" /* what QEMU's user network expects */
#define DEFAULT_GATEWAY "10.0.2.2"

static void interface_configure(struct netd *netd, uint32_t number)
{
    struct interface *interface = &netd->interface[number];
    char ip_key[] = "net0.ip", gateway_key[] = "net0.gw";
    ip_key[3] = gateway_key[3] = (char)('0' + number);
    const char *ip = domain_setting(netd->domain, ip_key);
    const char *gateway = domain_setting(netd->domain, gateway_key);
    if (!ip && !number) {
        ip = DEFAULT_ADDRESS;
        gateway = gateway ? gateway : DEFAULT_GATEWAY;
    }
    if (ip && !interface_set_address(interface, ip))
        domain_log(netd->domain, "net%u: stays down: %s=%s isn't a host's A.B.C.D/LEN", number,
                   ip_key, ip);
    if (gateway && interface->address && !interface_set_gateway(interface, gateway))
        domain_log(netd->domain, "net%u: no gateway: %s=%s isn't another host of its network",
                   number, gateway_key, gateway);
    netd->arp.entry[number].address = interface->gateway;
}

static enum error pools_start(struct netd *netd)
{
    const struct pool *receive = domain_pool_named(netd->domain, "rx");
    const struct pool *headers = domain_pool_named(netd->domain, "headers");
    if (!receive || !(receive->rights & POOL_READ) || receive->buffers < RECEIVE_BUFFERS_MIN ||
        receive->buffer_size < RECEIVE_BUFFER_MIN) {
        domain_log(netd->domain, "netd: needs pool rx: %u buffers of %u bytes or more, to read",
                   RECEIVE_BUFFERS_MIN, RECEIVE_BUFFER_MIN);
        return ERROR_NOT_FOUND;
    }
    if (!headers || !(headers->rights & POOL_WRITE) || headers->buffers < TRANSMIT_BUFFERS_MIN ||
        headers->buffer_size < TRANSMIT_HEADER_BYTES) {
        domain_log(netd->domain,
                   "netd: needs pool headers: %u buffers of %u bytes or more, to write",
                   TRANSMIT_BUFFERS_MIN, TRANSMIT_HEADER_BYTES);
        return ERROR_NOT_FOUND;
    }
    netd->receive_pool = receive;
    pool_owner_init(&netd->receive, receive);
    netd->reassembly.holder = RECEIVE_STACK;
    netd->reassembly.held_max = (uint16_t)(receive->buffers / 4);
    transmit_init(&netd->transmit, headers, (uint32_t)domain_random(netd->domain));
    return OK;
}

static enum error clients_start(struct netd *netd)
{
    struct conn *conn;
    while ((conn = domain_conn(netd->domain, "sock", netd->clients))) {
        if (netd->clients == CLIENTS_MAX) {
            domain_log(netd->domain, "netd: takes at most %u clients", CLIENTS_MAX);
            return ERROR_LIMIT;
        }
        netd->client[netd->clients].conn = conn;
        enum error error = client_start(netd, netd->clients++);
        if (error != OK)
            return error;
    }
    return OK;
}

COLD static enum error netd_start(void *state, struct domain *domain)
{
    struct netd *netd = state;
    uint64_t random = domain_random(domain);
    netd->domain = domain;
    netd->counters = domain_counters(domain);
    netd->id = (uint16_t)random;
    netd->id_step = (uint16_t)(random >> 16 | 1);
    netd->net = domain_conn(domain, "net", 0);
    if (!netd->net) {
        domain_log(domain, "netd: needs a connection of its port net to a driver");
        return ERROR_NOT_FOUND;
    }
    if (domain_conn(domain, "net", 1)) {
        domain_log(domain, "netd: takes one driver only");
        return ERROR_LIMIT;
    }
    enum error error = pools_start(netd);
    if (error == OK)
        error = clients_start(netd);
    if (error != OK)
        return error;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        interface_configure(netd, i);
    if (!domain_swaps(domain))
        driver_open(netd);
    return OK;
}

static void netd_signal(void *state, uint32_t device, uint32_t bits)
{
    (void)state, (void)device, (void)bits; /* netd has no device */
}

static bool netd_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct netd *netd = state;
    if (conn->port == PORT_SOCK)
        return client_receive(netd, conn, m);
    driver_receive(netd, m);
    return true;
}

COLD static void netd_deadline(void *state)
{
    struct netd *netd = state;
    struct arp_entry *asked;
    struct reassembly_entry *late;
    netd->now = 0;
    while ((asked = arp_due(&netd->arp, netd_now(netd))))
        output_retry(netd, asked);
    while ((late = reassembly_expired(&netd->reassembly, netd_now(netd))))
        input_expired(netd, late);
    netd->deadline_moved = true;
}

/* Nothing to wait for: no deadline, so that an idle stack executes nothing. */
COLD static void deadline_set(struct netd *netd)
{
    uint64_t arp = arp_deadline(&netd->arp);
    uint64_t reassembly = reassembly_deadline(&netd->reassembly);
    netd->deadline_moved = false;
    domain_set_deadline(netd->domain, arp && (!reassembly || arp < reassembly) ? arp : reassembly);
}

static void netd_batch_end(void *state)
{
    struct netd *netd = state;
    if (!netd->opened)
        driver_open(netd);
    for (uint32_t i = 0; i < netd->interfaces; i++)
        if (netd->interface[i].rx_lent < netd->interface[i].rx_low)
            driver_provide(netd, i);
    for (uint32_t i = 0; i < netd->clients; i++)
        if (netd->client[i].done_count >= netd->client[i].done_batch)
            client_flush(&netd->client[i]);
    if (netd->deadline_moved)
        deadline_set(netd);
    netd->now = 0;
}

const struct server motet_server_netd = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "netd",
    .version = "1",
    .state_size = sizeof(struct netd),
    .stack_bytes = 2048,
    .ports = ports,
    .port_count = sizeof(ports) / sizeof(ports[0]),
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .counters = counter_names,
    .counter_count = COUNTER_COUNT,
    .start = netd_start,
    .signal = netd_signal,
    .receive = netd_receive,
    .deadline = netd_deadline,
    .batch_end = netd_batch_end,
};
SERVER_EXPORT(motet_server_netd);
