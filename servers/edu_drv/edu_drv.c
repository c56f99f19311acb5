/* SPDX-License-Identifier: ISC
 *
 * edu_drv: drives QEMU's `edu`, a device for learning: it computes factorials and copies between
 * memory and a buffer of its own. ipc/proto/edu.h says what clients may ask for;
 * docs/tutorial-driver.md makes such a driver step by step.
 *
 * One request at a time: `request.op` is 0, or the device works for that request's client, whose
 * ring has room for the reply; `client` is NULL if that client has begun anew meanwhile.
 */
#include "ipc/proto/edu.h"
#include "libos/restart.h"
#include "servers/edu_drv/registers.h"

enum {
    PATIENCE_NS = 1000000000, /* a transfer takes 100 ms */
};

struct edu_drv {
    struct driver driver;
    struct edu_registers registers;
    struct dma piece;
    struct conn *client;
    struct msg request; /* op 0: idle */
};

enum { COUNT_SERVED = DRIVER_COUNTERS, COUNT_BAD, COUNT_HELD, COUNTERS };
static const char *const counters[COUNTERS] = {DRIVER_COUNTER_NAMES, [COUNT_SERVED] = "served",
                                               [COUNT_BAD] = "bad_message", [COUNT_HELD] = "held"};

/* It has no reset: it is quiet when nothing may interrupt and its DMA engine stands still. */
static bool edu_silence(struct driver *driver)
{
    const struct edu_registers *registers = &((struct edu_drv *)driver)->registers;
    edu_write_status(registers, 0);
    bool still =
        DRIVER_WAIT(driver, PATIENCE_NS, !(edu_read_command(registers) & EDU_COMMAND_START));
    edu_write_acknowledge(registers, edu_read_raised(registers));
    return still;
}

static enum error edu_start(struct driver *driver)
{
    struct edu_drv *edu = (struct edu_drv *)driver;
    enum error error = edu_open(&edu->registers, driver, 0, 0);
    if (error != OK)
        return error;
    if (edu_read_id(&edu->registers) != EDU_ID)
        return driver_refuse(driver, "its identification isn't edu's");
    if (!edu_silence(driver))
        return driver_refuse(driver, "its DMA engine doesn't stop");
    error = driver_dma(driver, EDU_TRANSFER_BYTES, 8, &edu->piece);
    if (error != OK)
        return error;
    edu_write_liveness(&edu->registers, 0x12345678);
    if (edu_read_liveness(&edu->registers) != ~0x12345678u)
        return driver_refuse(driver, "it doesn't answer");
    edu_write_status(&edu->registers, EDU_STATUS_INTERRUPT);
    return OK;
}

static void reply(struct edu_drv *edu, const void *payload, size_t size, enum error status)
{
    struct msg m;
    msg_set(&m, edu->request.op, payload, size);
    m.flags = MSG_REPLY;
    m.status = status;
    m.tag = edu->request.tag;
    edu->request.op = 0;
    if (edu->client)
        conn_send(edu->client, &m);
    driver_deadline(&edu->driver, 0);
}

static void factorial_done(struct edu_drv *edu)
{
    struct edu_factorial factorial;
    msg_get(&edu->request, &factorial, sizeof(factorial));
    factorial.result = edu_read_factorial(&edu->registers);
    reply(edu, &factorial, sizeof(factorial), OK);
}

static void transfer_done(struct edu_drv *edu)
{
    struct edu_transfer transfer;
    msg_get(&edu->request, &transfer, sizeof(transfer));
    dma_take(&edu->piece);
    if (edu->request.op == EDU_FETCH)
        memcpy(transfer.bytes, dma_memory(&edu->piece), transfer.length);
    reply(edu, &transfer, sizeof(transfer), OK);
}

/* What the device says is believed only if it was asked for. */
static void edu_interrupt(struct driver *driver, uint32_t vector)
{
    struct edu_drv *edu = (struct edu_drv *)driver;
    uint32_t raised = edu_read_raised(&edu->registers);
    (void)vector; /* there is one */
    edu_write_acknowledge(&edu->registers, raised);
    if ((raised & EDU_RAISED_FACTORIAL) && edu->request.op == EDU_FACTORIAL &&
        !(edu_read_status(&edu->registers) & EDU_STATUS_COMPUTING))
        factorial_done(edu);
    if ((raised & EDU_RAISED_DMA) && edu->piece.lent &&
        !(edu_read_command(&edu->registers) & EDU_COMMAND_START))
        transfer_done(edu);
}

