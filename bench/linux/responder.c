/* SPDX-License-Identifier: ISC */
/*
 * A bare DNS responder, PID 1 and only process of the Linux guest that Motet is compared with.
 * build.sh puts it into an initramfs as /init. It loads /modules/0.ko, /modules/1.ko, ... in
 * that order, configures eth0 as 10.0.2.15/24 through 10.0.2.2 and answers on UDP port 53, one
 * blocking recvfrom and one sendto per query.
 *
 * Every query for an A record of class IN gets the same address, whatever its name. It refuses
 * (REFUSED) other types and classes, and drops what isn't a query with exactly one question. Any
 * failure ends PID 1, so the kernel panics and QEMU stops with the reason on the serial line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    DNS_PORT = 53,
    HEADER_SIZE = 12,    /* RFC 1035, section 4.1.1 */
    LABEL_LIMIT = 63,    /* RFC 1035, section 2.3.4 */
    PACKET_LIMIT = 1232, /* no fragment on any common link */
    ANSWER_SIZE = 16,    /* compressed owner, type, class, TTL, length, IPv4 address */
    LINK_ATTEMPTS = 200, /* of 10 ms: the driver has appeared by then or never will */
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void load_modules(void)
{
    for (int number = 0;; number++) {
        char path[32];
        snprintf(path, sizeof path, "/modules/%d.ko", number);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return;
        if (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST)
            fail(path);
        close(file);
    }
}

static void set_address(struct sockaddr *where, const char *address)
{
    struct sockaddr_in internet = {.sin_family = AF_INET};
    inet_pton(AF_INET, address, &internet.sin_addr);
    memcpy(where, &internet, sizeof internet);
}

static void wait_for_link(int control, struct ifreq *request)
{
    for (int attempt = 0; attempt < LINK_ATTEMPTS; attempt++) {
        if (ioctl(control, SIOCGIFFLAGS, request) == 0)
            return;
        usleep(10000);
    }
    fail("eth0");
}

static void configure_link(int control)
{
    struct ifreq request = {.ifr_name = "eth0"};
    wait_for_link(control, &request);
    set_address(&request.ifr_addr, "10.0.2.15");
    if (ioctl(control, SIOCSIFADDR, &request) != 0)
        fail("address of eth0");
    set_address(&request.ifr_netmask, "255.255.255.0");
    if (ioctl(control, SIOCSIFNETMASK, &request) != 0)
        fail("netmask of eth0");
    if (ioctl(control, SIOCGIFFLAGS, &request) != 0)
        fail("flags of eth0");
    request.ifr_flags |= IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request) != 0)
        fail("bringing eth0 up");
}

static void configure_gateway(int control)
{
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
    set_address(&route.rt_dst, "0.0.0.0");
    set_address(&route.rt_genmask, "0.0.0.0");
    set_address(&route.rt_gateway, "10.0.2.2");
    if (ioctl(control, SIOCADDRT, &route) != 0)
        fail("default route");
}

static int open_service(void)
{
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    if (control < 0)
        fail("socket");
    configure_link(control);
    configure_gateway(control);
    close(control);

    int service = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
    if (service < 0 || bind(service, (struct sockaddr *)&here, sizeof here) != 0)
        fail("port 53");
    return service;
}

/* Where the question ends in a packet of SIZE bytes, or 0 when it isn't a plain question. */
static size_t question_end(const uint8_t *packet, size_t size)
{
    size_t at = HEADER_SIZE;
    while (at < size && packet[at] != 0) {
        if (packet[at] > LABEL_LIMIT)
            return 0;
        at += 1u + packet[at];
    }
    return at + 5 <= size ? at + 5 : 0;
}

/*
 * Turns the query of SIZE bytes in PACKET, which has room for PACKET_LIMIT + ANSWER_SIZE bytes,
 * into its answer. Returns the answer's size, or 0 to drop it.
 */
static size_t answer(uint8_t *packet, size_t size)
{
    static const uint8_t one_question[2] = {0, 1};
    static const uint8_t type_a_class_in[4] = {0, 1, 0, 1};
    static const uint8_t record[ANSWER_SIZE] = {0xc0, HEADER_SIZE, 0, 1, 0,   1, 0, 0,
                                                0x0e, 0x10,        0, 4, 192, 0, 2, 1};
    if (size < HEADER_SIZE || (packet[2] & 0xf8) != 0 || memcmp(packet + 4, one_question, 2) != 0)
        return 0;
    size_t end = question_end(packet, size);
    if (end == 0)
        return 0;
    bool known = memcmp(packet + end - 4, type_a_class_in, 4) == 0;
    packet[2] = 0x84 | (packet[2] & 0x01); /* QR, AA, and RD as asked */
    packet[3] = known ? 0 : 5;             /* NOERROR or REFUSED */
    memset(packet + 6, 0, 6);
    if (!known)
        return end;
    packet[7] = 1;
    memcpy(packet + end, record, sizeof record);
    return end + sizeof record;
}

static void serve(int service)
{
    uint8_t packet[PACKET_LIMIT + ANSWER_SIZE];
    for (;;) {
        struct sockaddr_in peer;
        socklen_t peer_size = sizeof peer;
        ssize_t got =
            recvfrom(service, packet, PACKET_LIMIT, 0, (struct sockaddr *)&peer, &peer_size);
        size_t size = got > 0 ? answer(packet, (size_t)got) : 0;
        if (size > 0)
            sendto(service, packet, size, 0, (struct sockaddr *)&peer, peer_size);
    }
}

int main(void)
{
    load_modules();
    serve(open_service());
}
