/* SPDX-License-Identifier: ISC */
/*
 * PID 1 and only process of a Linux guest that Motet is compared with. build.sh puts it into an
 * initramfs as /init. It loads /modules/0.ko, /modules/1.ko, ... in that order, configures eth0 as
 * 10.0.2.15/24 through 10.0.2.2 and answers on UDP port 53, one blocking recvfrom and one sendto
 * per query. Any failure ends PID 1, so the kernel panics and QEMU stops with the reason on the
 * serial line.
 */
#ifndef MOTET_BENCH_LINUX_GUEST_H
#define MOTET_BENCH_LINUX_GUEST_H

/* Says why, and ends. */
void fail(const char *what) __attribute__((noreturn));

void load_modules(void);

/* A socket bound to port 53 of eth0. */
int open_service(void);

#endif
