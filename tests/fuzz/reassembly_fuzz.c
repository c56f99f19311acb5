/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: netd's reassembly beside one that notes for each byte of a datagram which fragment
 * brought it. The input is a series of fragments of a few datagrams and of steps in time. Both keep
 * or drop the same fragments, and the datagrams that become whole have the same bytes.
 */
#include "tests/unit/netd_fixture.h"

#include "tests/fuzz/input.h"

enum {
    FRAGMENTS_MAX = 120,
    BUFFERS = 40,
    HELD_MAX = 20,
    STACK = 1,
    SOURCES = 5,
    IDS = 3,
    UNIT = 8,                     /* bytes: what offsets are counted in */
    BYTES_MAX = (255 + 1) * UNIT, /* of a datagram, but for those that are too long */
    OFFSET_TOO_LONG = 0x1fff,     /* units: no fragment that begins there is possible */
    FULL_HEADER = 20,
};

/* The reference: slow and plain. */
struct noted {
    bool used, refused;
    uint32_t source, id, end, pieces, bytes;
    uint64_t born;
    uint8_t brought[BYTES_MAX]; /* by which buffer, plus one; 0: not yet */
};

struct plain {
    struct noted datagram[REASSEMBLY_DATAGRAMS];
};

enum outcome { DROPPED, KEPT, WHOLE };

static uint32_t plain_held(const struct plain *plain)
{
    uint32_t held = 0;
    for (int i = 0; i < REASSEMBLY_DATAGRAMS; i++)
        held += plain->datagram[i].used ? plain->datagram[i].pieces : 0;
    return held;
}

/* The oldest of a source, or of all (0), but for one; *count: how many there are. */
static struct noted *plain_oldest(struct plain *plain, uint32_t source, const struct noted *spared,
                                  int *count)
{
    struct noted *oldest = NULL;
    *count = 0;
    for (int i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        struct noted *one = &plain->datagram[i];
        bool spare = spared != NULL && one == spared;
        if (!one->used || spare || (source && one->source != source))
            continue;
        ++*count;
        if (!oldest || one->born < oldest->born)
            oldest = one;
    }
    return oldest;
}

static struct noted *plain_find(struct plain *plain, uint32_t source, uint32_t id, uint64_t now)
{
    struct noted *oldest;
    int count;
    for (int i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        struct noted *one = &plain->datagram[i];
        if (one->used && one->source == source && one->id == id)
            return one;
    }
    oldest = plain_oldest(plain, source, NULL, &count);
    if (count == REASSEMBLY_PER_SOURCE)
        oldest->used = false;
    oldest = plain_oldest(plain, 0, NULL, &count);
    if (count == REASSEMBLY_DATAGRAMS)
        oldest->used = false;
    struct noted *made = plain->datagram;
    while (made->used)
        made++;
    *made = (struct noted){.used = true, .source = source, .id = id, .born = now};
    return made;
}

/* Whether the very same fragment is there. */
static bool plain_is_there(const struct noted *datagram, uint32_t start, uint32_t end)
{
    uint8_t by = datagram->brought[start];
    for (uint32_t at = start; at < end; at++)
        if (!by || datagram->brought[at] != by)
            return false;
    return (start == 0 || datagram->brought[start - 1] != by) &&
           (end == BYTES_MAX || datagram->brought[end] != by);
}

static bool plain_contradicts(const struct noted *datagram, uint32_t start, uint32_t end, bool last)
{
    if (datagram->end && (end > datagram->end || (last && end != datagram->end)))
        return true;
    for (uint32_t at = start; at < (last ? BYTES_MAX : end); at++)
        if (datagram->brought[at])
            return true;
    return false;
}

static bool plain_has_room(struct plain *plain, const struct noted *datagram)
{
    struct noted *oldest;
    int count;
    while (plain_held(plain) == HELD_MAX && (oldest = plain_oldest(plain, 0, datagram, &count)))
        oldest->used = false;
    return datagram->pieces < REASSEMBLY_PIECES && plain_held(plain) < HELD_MAX;
}

static enum outcome plain_add(struct plain *plain, struct noted *datagram, uint32_t start,
                              uint32_t length, bool last, int buffer)
{
    uint32_t end = start + length;
    if (datagram->refused || plain_is_there(datagram, start, end))
        return DROPPED;
    if (plain_contradicts(datagram, start, end, last) || datagram->pieces == REASSEMBLY_PIECES ||
        !plain_has_room(plain, datagram)) {
        datagram->refused = true;
        datagram->pieces = 0;
        return DROPPED;
    }
    memset(datagram->brought + start, buffer + 1, length);
    datagram->pieces++;
    datagram->bytes += length;
    if (last)
        datagram->end = end;
    return datagram->bytes == datagram->end ? WHOLE : KEPT;
}

