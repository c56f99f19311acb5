/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what comes from the network into netd: Ethernet, ARP, IPv4 and its fragments, ICMP,
 * UDP. The input is a series of frames, each as it stands or with headers and checksums made right
 * around it, so that what lies behind them is reached. After each frame all of netd's tables keep
 * their invariants; at the end everything comes to rest and nothing is missing.
 */
#include "tests/unit/netd_fixture.h"

#include "tests/fuzz/input.h"

enum {
    FRAMES_MAX = 40,
    BYTES_MAX = 1514,
    IP_MORE = 0x2000,
};

static void send_plain(struct world *world, const uint8_t *frame, uint32_t length)
{
    world_rx_flags(world, 0, frame, length, 0);
    world_check(world);
}

/* The input's bytes as what follows an Ethernet header. */
static void send_ethernet(struct world *world, struct input *input)
{
    uint8_t frame[BYTES_MAX] = {0};
    uint32_t at =
        build_ethernet(frame, our_mac, gateway_mac, (uint16_t)(0x0800 + 6 * (input_8(input) & 1)));
    struct input part = input_part(input, BYTES_MAX - at);
    memcpy(frame + at, part.at, part.left);
    send_plain(world, frame, at + (uint32_t)part.left);
}

/* The input's bytes as the payload of an IP packet or fragment that is right otherwise. */
static void send_ip(struct world *world, struct input *input)
{
    static const uint8_t protocols[] = {17, 1, 17, 6};
    uint8_t frame[BYTES_MAX] = {0}, what = input_8(input);
    uint16_t fragment = what & 0x40 ? input_16(input) & (IP_MORE | 0x1ff) : 0;
    uint32_t at = build_ethernet(frame, our_mac, gateway_mac, 0x0800);
    struct input part = input_part(input, input_8(input) | (what & 0x80 ? 0x400 : 0));
    uint32_t length =
        (uint32_t)part.left > BYTES_MAX - at - 20 ? BYTES_MAX - at - 20 : (uint32_t)part.left;
    build_ip(frame + at, GATEWAY_IP, OUR_IP, protocols[what & 3], length, fragment);
    memcpy(frame + at + 20, part.at, length);
    put16(frame + at + 4, what >> 4 & 3); /* a few identifications, so that fragments meet */
    fix_ip_checksum(frame + at);
    if ((what & 3) != 1 && !fragment && length >= 8)
        fix_udp_checksum(frame + at, length);
    send_plain(world, frame, at + 20 + length);
}

static void answer_clients(struct world *world)
{
    struct sock_datagram datagram;
    while (world_recv(world, 0, &datagram))
        world_recv_done(world, 0, datagram.data.index);
    fake_domain_batch_end(world->domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct input input = {data, size};
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    world_create(&world, 1);
    world_start(&world);
    assert_int_equal(world_bind(&world, 0, 0, 53), OK);
    for (int i = 0; input.left && i < FRAMES_MAX; i++) {
        uint8_t what = input_8(&input);
        struct input part;
        switch (what & 7) {
        case 0:
            part = input_part(&input, what);
            send_plain(&world, part.at, (uint32_t)part.left);
            break;
        case 1:
            send_ethernet(&world, &input);
            break;
        case 2:
            answer_clients(&world);
            break;
        case 3:
            fake_domain_advance(world.domain, (uint64_t)input_8(&input) << 28);
            break;
        default:
            send_ip(&world, &input);
        }
    }
    answer_clients(&world);
    world_check_rest(&world);
    world_destroy(&world);
    return 0;
}
