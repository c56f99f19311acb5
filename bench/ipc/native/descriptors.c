/* SPDX-License-Identifier: ISC
 *
 * Pipes and Unix sockets: one system call per piece (`each`), or one for the whole batch, as far as
 * the kernel takes it (`batch`).
 */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/ipc/native/native.h"
#include "bench/ipc/native/pipe.h"

static int in[2], out[2]; /* by end */

static bool pipe_open(void)
{
    int there[2], back[2];
    if (pipe(there) || pipe(back))
        give_up("pipe");
    in[0] = back[0];
    out[0] = there[1];
    in[1] = there[0];
    out[1] = back[1];
    return true;
}

static void pipe_enter(int end)
{
    close(in[!end]);
    close(out[!end]);
}

static void pipe_close(void)
{
    close(in[0]);
    close(out[0]);
}

static bool socket_open(int type)
{
    int pair[2];
    if (socketpair(AF_UNIX, type, 0, pair))
        give_up("socketpair");
    in[0] = out[0] = pair[0];
    in[1] = out[1] = pair[1];
    return true;
}

static bool stream_open(void)
{
    return socket_open(SOCK_STREAM);
}

static bool seqpacket_open(void)
{
    return socket_open(SOCK_SEQPACKET);
}

static void socket_enter(int end)
{
    close(in[!end]);
}

static void socket_close(void)
{
    close(in[0]);
}

static void write_all(int file, const uint8_t *data, size_t bytes)
{
    while (bytes) {
        ssize_t done = write(file, data, bytes);
        if (done <= 0)
            give_up("write");
        data += done;
        bytes -= (size_t)done;
    }
}

static void read_all(int file, uint8_t *data, size_t bytes)
{
    while (bytes) {
        ssize_t done = read(file, data, bytes);
        if (done <= 0)
            give_up("read");
        data += done;
        bytes -= (size_t)done;
    }
}

static void each_send(int end, const uint8_t *data, uint32_t count, uint32_t bytes)
{
    for (; count; count--, data += bytes)
        write_all(out[end], data, bytes);
}

static void each_receive(int end, uint8_t *data, uint32_t count, uint32_t bytes)
{
    for (; count; count--, data += bytes)
        read_all(in[end], data, bytes);
}

static void batch_send(int end, const uint8_t *data, uint32_t count, uint32_t bytes)
{
    write_all(out[end], data, (size_t)count * bytes);
}

static void batch_receive(int end, uint8_t *data, uint32_t count, uint32_t bytes)
{
    read_all(in[end], data, (size_t)count * bytes);
}

static void headers_fill(struct mmsghdr *headers, struct iovec *pieces, uint8_t *data,
                         uint32_t count, uint32_t bytes)
{
    for (uint32_t i = 0; i < count; i++) {
        pieces[i] = (struct iovec){data + (size_t)i * bytes, bytes};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
    }
}

static void packets_send(int end, const uint8_t *data, uint32_t count, uint32_t bytes)
{
    struct mmsghdr headers[BATCH_MAX];
    struct iovec pieces[BATCH_MAX];
    headers_fill(headers, pieces, (uint8_t *)data, count, bytes);
    for (uint32_t sent = 0; sent < count;) {
        int done = sendmmsg(out[end], headers + sent, count - sent, 0);
        if (done <= 0)
            give_up("sendmmsg");
        sent += (uint32_t)done;
    }
}

static void packets_receive(int end, uint8_t *data, uint32_t count, uint32_t bytes)
{
    struct mmsghdr headers[BATCH_MAX];
    struct iovec pieces[BATCH_MAX];
    headers_fill(headers, pieces, data, count, bytes);
    for (uint32_t received = 0; received < count;) {
        int done = recvmmsg(in[end], headers + received, count - received, MSG_WAITFORONE, NULL);
        if (done <= 0)
            give_up("recvmmsg");
        for (int i = 0; i < done; i++)
            if (headers[received + (uint32_t)i].msg_len != bytes)
                give_up("a packet has another length");
        received += (uint32_t)done;
    }
}

#define PIPE   .open = pipe_open, .enter = pipe_enter, .close = pipe_close
#define STREAM .open = stream_open, .enter = socket_enter, .close = socket_close
#define PACKET .open = seqpacket_open, .enter = socket_enter, .close = socket_close
#define EACH   .send = each_send, .receive = each_receive
#define BATCH  .send = batch_send, .receive = batch_receive

const struct pipe_kind pipe_each = {.name = "pipe", PIPE, EACH};
const struct pipe_kind pipe_batch = {.name = "pipe_batch", PIPE, BATCH};
const struct pipe_kind stream_each = {.name = "stream", STREAM, EACH};
const struct pipe_kind stream_batch = {.name = "stream_batch", STREAM, BATCH};
const struct pipe_kind seqpacket_each = {.name = "seqpacket", PACKET, EACH};
const struct pipe_kind seqpacket_batch = {
    .name = "seqpacket_batch", PACKET, .send = packets_send, .receive = packets_receive};
