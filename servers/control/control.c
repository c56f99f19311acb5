/* SPDX-License-Identifier: ISC
 *
 * The control server: answers the host command's requests (motet/control.h). What it may look at
 * itself, logs and counters, it reads from pages that it can't write; the rest init knows, and is
 * asked by a message with one number in it. So init sees nothing that came from outside but a
 * number, and this server can do nothing but ask.
 *
 * One request at a time:
 *
 *   READY   the next whole frame is taken from the input
 *   ASKED   init has the question; its answer, or a second without one, ends this state
 *   REPLY   the answer goes out, as far as the channel has room
 *
 * In any state bytes are taken as long as the input has room; beyond that they wait in the channel,
 * then in the device, then in the host's socket.
 */
#include <string.h>

#include "ipc/proto/console.h"
#include "libos/domain.h"
#include "libos/restart.h"
#include "libos/server.h"
#include "libos/supervisor.h"
#include "libos/swap.h"
#include "servers/control/frame.h"

#define CONTROL_COUNTERS_LIST(COUNTER)                                                             \
    COUNTER(REQUESTS, "requests")                                                                  \
    COUNTER(REFUSED, "requests_refused")                                                           \
    COUNTER(GARBAGE, "bytes_dropped")                                                              \
    COUNTER(BAD_MESSAGE, "bad_message")                                                            \
    COUNTER(LATE, "late_answers")

enum counter {
#define COUNTER(name, text) COUNTER_##name,
    CONTROL_COUNTERS_LIST(COUNTER)
#undef COUNTER
        COUNTER_COUNT
};

enum state { STATE_READY, STATE_ASKED, STATE_REPLY };

#define ANSWER_LIMIT 1000000000ull /* nanoseconds: init answers in microseconds, or never */

struct control {
    struct domain *domain;
    struct conn *conn;
    uint64_t *counters;
    enum state state;
    bool open_due;        /* the driver is to be asked for its state */
    bool staging;         /* init's answer to SWAP_BEGIN was that the staging memory is ours. Not
                             carried over: SWAP_GO has ended it before we are swapped */
    uint16_t ask;         /* number of the question that init has */
    struct frame request; /* the current one */
    struct frame_input input;
    uint32_t reply_bytes, reply_sent;
    uint8_t reply[CONTROL_REPLY_MAX + CONTROL_FRAME_EXTRA];
};

static void *payload(struct control *control)
{
    return control->reply + sizeof(struct control_header) + sizeof(struct control_status);
}

/* The reply is `error`, and `bytes` of payload if that is OK. */
static void answer(struct control *control, enum error error, uint32_t bytes)
{
    struct control_status status = {.error = error};
    if (error) {
        control->counters[COUNTER_REFUSED]++;
        bytes = 0;
    }
    memcpy(control->reply + sizeof(struct control_header), &status, sizeof(status));
    control->reply_bytes = frame_finish(control->reply, control->request.op, control->request.tag,
                                        sizeof(status) + bytes);
    control->reply_sent = 0;
    control->state = STATE_REPLY;
}

/* Copies a request's payload, which must be as long as that. */
static bool request_get(const struct control *control, void *out, uint32_t bytes)
{
    if (control->request.length != bytes)
        return false;
    memcpy(out, control->request.payload, bytes);
    return true;
}

static void counters_answer(struct control *control)
{
    struct control_counters_request wanted;
    struct control_counters head = {0};
    uint8_t *out = payload(control);
    const struct counter_page *page = NULL;
    struct control_counter entry;
    if (request_get(control, &wanted, sizeof(wanted)))
        page = supervisor_counters(control->domain, wanted.domain);
    if (!page) {
        answer(control, ERROR_NOT_FOUND, 0);
        return;
    }
    while (counters_read(page, wanted.first + head.count, entry.name, &entry.value)) {
        if (head.count == CONTROL_COUNTERS_MAX) {
            head.more = 1;
            break;
        }
        memcpy(out + sizeof(head) + head.count++ * sizeof(entry), &entry, sizeof(entry));
    }
    memcpy(out, &head, sizeof(head));
    answer(control, OK, (uint32_t)(sizeof(head) + head.count * sizeof(entry)));
}

