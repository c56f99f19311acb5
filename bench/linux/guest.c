/* SPDX-License-Identifier: ISC */
/*
 * What the Linux guests' only processes have in common: see guest.h.
 */
#include "guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    DNS_PORT = 53,
    LINK_ATTEMPTS = 200, /* of 10 ms: the driver has appeared by then or never will */
};

void fail(const char *what)
{
    perror(what);
    exit(1);
}

void load_modules(void)
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

int open_service(void)
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