/* What is compared. */
struct both {
    struct plain plain;
    struct reassembly reassembly;
    struct pool_owner owner;
    uint64_t counters[COUNTER_COUNT];
    uint64_t now;
    uint32_t next; /* units: where the last fragment ended */
};

static const struct pool pool = {.buffers = BUFFERS, .buffer_size = 2048};

static void check(const struct both *both)
{
    assert_true(reassembly_check(&both->reassembly, &both->owner));
    assert_int_equal(both->reassembly.held, plain_held(&both->plain));
    assert_int_equal(both->owner.free_count + both->reassembly.held, BUFFERS);
}

static void expect_same_bytes(const struct reassembly_entry *entry, const struct noted *datagram)
{
    uint32_t at = 0;
    assert_int_equal(entry->end, datagram->end);
    for (uint32_t i = 0; i < entry->pieces; i++) {
        assert_int_equal(entry->start[i], at);
        for (uint32_t last = at + entry->piece[i].length; at < last; at++)
            assert_int_equal(datagram->brought[at], entry->piece[i].index + 1);
    }
    assert_int_equal(at, datagram->end);
}

static void expire(struct both *both)
{
    struct reassembly_entry *entry;
    while ((entry = reassembly_expired(&both->reassembly, both->now)))
        reassembly_drop(&both->reassembly, &both->owner, entry);
    for (int i = 0; i < REASSEMBLY_DATAGRAMS; i++)
        if (both->plain.datagram[i].born + REASSEMBLY_TIME <= both->now)
            both->plain.datagram[i].used = false;
}

/* In units: that of a fragment that can't be, or follows the last one, or any. */
static uint32_t offset_of(const struct both *both, struct input *input, uint8_t what)
{
    if (what & 0x40)
        return (what & 0x0f) == 0x0f ? OFFSET_TOO_LONG : both->next;
    return input_8(input);
}

static void add(struct both *both, struct input *input, uint8_t what)
{
    static const uint8_t bytes[REASSEMBLY_QUOTE];
    uint32_t who = input_8(input), units = offset_of(both, input, what);
    uint32_t length = input_8(input) & (what & 0x20 ? UINT8_MAX : UINT8_MAX - (UNIT - 1));
    uint32_t start = units * UNIT;
    bool last = what & 0x10;
    struct ipv4_header header = {.source = FAR_IP + who % SOURCES,
                                 .destination = OUR_IP,
                                 .length = (uint16_t)length,
                                 .id = (uint16_t)(who / SOURCES % IDS),
                                 .fragment = (uint16_t)(units | (last ? 0 : IPV4_MORE)),
                                 .header_length = FULL_HEADER,
                                 .protocol = 17};
    struct fragment fragment = {.header = &header, .bytes = bytes};
    struct reassembly_entry *whole;
    both->next = (start + length) / UNIT % (BYTES_MAX / UNIT);
    int buffer = pool_lend(&both->owner, STACK);
    enum outcome expected = DROPPED;
    struct noted *datagram = NULL;

    assert_true(buffer >= 0);
    if (units != OFFSET_TOO_LONG && length && start + length <= BYTES_MAX &&
        (last || length % UNIT == 0)) {
        datagram = plain_find(&both->plain, header.source, header.id, both->now);
        expected = plain_add(&both->plain, datagram, start, length, last, buffer);
    } else if (units != OFFSET_TOO_LONG && start + length > BYTES_MAX) {
        assert_true(pool_take_back(&both->owner, (uint32_t)buffer, STACK));
        return; /* beyond what the reference has room for */
    }
    fragment.piece = (struct buffer_ref){.index = (uint16_t)buffer, .length = (uint16_t)length};
    bool kept = reassembly_add(&both->reassembly, &both->owner, &fragment, both->now,
                               both->counters, &whole);
    assert_int_equal(kept, expected != DROPPED);
    assert_int_equal(whole != NULL, expected == WHOLE);
    if (!kept)
        assert_true(pool_take_back(&both->owner, (uint32_t)buffer, STACK));
    if (whole) {
        expect_same_bytes(whole, datagram);
        reassembly_drop(&both->reassembly, &both->owner, whole);
        datagram->used = false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct both both;
    struct input input = {data, size};
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    memset(&both, 0, sizeof both);
    both.reassembly.holder = STACK;
    both.reassembly.held_max = HELD_MAX;
    both.now = 1;
    pool_owner_init(&both.owner, &pool);
    for (int i = 0; input.left && i < FRAGMENTS_MAX; i++) {
        uint8_t what = input_8(&input);
        both.now++; /* so that one of two datagrams is older */
        if ((what & 0x8f) == 0x8f)
            both.now += (uint64_t)input_8(&input) << 28;
        expire(&both);
        add(&both, &input, what);
        check(&both);
    }
    return 0;
}