/* Lines as long as they surely fit. */
static uint32_t lines_read(struct log_reader *reader, const struct log_page *page, char *text,
                           bool *more)
{
    uint32_t bytes = 0;
    char line[LOG_LINE_BYTES + 1];
    while (bytes + sizeof(line) <= CONTROL_LOG_MAX) {
        *more = log_read(reader, page, line, sizeof(line));
        if (!*more)
            break;
        uint32_t length = (uint32_t)strlen(line);
        memcpy(text + bytes, line, length);
        bytes += length;
        text[bytes++] = '\n';
    }
    return bytes;
}

static void log_answer(struct control *control)
{
    struct control_log_request wanted;
    const struct log_page *page = NULL;
    bool more = false;
    if (request_get(control, &wanted, sizeof(wanted)))
        page = supervisor_log(control->domain, wanted.domain);
    if (!page) {
        answer(control, ERROR_NOT_FOUND, 0);
        return;
    }
    struct log_reader reader = {.position = wanted.position,
                                .lines = wanted.lines,
                                .lost = wanted.lost,
                                .in_line = wanted.in_line};
    uint8_t *out = payload(control);
    struct control_log head = {.bytes =
                                   lines_read(&reader, page, (char *)out + sizeof(head), &more)};
    head.more = more;
    head.in_line = reader.in_line;
    head.position = reader.position;
    head.lines = reader.lines;
    head.lost = reader.lost;
    memcpy(out, &head, sizeof(head));
    answer(control, OK, sizeof(head) + head.bytes);
}

/* The words of the question to init: one number, or what it says about a new program. False: the
 * request isn't as long as that. */
static bool question(const struct control *control, struct msg *m)
{
    struct control_swap_begin begin;
    struct control_request wanted;
    if (control->request.op == CONTROL_IMAGE)
        return true;
    if (control->request.op == CONTROL_SWAP_BEGIN) {
        if (!request_get(control, &begin, sizeof(begin)))
            return false;
        memcpy(m->bytes, &begin, sizeof(begin));
        return true;
    }
    if (!request_get(control, &wanted, sizeof(wanted)))
        return false;
    m->w[0] = wanted.argument;
    return true;
}

static void ask(struct control *control)
{
    const uint16_t op = control->request.op;
    struct msg m = {.op = SUPERVISOR_CONTROL + op, .flags = ++control->ask};
    if (!question(control, &m)) {
        answer(control, ERROR_BAD_ARGUMENT, 0);
        return;
    }
    if (op == CONTROL_SWAP_BEGIN || op == CONTROL_SWAP_GO || op == CONTROL_SWAP_CANCEL)
        control->staging = false; /* whatever comes of it: a touch too many would be our end */
    enum error error = supervisor_ask(control->domain, &m);
    if (error) {
        answer(control, error, 0);
        return;
    }
    control->state = STATE_ASKED;
    domain_set_deadline(control->domain, domain_time(control->domain) + ANSWER_LIMIT);
}

/* Bytes of init's words that are the reply's, by operation. */
static uint32_t answer_bytes(uint16_t op)
{
    static const uint8_t bytes[CONTROL_OPS] = {
        [CONTROL_IMAGE] = sizeof(struct control_image),
        [CONTROL_DOMAIN] = sizeof(struct control_domain),
        [CONTROL_SERVER] = sizeof(struct control_server),
        [CONTROL_END] = sizeof(struct control_end),
        [CONTROL_CONNECTION] = sizeof(struct control_connection),
        [CONTROL_SWAP_BEGIN] = sizeof(struct control_swap_room),
        [CONTROL_SWAP_STATUS] = sizeof(struct control_swap),
        [CONTROL_FILE] = sizeof(struct control_file),
    };
    return bytes[op];
}

static void stage(struct control *control)
{
    struct control_stage head;
    uint32_t room = 0;
    uint8_t *staging = supervisor_staging(control->domain, &room);
    const uint32_t bytes = control->request.length - (uint32_t)sizeof(head);
    if (control->request.length < sizeof(head)) {
        answer(control, ERROR_BAD_ARGUMENT, 0);
        return;
    }
    memcpy(&head, control->request.payload, sizeof(head));
    if (head.bytes != bytes)
        answer(control, ERROR_BAD_ARGUMENT, 0);
    else if (!control->staging || !staging)
        answer(control, ERROR_BAD_STATE, 0);
    else if (head.offset > room || bytes > room - head.offset)
        answer(control, ERROR_LIMIT, 0);
    else {
        memcpy(staging + head.offset, control->request.payload + sizeof(head), bytes);
        answer(control, OK, 0);
    }
}

