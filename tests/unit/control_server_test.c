/* SPDX-License-Identifier: ISC
 *
 * servers/control/control.c between a host and an init that are the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/console.h"
#include "libos/crc.h"
#include "motet/control.h"
#include "tests/unit/fake_domain.h"

extern const struct server motet_server_control;

enum { DOMAINS = 4 };

struct rig {
    struct domain *domain;
    struct conn *console;
    struct fake_watched *watched;
    uint32_t tag;
    uint8_t reply[CONTROL_REPLY_MAX]; /* behind the status */
    uint32_t reply_bytes;
};

static int rig_set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct msg m;
    rig->domain = fake_domain_create(&motet_server_control);
    rig->console = fake_domain_connect(rig->domain, "console", 0);
    rig->watched = fake_domain_watch(rig->domain, DOMAINS);
    assert_int_equal(fake_domain_start(rig->domain), OK);
    fake_domain_batch_end(rig->domain);
    assert_true(fake_conn_pop(rig->console, &m));
    assert_int_equal(m.op, CONSOLE_OPEN);
    *state = rig;
    return 0;
}

static int rig_tear_down(void **state)
{
    struct rig *rig = *state;
    fake_domain_destroy(rig->domain);
    free(rig);
    return 0;
}

static bool deliver(struct rig *rig, const uint8_t *bytes, uint32_t count)
{
    struct console_data data = {.length = (uint16_t)count};
    struct msg m;
    memcpy(data.bytes, bytes, count);
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    return fake_domain_deliver(rig->domain, rig->console, &m);
}

/* Bytes from the host, as a driver cuts them. */
static void host_sends(struct rig *rig, const void *bytes, uint32_t count)
{
    for (uint32_t at = 0; at < count;) {
        uint32_t part = count - at < CONSOLE_DATA_MAX ? count - at : CONSOLE_DATA_MAX;
        assert_true(deliver(rig, (const uint8_t *)bytes + at, part));
        at += part;
    }
    fake_domain_batch_end(rig->domain);
}

static uint32_t request_make(struct rig *rig, uint8_t *out, uint16_t op, const void *payload,
                             uint16_t length)
{
    struct control_header header = {
        .magic = CONTROL_MAGIC, .op = op, .length = length, .tag = ++rig->tag};
    header.check = crc_add(0, &header, offsetof(struct control_header, check));
    uint32_t check = crc_add(0, payload, length);
    memcpy(out, &header, sizeof(header));
    if (length)
        memcpy(out + sizeof(header), payload, length);
    memcpy(out + sizeof(header) + length, &check, sizeof(check));
    return length + CONTROL_FRAME_EXTRA;
}

static void request(struct rig *rig, uint16_t op, const void *payload, uint16_t length)
{
    uint8_t bytes[CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA];
    host_sends(rig, bytes, request_make(rig, bytes, op, payload, length));
}

static uint32_t host_receives(struct rig *rig, uint8_t *out, uint32_t most)
{
    struct msg m;
    uint32_t count = 0;
    while (fake_conn_pop(rig->console, &m)) {
        struct console_data data;
        assert_int_equal(m.op, CONSOLE_DATA);
        msg_get(&m, &data, sizeof(data));
        assert_in_range(data.length, 1, CONSOLE_DATA_MAX);
        assert_true(count + data.length <= most);
        memcpy(out + count, data.bytes, data.length);
        count += data.length;
    }
    return count;
}

/* The one reply that is there, to the last request; returns its error. */
static enum error reply(struct rig *rig, uint16_t op)
{
    uint8_t bytes[CONTROL_REPLY_MAX + CONTROL_FRAME_EXTRA + 1];
    struct control_header header;
    struct control_status status;
    uint32_t check, count = host_receives(rig, bytes, sizeof(bytes));
    assert_true(count >= CONTROL_FRAME_EXTRA + sizeof(status));
    memcpy(&header, bytes, sizeof(header));
    assert_int_equal(header.magic, CONTROL_MAGIC);
    assert_int_equal(header.op, op | CONTROL_REPLY);
    assert_int_equal(header.tag, rig->tag);
    assert_int_equal(header.check, crc_add(0, &header, offsetof(struct control_header, check)));
    assert_int_equal(count, header.length + CONTROL_FRAME_EXTRA);
    memcpy(&check, bytes + sizeof(header) + header.length, sizeof(check));
    assert_int_equal(check, crc_add(0, bytes + sizeof(header), header.length));
    memcpy(&status, bytes + sizeof(header), sizeof(status));
    rig->reply_bytes = header.length - (uint32_t)sizeof(status);
    memcpy(rig->reply, bytes + sizeof(header) + sizeof(status), rig->reply_bytes);
    return (enum error)status.error;
}

