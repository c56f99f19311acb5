/* SPDX-License-Identifier: ISC
 *
 * The simulated clients: each asks the machine's service (service.h) at its rate, bears with what
 * the network does, and looks at every answer.
 *
 *   asking for the address   (ARP, RFC 826) until the machine answers, once a second
 *   asking                   a question, or a burst of them, every so often
 *   liveness                 one question a second until it is answered
 */
#include <string.h>

#include "kernel/arch/sim/machine.h"
#include "tools/sim/service.h"
#include "tools/sim/world.h"

enum {
    CLIENTS_MAX = 64,
    PENDING_MAX = 256, /* of a client: by the low bits of the query's ID */
    PORTS_OF_QUESTIONS = 0xc000,
    TICKS_PER_SECOND = 1000000000,
    LATE = TICKS_PER_SECOND, /* an answer after that counts as none */

    ETHERNET = 14,
    IP = 20,
    UDP = 8,
    HEADERS = ETHERNET + IP + UDP,
    ARP_BYTES = 28,
    ETHERTYPE_IP = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    PROTOCOL_ICMP = 1,
    PROTOCOL_UDP = 17,
    ECHO_REPLY = 0,
    UNREACHABLE = 3,
    PORT_UNREACHABLE = 3,
    ECHO_REQUEST = 8,
    ECHO_BYTES = 8 + 56, /* as ping sends */
};

static const uint8_t machine_ip[4] = {10, 0, 2, 15};

struct client {
    uint8_t mac[6], ip[4];
    uint16_t port, next_id;
    bool knows_machine, answered; /* answered: since clients_liveness */
    bool scheduled;               /* its next EVENT_CLIENT is on the way */
    struct pending {
        uint64_t asked_at; /* 0: no question with this ID */
        uint16_t id;
        uint8_t question;
    } pending[PENDING_MAX];
};

static struct client clients[CLIENTS_MAX];
static uint8_t machine_mac[6];
static uint32_t asked;
static struct client_totals totals;
static const struct service *service;

/* --- bytes --- */

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *from)
{
    return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t udp_sum(const uint8_t *frame, uint32_t length)
{
    uint32_t pseudo = internet_sum(frame + ETHERNET + 12, 8, PROTOCOL_UDP + length);
    return internet_sum(frame + ETHERNET + IP, length, pseudo);
}

/* --- what a client sends --- */

static void ethernet_header(uint8_t *frame, const struct client *client, const uint8_t *to,
                            uint32_t type)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, client->mac, 6);
    put16(frame + 12, type);
}

static void arp_send(const struct client *client, uint32_t operation, const uint8_t *mac,
                     const uint8_t *ip)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t fixed[6] = {0, 1, 8, 0, 6, 4};
    uint8_t frame[ETHERNET + ARP_BYTES];
    ethernet_header(frame, client, mac ? mac : everybody, ETHERTYPE_ARP);
    memcpy(frame + ETHERNET, fixed, 6);
    put16(frame + ETHERNET + 6, operation);
    memcpy(frame + ETHERNET + 8, client->mac, 6);
    memcpy(frame + ETHERNET + 14, client->ip, 4);
    memset(frame + ETHERNET + 18, 0, 6);
    if (mac)
        memcpy(frame + ETHERNET + 18, mac, 6);
    memcpy(frame + ETHERNET + 24, ip, 4);
    network_carry(frame, sizeof(frame), true);
}

static void ip_header(uint8_t *frame, const struct client *client, uint8_t protocol,
                      uint32_t payload)
{
    uint8_t *ip = frame + ETHERNET;
    ethernet_header(frame, client, machine_mac, ETHERTYPE_IP);
    memset(ip, 0, IP);
    ip[0] = 0x45;
    put16(ip + 2, IP + payload);
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, client->ip, 4);
    memcpy(ip + 16, machine_ip, 4);
    put16(ip + 10, ~internet_sum(ip, IP, 0));
}

/* Nobody waits for the reply; one that comes must be what was sent. */
static void ping(const struct client *client)
{
    uint8_t frame[ETHERNET + IP + ECHO_BYTES] = {0}, *icmp = frame + ETHERNET + IP;
    ip_header(frame, client, PROTOCOL_ICMP, ECHO_BYTES);
    icmp[0] = ECHO_REQUEST;
    for (uint32_t i = 4; i < ECHO_BYTES; i++)
        icmp[i] = (uint8_t)(client->port + i);
    put16(icmp + 2, ~internet_sum(icmp, ECHO_BYTES, 0));
    network_carry(frame, sizeof(frame), true);
}

