/* SPDX-License-Identifier: ISC
 *
 * netd, but what it sends has a time to live of 99: a version that can be told from the usual one
 * by a ping. For tests of swaps, and `make demo-swap`.
 */
#include "servers/netd/ipv4.h"
#define IPV4_TTL 99
#include "tests/servers/ttl/whole.h"

VARIANT("ttl99", netd_start, netd_receive);