/* init's answer to what it was asked last. */
static struct msg init_answers(struct rig *rig, enum error error, const void *words, size_t size)
{
    struct msg asked;
    assert_true(fake_domain_asked(rig->domain, &asked));
    struct msg answer = {.op = asked.op, .flags = asked.flags, .status = error};
    if (size)
        memcpy(answer.bytes, words, size);
    fake_domain_message(rig->domain, &answer);
    fake_domain_batch_end(rig->domain);
    return asked;
}

static void init_is_asked_by_a_number(void **state)
{
    struct rig *rig = *state;
    struct control_request wanted = {.argument = 2};
    struct control_domain told = {.name = "netd", .restarts = 3}, got;
    request(rig, CONTROL_DOMAIN, &wanted, sizeof(wanted));
    assert_int_equal(fake_conn_waiting(rig->console), 0);
    struct msg asked = init_answers(rig, OK, &told, sizeof(told));
    assert_int_equal(asked.op, SUPERVISOR_CONTROL + CONTROL_DOMAIN);
    assert_int_equal(asked.w[0], 2);
    for (int i = 1; i < MSG_WORDS; i++)
        assert_int_equal(asked.w[i], 0);
    assert_int_equal(reply(rig, CONTROL_DOMAIN), OK);
    assert_int_equal(rig->reply_bytes, sizeof(got));
    memcpy(&got, rig->reply, sizeof(got));
    assert_memory_equal(&got, &told, sizeof(got));
    assert_int_equal(fake_domain_deadline(rig->domain), 0);
}

static void inits_refusal_is_passed_on(void **state)
{
    struct rig *rig = *state;
    struct control_request wanted = {.argument = 9};
    request(rig, CONTROL_KILL, &wanted, sizeof(wanted));
    init_answers(rig, ERROR_NOT_FOUND, NULL, 0);
    assert_int_equal(reply(rig, CONTROL_KILL), ERROR_NOT_FOUND);
    assert_int_equal(rig->reply_bytes, 0);
    assert_int_equal(fake_domain_counter(rig->domain, "requests_refused"), 1);
}

static void the_image_comes_with_what_the_kernel_says(void **state)
{
    struct rig *rig = *state;
    struct control_image told = {.name = "dns", .domains = DOMAINS};
    struct control_kernel kernel;
    fake_domain_advance(rig->domain, 5000);
    request(rig, CONTROL_IMAGE, NULL, 0);
    init_answers(rig, OK, &told, sizeof(told));
    assert_int_equal(reply(rig, CONTROL_IMAGE), OK);
    assert_int_equal(rig->reply_bytes, sizeof(told) + sizeof(kernel));
    memcpy(&kernel, rig->reply + sizeof(told), sizeof(kernel));
    assert_memory_equal(rig->reply, &told, sizeof(told));
    assert_string_equal(kernel.build, "fake");
    assert_int_equal(kernel.uptime, domain_time(rig->domain));
}

static void without_an_answer_the_host_hears_so(void **state)
{
    struct rig *rig = *state;
    struct control_request wanted = {.argument = 1};
    struct msg late;
    request(rig, CONTROL_DOMAIN, &wanted, sizeof(wanted));
    assert_true(fake_domain_asked(rig->domain, &late));
    fake_domain_advance(rig->domain, 999999999);
    assert_int_equal(fake_conn_waiting(rig->console), 0);
    fake_domain_advance(rig->domain, 1);
    assert_int_equal(reply(rig, CONTROL_DOMAIN), ERROR_TIMEOUT);
    /* Its answer, when it comes after all, isn't taken for that of the next question. */
    request(rig, CONTROL_DOMAIN, &wanted, sizeof(wanted));
    struct msg answer = {.op = late.op, .flags = late.flags, .status = ERROR_LIMIT};
    fake_domain_message(rig->domain, &answer);
    fake_domain_batch_end(rig->domain);
    assert_int_equal(fake_conn_waiting(rig->console), 0);
    assert_int_equal(fake_domain_counter(rig->domain, "late_answers"), 1);
    init_answers(rig, OK, NULL, 0);
    assert_int_equal(reply(rig, CONTROL_DOMAIN), OK);
}

