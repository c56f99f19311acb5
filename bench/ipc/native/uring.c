/* SPDX-License-Identifier: ISC
 *
 * io_uring over a Unix socket of packets: each batch is one entry into the kernel that submits all
 * its operations, linked so that they keep their order, and waits for their completions. Without
 * liburing: the rings of io_uring_setup(2) themselves.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/ipc/native/native.h"
#include "bench/ipc/native/pipe.h"

static int sockets[2];

static struct {
    int file;
    uint32_t *submit_tail, *submit_array;
    uint32_t submit_mask;
    struct io_uring_sqe *entries;
    uint32_t *complete_head, *complete_tail;
    uint32_t complete_mask;
    struct io_uring_cqe *completions;
} uring;

static bool uring_open(void)
{
    struct io_uring_params parameters = {0};
    int file = (int)syscall(SYS_io_uring_setup, BATCH_MAX, &parameters);
    if (file < 0 && (errno == ENOSYS || errno == EPERM))
        return false;
    if (file < 0)
        give_up("io_uring_setup");
    if (!(parameters.features & IORING_FEAT_SINGLE_MMAP))
        return false;
    close(file); /* each process makes its own */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
        give_up("socketpair");
    return true;
}

static void *ring_map(size_t bytes, off_t offset)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring.file, offset);
    if (memory == MAP_FAILED)
        give_up("mmap of io_uring");
    return memory;
}

static void uring_enter(int end)
{
    struct io_uring_params parameters = {0};
    close(sockets[!end]);
    uring.file = (int)syscall(SYS_io_uring_setup, BATCH_MAX, &parameters);
    if (uring.file < 0)
        give_up("io_uring_setup");
    const struct io_sqring_offsets *sq = &parameters.sq_off;
    const struct io_cqring_offsets *cq = &parameters.cq_off;
    size_t bytes = sq->array + parameters.sq_entries * sizeof(uint32_t);
    size_t more = cq->cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    uint8_t *rings = ring_map(bytes > more ? bytes : more, IORING_OFF_SQ_RING);
    uring.submit_tail = (uint32_t *)(rings + sq->tail);
    uring.submit_array = (uint32_t *)(rings + sq->array);
    uring.submit_mask = *(uint32_t *)(rings + sq->ring_mask);
    uring.complete_head = (uint32_t *)(rings + cq->head);
    uring.complete_tail = (uint32_t *)(rings + cq->tail);
    uring.complete_mask = *(uint32_t *)(rings + cq->ring_mask);
    uring.completions = (struct io_uring_cqe *)(rings + cq->cqes);
    uring.entries = ring_map(parameters.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

static void uring_close(void)
{
    close(uring.file);
    close(sockets[0]);
}

static void completions_take(uint32_t count, uint32_t bytes)
{
    uint32_t head = *uring.complete_head;
    for (; count; count--, head++) {
        if (head == __atomic_load_n(uring.complete_tail, __ATOMIC_ACQUIRE))
            give_up("io_uring_enter came back too early");
        int result = uring.completions[head & uring.complete_mask].res;
        if (result != (int)bytes) {
            errno = result < 0 ? -result : EMSGSIZE;
            give_up("an operation of io_uring");
        }
    }
    __atomic_store_n(uring.complete_head, head, __ATOMIC_RELEASE);
}

static void batch(uint8_t operation, int end, uint8_t *data, uint32_t count, uint32_t bytes)
{
    uint32_t tail = *uring.submit_tail;
    for (uint32_t i = 0; i < count; i++, tail++) {
        uint32_t index = tail & uring.submit_mask;
        uring.entries[index] = (struct io_uring_sqe){
            .opcode = operation,
            .flags = i + 1 < count ? IOSQE_IO_LINK : 0,
            .fd = sockets[end],
            .addr = (uint64_t)(data + (size_t)i * bytes),
            .len = bytes,
        };
        uring.submit_array[index] = index;
    }
    __atomic_store_n(uring.submit_tail, tail, __ATOMIC_RELEASE);
    long done =
        syscall(SYS_io_uring_enter, uring.file, count, count, IORING_ENTER_GETEVENTS, NULL, 0);
    if (done != (long)count)
        give_up("io_uring_enter");
    completions_take(count, bytes);
}

static void uring_send(int end, const uint8_t *data, uint32_t count, uint32_t bytes)
{
    batch(IORING_OP_SEND, end, (uint8_t *)data, count, bytes);
}

static void uring_receive(int end, uint8_t *data, uint32_t count, uint32_t bytes)
{
    batch(IORING_OP_RECV, end, data, count, bytes);
}

const struct pipe_kind uring_seqpacket = {.name = "io_uring",
                                          .open = uring_open,
                                          .enter = uring_enter,
                                          .close = uring_close,
                                          .send = uring_send,
                                          .receive = uring_receive};