/* A datagram to an address that isn't the machine's: dropped without an answer. */
static void junk(const struct client *client)
{
    uint8_t frame[ETHERNET + IP + ECHO_BYTES] = {0};
    ip_header(frame, client, PROTOCOL_UDP, ECHO_BYTES);
    frame[ETHERNET + 19] ^= 1;
    network_carry(frame, sizeof(frame), true);
}

static void udp_headers(uint8_t *frame, const struct client *client, uint16_t port,
                        uint32_t payload)
{
    uint8_t *udp = frame + ETHERNET + IP;
    ip_header(frame, client, PROTOCOL_UDP, UDP + payload);
    memset(udp, 0, UDP);
    put16(udp, port);
    put16(udp + 2, service->port);
    put16(udp + 4, UDP + payload);
    uint32_t checksum = ~udp_sum(frame, UDP + payload) & 0xffff;
    put16(udp + 6, checksum ? checksum : 0xffff);
}

/* Without an ID the port says which question it was: one above those that clients have else. */
static void ask(struct client *client)
{
    uint8_t frame[HEADERS + SERVICE_PAYLOAD];
    const uint8_t question = (uint8_t)random_below(service->questions);
    const uint16_t next = client->next_id++, id = service->id ? next : next | PORTS_OF_QUESTIONS;
    client->pending[id % PENDING_MAX] = (struct pending){sim_clock, id, question};
    uint32_t payload = service->ask(frame + HEADERS, id, question);
    udp_headers(frame, client, service->id ? client->port : id, payload);
    network_carry(frame, HEADERS + payload, true);
    totals.asked++;
}

/* Between two bursts of one client, so that all together keep the rate. */
static uint64_t pause_ticks(void)
{
    uint64_t ticks = (uint64_t)TICKS_PER_SECOND * world.options.clients * world.options.burst /
                     world.options.rate;
    return ticks / 2 + random_below(ticks + 1);
}

static void schedule_in(struct client *client, uint64_t ticks)
{
    if (!client->scheduled)
        event_add(ticks, EVENT_CLIENT, (uint32_t)(client - clients));
    client->scheduled = true;
}

void client_event(uint32_t number)
{
    struct client *client = &clients[number];
    bool calm = world.phase == PHASE_LIVENESS;
    if (calm && client->answered)
        return;
    client->scheduled = false;
    if (!calm && asked >= world.options.queries)
        return;
    schedule_in(client, calm || !client->knows_machine ? TICKS_PER_SECOND : pause_ticks());
    if (!client->knows_machine) {
        arp_send(client, ARP_REQUEST, NULL, machine_ip);
        return;
    }
    bool is_junk = chance(world.options.junk);
    for (uint32_t i = 0; i < (calm ? 1 : world.options.burst); i++) {
        if (!calm && asked >= world.options.queries)
            return;
        asked++;
        if (is_junk)
            junk(client);
        else if (chance(world.options.pings))
            ping(client);
        else
            ask(client);
    }
}

/* --- what it hears --- */

static void arp_heard(struct client *client, const uint8_t *arp)
{
    uint32_t operation = get16(arp + 6);
    if (memcmp(arp + 24, client->ip, 4) || memcmp(arp + 14, machine_ip, 4))
        return;
    if (operation == ARP_REQUEST) {
        arp_send(client, ARP_REPLY, arp + 8, machine_ip);
    } else if (operation == ARP_REPLY && !client->knows_machine) {
        memcpy(machine_mac, arp + 8, 6);
        client->knows_machine = true;
    }
}

static void answer_heard(struct client *client, uint16_t port, const uint8_t *payload,
                         uint32_t length)
{
    const int32_t id = service->id ? service->id(payload, length) : port;
    if (id < 0) {
        totals.wrong++;
        return;
    }
    struct pending *pending = &client->pending[id % PENDING_MAX];
    if (pending->id != id || !pending->asked_at)
        return; /* a second answer, to a question that was doubled on the way */
    uint64_t took = sim_clock - pending->asked_at;
    pending->asked_at = 0;
    if (!service->is_right(payload, length, pending->question)) {
        totals.wrong++;
        return;
    }
    totals.answered++;
    totals.late += took > LATE;
    client->answered |= world.phase == PHASE_LIVENESS;
}

