/* SPDX-License-Identifier: ISC
 *
 * console_check: a client that sees whether a driver of the console class keeps its protocol, in a
 * running image, with somebody at the other end who sends back each byte that comes. Messages that
 * are none come first, then OPEN, then a mark and some bytes after it; what is heard before the
 * mark comes back is of an earlier life.
 *
 * It says "conforms"; that it was "told" that there is no device, or that a byte didn't come back,
 * and then it begins again; or what doesn't "conform".
 */
#include "ipc/proto/console.h"
#include "libos/domain.h"
#include "libos/restart.h"

enum {
    MARK = 8, /* bytes: the time at which they were sent first */
    BYTES = 600,
    PERIOD_NS = 100000000,
    PATIENCE = 50, /* periods without a byte; the clock may jump over one */
};

enum step { BAD_OPERATION, NO_LENGTH, LENGTH_TOO_LARGE, OPEN, WAIT, STREAM, OVER };

struct console_check {
    struct domain *domain;
    struct conn *driver;
    enum step step;
    uint64_t mark, window; /* the last bytes that were heard */
    uint32_t sent, heard;  /* the mark included */
    uint32_t quiet;        /* periods */
};

static void end(struct console_check *own)
{
    own->step = OVER;
    domain_set_deadline(own->domain, 0);
}

static void fail(struct console_check *own, const char *what)
{
    if (own->step != OVER)
        domain_log(own->domain, "doesn't conform: %s, after %u of %u bytes", what, own->heard,
                   own->sent);
    end(own);
}

/* --- sending --- */

static uint8_t byte_at(const struct console_check *own, uint32_t n)
{
    return n < MARK ? (uint8_t)(own->mark >> 8 * (MARK - 1 - n)) : (uint8_t)(n * 31 + n / 256);
}

static uint16_t stream_next(const struct console_check *own, struct console_data *data)
{
    const uint32_t length = 1 + own->sent % CONSOLE_DATA_MAX, left = BYTES - own->sent;
    data->length = (uint16_t)(length < left ? length : left);
    for (uint32_t i = 0; i < data->length; i++)
        data->bytes[i] = byte_at(own, own->sent + i);
    return CONSOLE_DATA;
}

/* The operation of the next message; 0: there is nothing to send. */
static uint16_t message_next(const struct console_check *own, struct console_data *data)
{
    data->length = own->step == LENGTH_TOO_LARGE ? CONSOLE_DATA_MAX + 1 : 0;
    switch (own->step) {
    case BAD_OPERATION:
        return CONSOLE_DATA + 1;
    case NO_LENGTH:
    case LENGTH_TOO_LARGE:
        return CONSOLE_DATA;
    case OPEN:
        return CONSOLE_OPEN;
    case STREAM:
        return own->sent < BYTES ? stream_next(own, data) : 0;
    default:
        return 0;
    }
}

static void send(struct console_check *own)
{
    struct console_data data = {0};
    uint16_t operation;
    while ((operation = message_next(own, &data))) {
        struct msg m;
        msg_set(&m, operation, &data, sizeof(data));
        if (conn_send(own->driver, &m) != OK)
            return; /* again in the next round */
        if (own->step == STREAM)
            own->sent += data.length;
        else
            own->step++;
    }
}

static void stream_begin(struct console_check *own)
{
    own->step = STREAM;
    own->mark = domain_time(own->domain);
    own->window = ~own->mark;
    own->sent = own->heard = own->quiet = 0;
    domain_set_deadline(own->domain, own->mark + PERIOD_NS);
}

/* --- hearing --- */

static void lost(struct console_check *own)
{
    domain_log(own->domain, "told: byte %u of %u didn't come back", own->heard, own->sent);
    stream_begin(own);
}

static void byte_heard(struct console_check *own, uint8_t byte)
{
    own->window = own->window << 8 | byte;
    own->quiet = 0;
    if (own->step != STREAM)
        return;
    if (own->heard < MARK)
        own->heard = own->window == own->mark ? MARK : 0;
    else if (own->heard == own->sent)
        fail(own, "a byte that wasn't sent");
    else if (byte != byte_at(own, own->heard++))
        lost(own);
    if (own->step == STREAM && own->heard == BYTES) {
        end(own);
        domain_log(own->domain, "conforms: %u bytes", own->heard);
    }
}

static void data_heard(struct console_check *own, const struct msg *m)
{
    struct console_data data;
    msg_get(m, &data, sizeof(data));
    if (!data.length || data.length > CONSOLE_DATA_MAX) {
        fail(own, "a message of impossible length");
        return;
    }
    for (uint32_t i = 0; i < data.length; i++)
        byte_heard(own, data.bytes[i]);
}

static void state_heard(struct console_check *own, const struct msg *m)
{
    struct console_state state;
    msg_get(m, &state, sizeof(state));
    if (own->step < WAIT) {
        fail(own, "a state, and nobody has asked");
    } else if (!state.up) {
        domain_log(own->domain, "told: there is no device, after %u of %u bytes", own->heard,
                   own->sent);
        end(own);
    } else if (own->step == WAIT) {
        stream_begin(own);
    }
}

static bool check_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct console_check *own = state;
    (void)conn; /* there is one */
    if (m->op == CONSOLE_STATE)
        state_heard(own, m);
    else if (m->op == CONSOLE_DATA)
        data_heard(own, m);
    else
        fail(own, "an operation that it hasn't got");
    return true;
}

static void check_batch_end(void *state)
{
    send(state);
}

static void check_deadline(void *state)
{
    struct console_check *own = state;
    if (++own->quiet == PATIENCE)
        lost(own);
    else
        domain_set_deadline(own->domain, domain_time(own->domain) + PERIOD_NS);
}

static enum error check_start(void *state, struct domain *domain)
{
    struct console_check *own = state;
    own->domain = domain;
    own->driver = domain_conn(domain, "driver", 0);
    send(own);
    return OK;
}

/* From the beginning, with a driver that has begun anew. */
static bool check_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct console_check *own = state;
    (void)conn;
    if (what == RESTARTED_SELF)
        return true;
    domain_set_deadline(own->domain, 0);
    *own = (struct console_check){.domain = own->domain, .driver = own->driver, .step = OVER};
    if (what == RESTARTED_RESUME) {
        own->step = BAD_OPERATION;
        send(own);
    }
    return true;
}

static const struct server_port ports[] = {
    {"driver", CONSOLE_PROTOCOL, CONSOLE_VERSION, CONN_CLIENT}};

extern const struct server motet_server_console_check;
const struct server motet_server_console_check = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "console_check",
    .state_size = sizeof(struct console_check),
    .stack_bytes = 1024,
    .ports = ports,
    .port_count = 1,
    .start = check_start,
    .receive = check_receive,
    .batch_end = check_batch_end,
    .deadline = check_deadline,
};
SERVER_EXPORT(motet_server_console_check);
SERVER_RESTARTED(motet_server_console_check, check_restarted);