static void request_handle(struct control *control)
{
    control->counters[COUNTER_REQUESTS]++;
    switch (control->request.op) {
    case CONTROL_COUNTERS:
        counters_answer(control);
        break;
    case CONTROL_LOG:
        log_answer(control);
        break;
    case CONTROL_IMAGE:
    case CONTROL_DOMAIN:
    case CONTROL_SERVER:
    case CONTROL_END:
    case CONTROL_CONNECTION:
    case CONTROL_KILL:
    case CONTROL_RESTART:
    case CONTROL_SWAP_BEGIN:
    case CONTROL_SWAP_TAKE:
    case CONTROL_SWAP_GO:
    case CONTROL_SWAP_STATUS:
    case CONTROL_SWAP_CANCEL:
    case CONTROL_SWAP_COMMIT:
    case CONTROL_FILE:
        ask(control);
        break;
    case CONTROL_STAGE:
        stage(control);
        break;
    default:
        answer(control, ERROR_UNKNOWN_CALL, 0);
        break;
    }
}

/* Whether init's answer gives us the staging memory: of a swap with something new. */
static bool gives_staging(const struct control *control, const struct msg *m)
{
    struct control_swap_begin begin;
    return control->request.op == CONTROL_SWAP_BEGIN && m->status == OK &&
           request_get(control, &begin, sizeof(begin)) && begin.bytes;
}

/* What the kernel's page says goes behind init's part. */
static uint32_t kernel_append(struct control *control, uint32_t bytes)
{
    const struct kernel_info *info = supervisor_kernel(control->domain);
    struct control_kernel kernel = {.clock_frequency = info->clock_frequency,
                                    .uptime = domain_time(control->domain)};
    memcpy(kernel.build, info->build, sizeof(kernel.build));
    memcpy((uint8_t *)payload(control) + bytes, &kernel, sizeof(kernel));
    return bytes + sizeof(kernel);
}

static void control_message(void *state, const struct msg *m)
{
    struct control *control = state;
    if (control->state != STATE_ASKED || m->flags != control->ask ||
        m->op != SUPERVISOR_CONTROL + control->request.op) {
        control->counters[COUNTER_LATE]++;
        return;
    }
    uint32_t bytes = answer_bytes(control->request.op);
    domain_set_deadline(control->domain, 0);
    memcpy(payload(control), m->bytes, bytes);
    control->staging |= gives_staging(control, m);
    if (control->request.op == CONTROL_IMAGE)
        bytes = kernel_append(control, bytes);
    answer(control, (enum error)m->status, bytes);
}

static void control_deadline(void *state)
{
    struct control *control = state;
    if (control->state == STATE_ASKED)
        answer(control, ERROR_TIMEOUT, 0);
}

/* Sends what is due of the reply. The rest goes when there is room: then batch_end is called. */
static void reply_send(struct control *control)
{
    while (control->reply_sent < control->reply_bytes) {
        struct console_data data = {0};
        struct msg m;
        uint32_t left = control->reply_bytes - control->reply_sent;
        data.length = (uint16_t)(left < CONSOLE_DATA_MAX ? left : CONSOLE_DATA_MAX);
        memcpy(data.bytes, control->reply + control->reply_sent, data.length);
        msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
        if (conn_send(control->conn, &m) != OK)
            return;
        control->reply_sent += data.length;
    }
    control->state = STATE_READY;
}

/* Goes on as far as it goes without waiting. Ends: each turn takes a frame from the input, which
 * nothing fills here. */
static void proceed(struct control *control)
{
    for (;;) {
        if (control->state == STATE_REPLY)
            reply_send(control);
        if (control->state != STATE_READY || !frame_next(&control->input, &control->request))
            break;
        request_handle(control);
    }
    control->counters[COUNTER_GARBAGE] += control->input.dropped;
    control->input.dropped = 0;
}

static void open_send(struct control *control)
{
    struct msg m = {.op = CONSOLE_OPEN};
    control->open_due = conn_send(control->conn, &m) != OK;
}

static void control_batch_end(void *state)
{
    struct control *control = state;
    if (control->open_due)
        open_send(control);
    proceed(control);
}

static bool data_received(struct control *control, const struct msg *m)
{
    struct console_data data;
    msg_get(m, &data, sizeof(data));
    if (!data.length || data.length > CONSOLE_DATA_MAX) {
        control->counters[COUNTER_BAD_MESSAGE]++;
        return true;
    }
    if (FRAME_INPUT_MAX - control->input.held < data.length)
        proceed(control); /* what is decided already makes room */
    if (FRAME_INPUT_MAX - control->input.held < data.length)
        return false;
    frame_feed(&control->input, data.bytes, data.length);
    return true;
}