static void an_init_that_takes_nothing(void **state)
{
    struct rig *rig = *state;
    struct control_request wanted = {.argument = 1};
    fake_domain_set_full(rig->domain, true);
    request(rig, CONTROL_DOMAIN, &wanted, sizeof(wanted));
    assert_int_equal(reply(rig, CONTROL_DOMAIN), ERROR_FULL);
}

static void senseless_requests_are_refused(void **state)
{
    struct rig *rig = *state;
    uint8_t zeros[CONTROL_REQUEST_MAX] = {0};
    struct msg m;
    static const struct {
        uint16_t op, length;
        enum error error;
    } cases[] = {
        {0, 4, ERROR_UNKNOWN_CALL},
        {CONTROL_OPS, 4, ERROR_UNKNOWN_CALL},
        {CONTROL_REPLY | CONTROL_DOMAIN, 4, ERROR_UNKNOWN_CALL},
        {CONTROL_DOMAIN, 3, ERROR_BAD_ARGUMENT},
        {CONTROL_KILL, 8, ERROR_BAD_ARGUMENT},
        {CONTROL_RESTART, 0, ERROR_BAD_ARGUMENT},
        {CONTROL_COUNTERS, 4, ERROR_NOT_FOUND},
        {CONTROL_LOG, CONTROL_REQUEST_MAX, ERROR_NOT_FOUND},
        {CONTROL_SWAP_BEGIN, 4, ERROR_BAD_ARGUMENT},
        {CONTROL_SWAP_BEGIN, 13, ERROR_BAD_ARGUMENT},
        {CONTROL_SWAP_TAKE, 12, ERROR_BAD_ARGUMENT},
        {CONTROL_SWAP_GO, 0, ERROR_BAD_ARGUMENT},
        {CONTROL_STAGE, 7, ERROR_BAD_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request(rig, cases[i].op, zeros, cases[i].length);
        assert_false(fake_domain_asked(rig->domain, &m));
        assert_int_equal(reply(rig, cases[i].op), cases[i].error);
    }
}

enum { STAGING_BYTES = 4096 };

/* The staging memory, which may be touched only while init has given it. */
struct staging {
    uint8_t *memory;
    uint8_t before[STAGING_BYTES];
};

static void staging_make(struct rig *rig, struct staging *staging)
{
    staging->memory = calloc(1, STAGING_BYTES); /* of that size: the sanitizer sees the end */
    memset(staging->before, 0, sizeof(staging->before));
    fake_domain_set_staging(rig->domain, staging->memory, STAGING_BYTES);
}

static enum error stage(struct rig *rig, uint32_t offset, uint32_t said, uint32_t bytes,
                        uint8_t value)
{
    uint8_t payload[CONTROL_REQUEST_MAX];
    const struct control_stage head = {.offset = offset, .bytes = said};
    memcpy(payload, &head, sizeof(head));
    memset(payload + sizeof(head), value, sizeof(payload) - sizeof(head));
    request(rig, CONTROL_STAGE, payload, (uint16_t)(sizeof(head) + bytes));
    return reply(rig, CONTROL_STAGE);
}

static void swap_begins(struct rig *rig, uint32_t bytes, enum error error)
{
    const struct control_swap_begin begin = {.domain = 2, .what = 1, .bytes = bytes, .check = 77};
    const struct control_swap_room room = {STAGING_BYTES};
    request(rig, CONTROL_SWAP_BEGIN, &begin, sizeof(begin));
    const struct msg asked = init_answers(rig, error, &room, sizeof(room));
    struct control_swap_begin told;
    memcpy(&told, asked.bytes, sizeof(told));
    assert_int_equal(asked.op, SUPERVISOR_CONTROL + CONTROL_SWAP_BEGIN);
    assert_memory_equal(&told, &begin, sizeof(told));
    assert_int_equal(reply(rig, CONTROL_SWAP_BEGIN), error);
    assert_int_equal(rig->reply_bytes, error ? 0 : sizeof(room));
}

static void asks_init(struct rig *rig, uint16_t op, uint32_t argument, enum error error)
{
    const struct control_request wanted = {.argument = argument};
    request(rig, op, &wanted, sizeof(wanted));
    assert_int_equal(init_answers(rig, error, NULL, 0).w[0], argument);
    assert_int_equal(reply(rig, op), error);
}

static void a_program_goes_into_the_staging_memory(void **state)
{
    struct rig *rig = *state;
    struct staging staging;
    staging_make(rig, &staging);
    swap_begins(rig, 3000, OK);
    for (uint32_t at = 0; at < 3000; at += 1000)
        assert_int_equal(stage(rig, at, 1000, 1000, (uint8_t)(1 + at / 1000)), OK);
    for (uint32_t at = 0; at < STAGING_BYTES; at++)
        assert_int_equal(staging.memory[at], at < 3000 ? 1 + at / 1000 : 0);
    assert_int_equal(stage(rig, STAGING_BYTES - 1, 1, 1, 9), OK);
    assert_int_equal(staging.memory[STAGING_BYTES - 1], 9);
    asks_init(rig, CONTROL_SWAP_TAKE, 3000, OK);
    asks_init(rig, CONTROL_SWAP_GO, 0, OK);
    free(staging.memory);
}

static void nothing_goes_beside_the_staging_memory(void **state)
{
    static const struct {
        uint32_t offset, said, bytes;
        enum error error;
    } cases[] = {
        {STAGING_BYTES, 1, 1, ERROR_LIMIT},
        {STAGING_BYTES - 7, 8, 8, ERROR_LIMIT},
        {~0u, 8, 8, ERROR_LIMIT},
        {~0u - 7, 8, 8, ERROR_LIMIT},
        {STAGING_BYTES + 1, 0, 0, ERROR_LIMIT},
        {0, 9, 8, ERROR_BAD_ARGUMENT},
        {0, ~0u, 8, ERROR_BAD_ARGUMENT},
        {0, 7, 8, ERROR_BAD_ARGUMENT},
    };
    struct rig *rig = *state;
    struct staging staging;
    const uint8_t half[4] = {0};
    staging_make(rig, &staging);
    swap_begins(rig, 3000, OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(stage(rig, cases[i].offset, cases[i].said, cases[i].bytes, 5),
                         cases[i].error);
        assert_memory_equal(staging.memory, staging.before, STAGING_BYTES);
    }
    request(rig, CONTROL_STAGE, half, sizeof(half));
    assert_int_equal(reply(rig, CONTROL_STAGE), ERROR_BAD_ARGUMENT);
    free(staging.memory);
}

/* Whenever it may not be ours, a touch would be the end: it is refused. */
static void the_staging_memory_is_ours_only_while_staging(void **state)
{
    struct rig *rig = *state;
    struct staging staging;
    staging_make(rig, &staging);
    assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
    swap_begins(rig, 3000, ERROR_BAD_STATE);
    assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
    swap_begins(rig, 0, OK); /* nothing new: it isn't given */
    assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
    static const uint16_t ends[] = {CONTROL_SWAP_GO, CONTROL_SWAP_CANCEL};
    static const enum error answers[] = {OK, ERROR_BAD_STATE};
    for (int i = 0; i < 4; i++) {
        swap_begins(rig, 3000, OK);
        asks_init(rig, ends[i & 1], 0, answers[i >> 1]);
        assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
    }
    swap_begins(rig, 3000, OK);
    swap_begins(rig, 3000, ERROR_NOT_FOUND); /* whether it still is ours, isn't said */
    assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
    assert_memory_equal(staging.memory, staging.before, STAGING_BYTES);
    free(staging.memory);
}

/* init's answer doesn't come in time: not until the next one is the memory ours. */
static void a_late_yes_gives_nothing(void **state)
{
    struct rig *rig = *state;
    struct staging staging;
    const struct control_swap_begin begin = {.domain = 2, .bytes = 3000};
    struct msg asked;
    staging_make(rig, &staging);
    request(rig, CONTROL_SWAP_BEGIN, &begin, sizeof(begin));
    assert_true(fake_domain_asked(rig->domain, &asked));
    fake_domain_advance(rig->domain, 1000000000);
    assert_int_equal(reply(rig, CONTROL_SWAP_BEGIN), ERROR_TIMEOUT);
    struct msg answer = {.op = asked.op, .flags = asked.flags, .status = OK};
    fake_domain_message(rig->domain, &answer);
    fake_domain_batch_end(rig->domain);
    assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
    assert_memory_equal(staging.memory, staging.before, STAGING_BYTES);
    free(staging.memory);
}

static void an_image_without_staging_memory(void **state)
{
    struct rig *rig = *state;
    swap_begins(rig, 3000, OK);
    assert_int_equal(stage(rig, 0, 8, 8, 5), ERROR_BAD_STATE);
}

static void counters_come_in_parts(void **state)
{
    struct rig *rig = *state;
    struct counter_page *page = &rig->watched[2].counters;
    struct control_counters_request wanted = {.domain = 2};
    struct control_counters head;
    uint32_t seen = 0;
    page->count = 40;
    for (uint32_t i = 0; i < page->count; i++) {
        page->value[i] = 1000 + i;
        page->name[i][0] = 'a';
    }
    do {
        request(rig, CONTROL_COUNTERS, &wanted, sizeof(wanted));
        assert_int_equal(reply(rig, CONTROL_COUNTERS), OK);
        memcpy(&head, rig->reply, sizeof(head));
        assert_int_equal(rig->reply_bytes,
                         sizeof(head) + head.count * sizeof(struct control_counter));
        for (uint32_t i = 0; i < head.count; i++) {
            struct control_counter counter;
            memcpy(&counter, rig->reply + sizeof(head) + i * sizeof(counter), sizeof(counter));
            assert_string_equal(counter.name, "a");
            assert_int_equal(counter.value, 1000 + seen++);
        }
        wanted.first += head.count;
    } while (head.more);
    assert_int_equal(seen, 40);
    wanted.first = ~0u;
    request(rig, CONTROL_COUNTERS, &wanted, sizeof(wanted));
    assert_int_equal(reply(rig, CONTROL_COUNTERS), OK);
    wanted.domain = 0;
    request(rig, CONTROL_COUNTERS, &wanted, sizeof(wanted));
    assert_int_equal(reply(rig, CONTROL_COUNTERS), ERROR_NOT_FOUND);
    wanted.domain = DOMAINS;
    request(rig, CONTROL_COUNTERS, &wanted, sizeof(wanted));
    assert_int_equal(reply(rig, CONTROL_COUNTERS), ERROR_NOT_FOUND);
}

/* Reads the whole log; returns its lines, and leaves `wanted` where it goes on. */
static uint32_t log_read_all(struct rig *rig, struct control_log_request *wanted)
{
    struct control_log head;
    uint32_t lines = 0;
    do {
        request(rig, CONTROL_LOG, wanted, sizeof(*wanted));
        assert_int_equal(reply(rig, CONTROL_LOG), OK);
        memcpy(&head, rig->reply, sizeof(head));
        assert_int_equal(rig->reply_bytes, sizeof(head) + head.bytes);
        for (uint32_t i = 0; i < head.bytes; i++)
            lines += rig->reply[sizeof(head) + i] == '\n';
        wanted->in_line = head.in_line;
        wanted->position = head.position;
        wanted->lines = head.lines;
        wanted->lost = head.lost;
    } while (head.more);
    return lines;
}

static void the_log_comes_in_parts_and_goes_on(void **state)
{
    struct rig *rig = *state;
    struct control_log_request wanted = {.domain = 1};
    static const char line[] = "a line of the log that is neither long nor short";
    for (int i = 0; i < 60; i++)
        log_write(&rig->watched[1].log, line, sizeof(line) - 1);
    assert_int_equal(log_read_all(rig, &wanted), 60);
    assert_int_equal(log_read_all(rig, &wanted), 0);
    log_write(&rig->watched[1].log, line, sizeof(line) - 1);
    assert_int_equal(log_read_all(rig, &wanted), 1);
    for (int i = 0; i < 100; i++)
        log_write(&rig->watched[1].log, line, sizeof(line) - 1);
    uint32_t read = log_read_all(rig, &wanted);
    assert_int_equal(read + wanted.lost, 100);
}

/* Any page and any position: an answer within the bounds. */
static void the_log_of_a_liar(void **state)
{
    struct rig *rig = *state;
    srand(2);
    for (uint32_t round = 0; round < 2000; round++) {
        struct control_log_request wanted = {.domain = (uint32_t)rand() % DOMAINS,
                                             .in_line = (uint32_t)rand() & 1,
                                             .position =
                                                 ((uint64_t)rand() << 40) ^ (uint64_t)rand(),
                                             .lines = (uint64_t)rand()};
        uint8_t *page = (uint8_t *)&rig->watched[wanted.domain].log;
        for (uint32_t i = 0; i < sizeof(struct log_page); i++)
            page[i] = (uint8_t)rand();
        if (rand() % 2)
            rig->watched[wanted.domain].log.claimed = rig->watched[wanted.domain].log.written =
                wanted.position + (uint32_t)rand() % LOG_BYTES;
        request(rig, CONTROL_LOG, &wanted, sizeof(wanted));
        assert_int_equal(reply(rig, CONTROL_LOG), OK);
    }
}

/* A full channel to the driver: the reply goes out in pieces, requests wait, nothing is lost. */
static void a_slow_driver_gets_it_all(void **state)
{
    struct rig *rig = *state;
    struct control_counters_request wanted = {.domain = 1};
    uint8_t bytes[2 * (CONTROL_REQUEST_MAX + CONTROL_FRAME_EXTRA)], out[16 * CONTROL_REPLY_MAX];
    rig->watched[1].counters.count = 30;
    fake_conn_set_capacity(rig->console, 1);
    uint32_t sent = 0, got = 0, requests = 0;
    for (int rounds = 0; rounds < 1000; rounds++) {
        if (sent < 4) {
            uint32_t count = request_make(rig, bytes, CONTROL_COUNTERS, &wanted, sizeof(wanted));
            if (deliver(rig, bytes, count)) /* fits one message */
                sent++;
        }
        got += host_receives(rig, out + got, sizeof(out) - got);
        fake_domain_batch_end(rig->domain);
    }
    for (uint32_t at = 0; at < got; requests++) {
        struct control_header header;
        memcpy(&header, out + at, sizeof(header));
        assert_int_equal(header.magic, CONTROL_MAGIC);
        at += header.length + (uint32_t)CONTROL_FRAME_EXTRA;
    }
    assert_int_equal(requests, 4);
    assert_int_equal(fake_domain_counter(rig->domain, "bytes_dropped"), 0);
}

static void noise_is_dropped_and_counted(void **state)
{
    struct rig *rig = *state;
    static const uint8_t flush[CONTROL_FLUSH_BYTES];
    uint8_t noise[1000];
    srand(3);
    for (uint32_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)rand();
    for (uint32_t at = 0; at < sizeof(noise); at += 40)
        host_sends(rig, noise + at, 40);
    host_sends(rig, flush, sizeof(flush));
    assert_int_equal(fake_domain_counter(rig->domain, "bytes_dropped"),
                     sizeof(noise) + sizeof(flush));
    request(rig, CONTROL_OPS, NULL, 0);
    assert_int_equal(reply(rig, CONTROL_OPS), ERROR_UNKNOWN_CALL);
}

static void senseless_messages_are_counted(void **state)
{
    struct rig *rig = *state;
    struct msg m = {.op = 99};
    assert_true(fake_domain_deliver(rig->domain, rig->console, &m));
    struct console_data data = {.length = 0};
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    assert_true(fake_domain_deliver(rig->domain, rig->console, &m));
    data.length = CONSOLE_DATA_MAX + 1;
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    assert_true(fake_domain_deliver(rig->domain, rig->console, &m));
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 3);
}

static void without_the_manifests_word_it_doesnt_start(void **state)
{
    (void)state;
    struct domain *domain = fake_domain_create(&motet_server_control);
    fake_domain_connect(domain, "console", 0);
    assert_int_equal(fake_domain_start(domain), ERROR_NO_RIGHT);
    fake_domain_destroy(domain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(init_is_asked_by_a_number),
        TEST(inits_refusal_is_passed_on),
        TEST(the_image_comes_with_what_the_kernel_says),
        TEST(without_an_answer_the_host_hears_so),
        TEST(an_init_that_takes_nothing),
        TEST(senseless_requests_are_refused),
        TEST(a_program_goes_into_the_staging_memory),
        TEST(nothing_goes_beside_the_staging_memory),
        TEST(the_staging_memory_is_ours_only_while_staging),
        TEST(a_late_yes_gives_nothing),
        TEST(an_image_without_staging_memory),
        TEST(counters_come_in_parts),
        TEST(the_log_comes_in_parts_and_goes_on),
        TEST(the_log_of_a_liar),
        TEST(a_slow_driver_gets_it_all),
        TEST(noise_is_dropped_and_counted),
        TEST(senseless_messages_are_counted),
        cmocka_unit_test(without_the_manifests_word_it_doesnt_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
