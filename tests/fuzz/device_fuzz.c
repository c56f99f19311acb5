/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a network card that does what the input says. It uses chains in any order, writes
 * any bytes into all memory that it may reach, changes its configuration, interrupts or doesn't,
 * while the client provides buffers and sends frames. The driver must keep to memory that it may
 * touch, hand back only what it was given, and after the card's reset all of it.
 */
#include "tests/unit/virtio_fixture.h"

#include "tests/fuzz/input.h"

enum { STEPS_MAX = 400 };

static struct fake_frame frame;

/* What happens. `spoiled`: the card has written over what it would need to go on honestly. */
struct play {
    struct rig *rig;
    struct fake_virtio *card;
    uint8_t *queues;
    bool spoiled;
    uint32_t cookie;
};

static bool running(const struct play *play)
{
    return play->card->status & VIRTIO_CONFIG_S_DRIVER_OK;
}

static void honest(struct play *play, struct input *input)
{
    uint8_t what = input_8(input);
    struct input data = input_part(input, what);
    if (!running(play) || play->spoiled)
        return;
    if (what & 1)
        fake_virtio_receive(play->card, data.at, (uint32_t)data.left, input_8(input));
    else
        fake_virtio_transmit(play->card, &frame);
}

static void push_anything(struct play *play, struct input *input)
{
    uint8_t queue = input_8(input) & 1;
    uint16_t id = input_16(input), length = input_16(input);
    if (!running(play))
        return;
    fake_virtio_push(play->card, queue, id | (uint32_t)(id & 0x8000) << 8, length);
    fake_virtio_flush(play->card, queue);
}

static void index_anything(struct play *play, struct input *input)
{
    uint8_t queue = input_8(input) & 1;
    play->card->queue[queue].pushed = (uint16_t)(play->card->queue[queue].pushed + input_8(input));
    if (running(play))
        fake_virtio_flush(play->card, queue);
}

static void write_anything(struct play *play, struct input *input)
{
    uint32_t offset = input_16(input) % (4 * QUEUE_BYTES - 16);
    play->spoiled = true;
    input_bytes(input, play->queues + offset, input_8(input) % 16);
}

/* The used rings themselves: what an index or an entry may be. */
static void used_anything(struct play *play, struct input *input)
{
    uint8_t queue = input_8(input) & 1;
    const struct fake_queue *q = &play->card->queue[queue];
    uint32_t offset = input_16(input) % (6 + 8u * q->size);
    if (!running(play) || !q->enabled)
        return;
    play->spoiled = true;
    input_bytes(input, (uint8_t *)(uintptr_t)q->used + offset, 2);
}

static void configure(struct play *play, struct input *input)
{
    uint8_t what = input_8(input);
    input_bytes(input, (uint8_t *)&play->card->config + what % sizeof(play->card->config), 1);
    play->card->restless = what & 7;
    if (what & 0x80)
        fake_virtio_ask_reset(play->card);
    else
        fake_virtio_set_link(play->card, what & 0x40);
}

static void client(struct play *play, struct input *input)
{
    uint8_t what = input_8(input);
    if (what & 1) {
        rig_provide(play->rig, 0, what >> 3);
        return;
    }
    while (play->rig->sent[play->cookie % COOKIES])
        play->cookie++;
    struct netdev_tx tx = rig_frame(play->cookie++ % COOKIES, input_8(input));
    if (play->rig->sent_count < NETDEV_TX_OUTSTANDING)
        rig_transmit(play->rig, &tx);
}

static void round_of(struct play *play, struct input *input)
{
    uint8_t bits = input_8(input);
    if (bits & 0x80)
        fake_domain_signal(play->rig->domain, 0, bits & 7);
    rig_round(play->rig);
    rig_drain(play->rig, NETDEV_RX);
}

static void (*const steps[])(struct play *play, struct input *input) = {
    honest,        honest,        client,    round_of,       round_of,
    push_anything, used_anything, configure, index_anything, write_anything,
};
enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

/* Once the card was reset, nothing of the client's is missing. */
static void settle(struct play *play)
{
    fake_conn_set_capacity(play->rig->net, FAKE_QUEUE_MAX);
    for (int i = 0; i < 3; i++) {
        rig_round(play->rig);
        rig_drain(play->rig, NETDEV_RX);
    }
    if (!play->card->status)
        rig_expect_broken(play->rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *state;
    struct input input = {data, size};
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    assert_int_equal(rig_set_up(&state), 0);
    struct play play = {.rig = state};
    play.card = play.rig->fake[0];
    play.card->lies = true;
    play.queues = fake_pool_memory(play.rig->domain, POOL_QUEUES);
    uint8_t features = input_8(&input);
    if (features & 1)
        play.card->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    if (features & 2)
        play.card->offered &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
    rig_start(play.rig);
    for (int i = 0; input.left && i < STEPS_MAX; i++)
        steps[input_8(&input) % STEPS](&play, &input);
    settle(&play);
    rig_tear_down(&state);
    return 0;
}