static bool control_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct control *control = state;
    struct console_state console;
    (void)conn; /* there is one */
    switch (m->op) {
    case CONSOLE_DATA:
        return data_received(control, m);
    case CONSOLE_STATE:
        msg_get(m, &console, sizeof(console));
        domain_log(control->domain, console.up ? "the host can look in: docs/control.md"
                                               : "no console: the host can't look in");
        return true;
    default:
        control->counters[COUNTER_BAD_MESSAGE]++;
        return true;
    }
}

/* The driver has begun anew. Who asked may not have got the last answer: it is said again, and a
 * host that has it drops it by its tag. Half a request is lost. */
static bool control_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct control *control = state;
    (void)conn; /* there is one */
    if (what == RESTARTED_RESUME) {
        open_send(control);
        return !control->open_due;
    }
    if (what == RESTARTED_SELF)
        return true;
    control->input.held = 0;
    control->reply_sent = 0;
    if (control->state == STATE_READY && control->reply_bytes)
        control->state = STATE_REPLY;
    return true;
}

static enum error control_start(void *state, struct domain *domain)
{
    struct control *control = state;
    control->domain = domain;
    control->counters = domain_counters(domain);
    control->conn = domain_conn(domain, "console", 0);
    control->open_due = !domain_swaps(domain);
    control->ask = (uint16_t)domain_random(domain); /* no life takes another's answer for its own */
    if (!supervisor_log(domain, 0)) {
        domain_log(domain, "not the controller: the manifest needs control = true");
        return ERROR_NO_RIGHT;
    }
    return control->conn ? OK : ERROR_NOT_FOUND;
}

static const struct server_port ports[] = {
    {.name = "console",
     .protocol = CONSOLE_PROTOCOL,
     .version = CONSOLE_VERSION,
     .role = CONN_CLIENT},
};

static const char *const counter_names[] = {
#define COUNTER(name, text) text,
    CONTROL_COUNTERS_LIST(COUNTER)
#undef COUNTER
};

const struct server motet_server_control = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "control",
    .version = "1",
    .state_size = sizeof(struct control),
    .stack_bytes = 2048, /* measured with -fstack-usage: the deepest path needs about 700 */
    .ports = ports,
    .port_count = 1,
    .counters = counter_names,
    .counter_count = COUNTER_COUNT,
    .start = control_start,
    .receive = control_receive,
    .deadline = control_deadline,
    .batch_end = control_batch_end,
    .message = control_message,
};
SERVER_EXPORT(motet_server_control);
SERVER_RESTARTED(motet_server_control, control_restarted);

/* The driver has been asked for its state, and the staging memory isn't ours: it isn't while
 * anybody is swapped. */
static bool control_rest(void *state)
{
    const struct control *control = state;
    return !control->open_due && !control->staging;
}

/* A swap: the stream goes on in the middle of a frame, and init's answer finds who asked by its
 * number. What makes no sense is refused. */
static enum error control_loaded(void *state)
{
    const struct control *control = state;
    if (control->state > STATE_REPLY || control->input.held > FRAME_INPUT_MAX ||
        control->request.length > CONTROL_REQUEST_MAX ||
        control->reply_bytes > sizeof(control->reply) ||
        control->reply_sent > control->reply_bytes ||
        (control->state == STATE_ASKED && control->request.op >= CONTROL_OPS))
        return ERROR_BAD_ARGUMENT;
    return OK;
}

static const struct state_record records[] = {
    {.name = "state", .id = 1, .version = 1, RECORD_OF(struct control, state)},
    {.name = "question", .id = 2, .version = 1, RECORD_OF(struct control, ask)},
    {.name = "request", .id = 3, .version = 1, RECORD_OF(struct control, request)},
    {.name = "input", .id = 4, .version = 1, RECORD_OF(struct control, input)},
    {.name = "reply_bytes", .id = 5, .version = 1, RECORD_OF(struct control, reply_bytes)},
    {.name = "reply_sent", .id = 6, .version = 1, RECORD_OF(struct control, reply_sent)},
    {.name = "reply", .id = 7, .version = 1, RECORD_OF(struct control, reply)},
};
SERVER_SWAP(motet_server_control, .records = records,
            .record_count = sizeof(records) / sizeof(records[0]), .rest = control_rest,
            .loaded = control_loaded);