static void edu_late(struct driver *driver)
{
    struct edu_drv *edu = (struct edu_drv *)driver;
    driver_fail(driver, "it has answered nothing for a second");
    if (edu->request.op)
        reply(edu, edu->request.bytes, MSG_BYTES, ERROR_BAD_STATE);
}

static void factorial_begin(struct edu_drv *edu, const struct edu_factorial *factorial)
{
    edu_write_factorial(&edu->registers, factorial->n);
}

static void transfer_begin(struct edu_drv *edu, const struct edu_transfer *transfer)
{
    const struct edu_registers *registers = &edu->registers;
    const bool fetch = edu->request.op == EDU_FETCH;
    const uint64_t inside = EDU_BUFFER + transfer->offset;
    if (!fetch)
        memcpy(dma_memory(&edu->piece), transfer->bytes, transfer->length);
    uint64_t memory = dma_give(&edu->piece);
    edu_write_source(registers, fetch ? inside : memory);
    edu_write_destination(registers, fetch ? memory : inside);
    edu_write_count(registers, transfer->length);
    edu_write_command(registers, EDU_COMMAND_START | EDU_COMMAND_INTERRUPT |
                                     (fetch ? EDU_COMMAND_TO_MEMORY : 0));
}

static bool factorial_fits(const struct edu_factorial *factorial)
{
    return factorial->n <= EDU_FACTORIAL_MAX;
}

static bool transfer_fits(const struct edu_transfer *transfer)
{
    return transfer->length && transfer->length <= EDU_TRANSFER_BYTES &&
           transfer->offset <= EDU_BUFFER_BYTES - transfer->length;
}

/* Checks the request and sets the device to work. Not OK: it is to be answered at once. */
static enum error begin(struct edu_drv *edu)
{
    struct edu_factorial factorial;
    struct edu_transfer transfer;
    msg_get(&edu->request, &factorial, sizeof(factorial));
    msg_get(&edu->request, &transfer, sizeof(transfer));
    bool computes = edu->request.op == EDU_FACTORIAL;
    if (computes ? !factorial_fits(&factorial) : !transfer_fits(&transfer))
        return ERROR_BAD_ARGUMENT;
    if (!driver_runs(&edu->driver))
        return ERROR_BAD_STATE;
    driver_deadline(&edu->driver, PATIENCE_NS);
    if (computes)
        factorial_begin(edu, &factorial);
    else
        transfer_begin(edu, &transfer);
    return OK;
}

static bool edu_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct edu_drv *edu = state;
    uint64_t *count = edu->driver.counters;
    if (m->op < EDU_FACTORIAL || m->op > EDU_FETCH || m->flags) {
        count[COUNT_BAD]++;
        return true;
    }
    if (edu->request.op || !conn_room(conn)) {
        count[COUNT_HELD]++;
        return false;
    }
    edu->request = *m;
    edu->client = conn;
    enum error error = begin(edu);
    count[error == OK ? COUNT_SERVED : COUNT_BAD]++;
    if (error != OK)
        reply(edu, m->bytes, MSG_BYTES, error);
    return true;
}

/* A client's new life hears nothing of what its earlier one asked for. */
static bool edu_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct edu_drv *edu = state;
    if (what == RESTARTED_FORGET && conn == edu->client)
        edu->client = NULL;
    return true;
}

static const struct server_port ports[] = {{"edu", EDU_PROTOCOL, EDU_VERSION, CONN_SERVER}};

static const struct driver_ops ops = {
    .what = "edu (QEMU: -device edu)",
    .vendor = 0x1234,
    .id = 0x11e8,
    .vectors = 1,
    .pool = "dma",
    .start = edu_start,
    .interrupt = edu_interrupt,
    .late = edu_late,
    .silence = edu_silence,
};

DRIVER(edu_drv, struct edu_drv, ops, counters, .ports = ports, .port_count = 1,
       .receive = edu_receive);
SERVER_RESTARTED(motet_server_edu_drv, edu_restarted);