static bool echo_is_right(const struct client *client, const uint8_t *icmp, uint32_t length)
{
    bool right = length == ECHO_BYTES;
    for (uint32_t i = 4; right && i < ECHO_BYTES; i++)
        right = icmp[i] == (uint8_t)(client->port + i);
    return right;
}

/* That nobody serves the port (RFC 792) may be said while the service begins anew, and of what this
 * client has sent there. */
static bool unreachable_is_right(const struct client *client, const uint8_t *icmp, uint32_t length)
{
    const uint8_t *ip = icmp + 8, *udp = ip + IP;
    return world.died && length >= 8 + IP + UDP && icmp[1] == PORT_UNREACHABLE &&
           ip[9] == PROTOCOL_UDP && !memcmp(ip + 12, client->ip, 4) &&
           !memcmp(ip + 16, machine_ip, 4) && get16(udp + 2) == service->port;
}

/* What is wrong in it was wrong before the checksum was made. */
static void icmp_heard(const struct client *client, const uint8_t *icmp, uint32_t length)
{
    if (icmp[0] == UNREACHABLE)
        totals.wrong += !unreachable_is_right(client, icmp, length);
    else
        totals.wrong += icmp[0] != ECHO_REPLY || !echo_is_right(client, icmp, length);
}

/* What the network spoiled is dropped, as a client's own stack would. */
static void ip_heard(struct client *client, const uint8_t *frame, uint32_t length)
{
    const uint8_t *ip = frame + ETHERNET, *udp = ip + IP;
    if (length < HEADERS || ip[0] != 0x45 || internet_sum(ip, IP, 0) != 0xffff)
        return;
    if (ip[9] == PROTOCOL_ICMP && get16(ip + 2) >= IP && get16(ip + 2) <= length - ETHERNET &&
        internet_sum(udp, get16(ip + 2) - IP, 0) == 0xffff && !memcmp(ip + 16, client->ip, 4))
        icmp_heard(client, udp, get16(ip + 2) - IP);
    if (ip[9] != PROTOCOL_UDP)
        return;
    uint32_t bytes = get16(udp + 4);
    if (bytes < UDP || bytes > length - ETHERNET - IP || memcmp(ip + 12, machine_ip, 4) ||
        memcmp(ip + 16, client->ip, 4) || get16(udp) != service->port ||
        (service->id && get16(udp + 2) != client->port) || udp_sum(frame, bytes) != 0xffff)
        return;
    answer_heard(client, (uint16_t)get16(udp + 2), udp + UDP, bytes - UDP);
}

void client_frame(const struct frame *frame)
{
    uint32_t type = get16(frame->bytes + 12);
    for (uint32_t i = 0; i < world.options.clients; i++) {
        struct client *client = &clients[i];
        if (!(frame->bytes[0] & 1) && memcmp(frame->bytes, client->mac, 6))
            continue;
        if (type == ETHERTYPE_ARP && frame->length >= ETHERNET + ARP_BYTES)
            arp_heard(client, frame->bytes + ETHERNET);
        else if (type == ETHERTYPE_IP)
            ip_heard(client, frame->bytes, frame->length);
    }
}

/* --- */

void clients_start(void)
{
    service = service_of_image();
    if (!nic_is_there())
        world.options.clients = 0;
    if (world.options.clients > CLIENTS_MAX)
        world.options.clients = CLIENTS_MAX;
    for (uint32_t i = 0; i < world.options.clients; i++) {
        struct client *client = &clients[i];
        memcpy(client->mac, (const uint8_t[6]){0x52, 0x55, 10, 0, 2, (uint8_t)(20 + i)}, 6);
        memcpy(client->ip, (const uint8_t[4]){10, 0, 2, (uint8_t)(20 + i)}, 4);
        client->port = (uint16_t)(40000 + i);
        client->next_id = (uint16_t)random_below(65536);
        schedule_in(client, random_below(1000000));
    }
}

void clients_liveness(void)
{
    for (uint32_t i = 0; i < world.options.clients; i++) {
        clients[i].answered = false;
        clients[i].knows_machine = false; /* a spoiled ARP reply may have lied */
        schedule_in(&clients[i], 0);
    }
}

uint32_t clients_waiting(void)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < world.options.clients; i++)
        waiting += !clients[i].answered;
    return waiting;
}

struct client_totals clients_totals(void)
{
    return totals;
}
