/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_drv, on the host, against the virtio-net-pci of a real QEMU: its processor sleeps,
 * its registers are reached through its test protocol (-qtest), its memory is a shared file, and
 * its MSI-X messages are pointed at that memory. Everything that the driver gets it sends back, so
 * each frame that goes in must come out again, whole and once. Skipped where there is no QEMU.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/pci_regs.h>

#include "ipc/proto/netdev.h"
#include "tests/unit/fake_domain.h"

#define QEMU "/usr/bin/qemu-system-x86_64"

extern const struct server motet_server_virtio_drv;

/* The guest's physical memory. */
enum {
    RAM_BYTES = 32 << 20,
    QUEUES_AT = 3 << 20,
    RX_AT = 4 << 20,
    SEND_AT = 6 << 20,
    VECTORS_AT = 8 << 20, /* where the MSI-X messages arrive */
};
enum { MSIX_BAR_AT = 0xe0000000, MODERN_BAR_AT = 0xe1000000, MODERN_BAR_BYTES = 0x4000, SLOT = 3 };
enum { RX = 1, QUEUES = 2, SEND = 3, BUFFERS = 128, SEND_BYTES = 2048, VECTORS = 3 };
enum { PATIENCE_MS = 5000, PATH_BYTES = 64, PENDING_MAX = 256, FRAME_MAX = 1514 };

struct machine {
    struct device_model model; /* the BARs point here */
    char directory[PATH_BYTES];
    pid_t qemu;
    FILE *to, *from; /* the test protocol */
    uint8_t *ram;
    int wire; /* the other end of the network cable */

    struct domain *domain;
    struct conn *net;
    uint32_t rx_bytes;        /* of a receive buffer */
    uint16_t unused[BUFFERS]; /* receive buffers to give back */
    uint32_t unused_count;
    uint8_t frame[FRAME_MAX]; /* being put together */
    uint32_t frame_length;
    struct netdev_tx pending[PENDING_MAX]; /* to send */
    uint32_t pending_first, pending_count;
    uint32_t frames, parts; /* received */
    uint32_t interrupts[VECTORS];
};

/* QEMU */

static uint64_t __attribute__((format(printf, 2, 3)))
ask(struct machine *m, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vfprintf(m->to, format, arguments);
    va_end(arguments);
    fflush(m->to);
    assert_non_null(fgets(line, sizeof(line), m->from));
    assert_int_equal(strncmp(line, "OK", 2), 0);
    return strtoull(line + 2, NULL, 0);
}

static char width(uint32_t bytes)
{
    return bytes == 1 ? 'b' : bytes == 2 ? 'w' : 'l';
}

static uint32_t bar_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    return (uint32_t)ask((struct machine *)model, "read%c 0x%x\n", width(bytes),
                         MODERN_BAR_AT + offset);
}

static void bar_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    ask((struct machine *)model, "write%c 0x%x 0x%x\n", width(bytes), MODERN_BAR_AT + offset,
        value);
}

static uint32_t config_read(struct machine *m, uint32_t offset)
{
    ask(m, "outl 0xcf8 0x%x\n", 0x80000000u | SLOT << 11 | offset);
    return (uint32_t)ask(m, "inl 0xcfc\n");
}

static void config_write(struct machine *m, uint32_t offset, uint32_t value)
{
    ask(m, "outl 0xcf8 0x%x\n", 0x80000000u | SLOT << 11 | offset);
    ask(m, "outl 0xcfc 0x%x\n", value);
}

/* Opens `name` in the machine's directory and fills it with `size` bytes of zero. */
static int make_file(struct machine *m, const char *name, off_t size)
{
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof(path), "%s/%s", m->directory, name);
    int file = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(file >= 0 && ftruncate(file, size) == 0);
    return file;
}

/* A BIOS that puts the processor to sleep. */
static void make_bios(struct machine *m)
{
    const uint8_t code[] = {0xfa, 0xf4, 0xeb, 0xfd}; /* cli; hlt; jmp hlt */
    int file = make_file(m, "bios", 65536);
    assert_int_equal(pwrite(file, code, sizeof(code), 0xfff0), sizeof(code));
    close(file);
}

static void make_wire(struct machine *m)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    m->wire = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/wire", m->directory);
    assert_int_equal(bind(m->wire, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void qemu_run(const struct machine *m, const char *options, const int in[2],
                     const int out[2])
{
    char memory[2 * PATH_BYTES], bios[2 * PATH_BYTES], wire[4 * PATH_BYTES], card[2 * PATH_BYTES];
    snprintf(memory, sizeof(memory), "memory-backend-file,id=ram,size=32M,share=on,mem-path=%s/ram",
             m->directory);
    snprintf(bios, sizeof(bios), "%s/bios", m->directory);
    snprintf(wire, sizeof(wire),
             "dgram,id=wire,local.type=unix,local.path=%s/card,remote.type=unix,"
             "remote.path=%s/wire",
             m->directory, m->directory);
    snprintf(card, sizeof(card), "virtio-net-pci,netdev=wire,addr=3%s", options);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[1]);
    close(out[0]);
    execl(QEMU, QEMU, "-machine", "pc,memory-backend=ram", "-m", "32", "-object", memory, "-accel",
          "tcg", "-bios", bios, "-nodefaults", "-display", "none", "-qtest", "stdio", "-qtest-log",
          "/dev/null", "-netdev", wire, "-device", card, (char *)NULL);
    _exit(127);
}

static void qemu_start(struct machine *m, const char *options)
{
    int in[2], out[2];
    make_bios(m);
    make_wire(m);
    int ram = make_file(m, "ram", RAM_BYTES);
    m->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
    assert_true(m->ram != MAP_FAILED);
    close(ram);
    assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    m->qemu = fork();
    if (!m->qemu)
        qemu_run(m, options, in, out);
    assert_true(m->qemu > 0);
    close(in[0]);
    close(out[1]);
    m->to = fdopen(in[1], "w");
    m->from = fdopen(out[0], "r");
}

/* What the PCI broker does: BARs, bus mastering, interrupts. */
static void plug_in(struct machine *m)
{
    struct device *device = fake_domain_add_device(m->domain);
    config_write(m, PCI_BASE_ADDRESS_1, MSIX_BAR_AT);
    config_write(m, PCI_BASE_ADDRESS_4, MODERN_BAR_AT);
    config_write(m, PCI_BASE_ADDRESS_5, 0);
    config_write(m, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    for (uint32_t i = 0; i < DEVICE_CONFIG_BYTES; i += 4) {
        uint32_t value = config_read(m, i);
        memcpy(&device->config[i], &value, 4);
    }
    memcpy(&device->vendor, &device->config[PCI_VENDOR_ID], 2);
    memcpy(&device->id, &device->config[PCI_DEVICE_ID], 2);
    device->slot = SLOT;
    device->vectors = VECTORS;
    m->model = (struct device_model){.read = bar_read, .write = bar_write};
    device->bar[4] =
        (struct device_bar){.base = (volatile uint8_t *)&m->model, .size = MODERN_BAR_BYTES};
    uint32_t at = device->config[PCI_CAPABILITY_LIST];
    while (device->config[at] != PCI_CAP_ID_MSIX)
        at = device->config[at + PCI_CAP_LIST_NEXT];
    for (uint32_t v = 0; v < VECTORS; v++) {
        uint32_t entry = (uint32_t)MSIX_BAR_AT + v * PCI_MSIX_ENTRY_SIZE;
        ask(m, "writel 0x%x 0x%x\n", entry + PCI_MSIX_ENTRY_LOWER_ADDR, VECTORS_AT + 4 * v);
        ask(m, "writel 0x%x 0\n", entry + PCI_MSIX_ENTRY_UPPER_ADDR);
        ask(m, "writel 0x%x 1\n", entry + PCI_MSIX_ENTRY_DATA);
        ask(m, "writel 0x%x 0\n", entry + PCI_MSIX_ENTRY_VECTOR_CTRL);
    }
    config_write(m, at, config_read(m, at) | (uint32_t)PCI_MSIX_FLAGS_ENABLE << 16);
}

static void add_pool(struct machine *m, const char *name, uint8_t number, uint32_t buffers,
                     uint32_t bytes, uint8_t rights, uint32_t at)
{
    struct pool *pool = fake_domain_add_pool(m->domain, name, number, buffers, bytes, rights);
    pool->base = m->ram + at;
    pool->physical = at;
}

static struct machine *machine_create(const char *options, uint32_t rx_bytes)
{
    if (access(QEMU, X_OK))
        skip();
    struct machine *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    strcpy(m->directory, "/tmp/virtio_qemu.XXXXXX");
    assert_non_null(mkdtemp(m->directory));
    qemu_start(m, options);
    m->rx_bytes = rx_bytes;
    m->domain = fake_domain_create(&motet_server_virtio_drv);
    m->net = fake_domain_connect(m->domain, "net", 0);
    add_pool(m, "rx", RX, BUFFERS, rx_bytes, POOL_READ | POOL_DMA, RX_AT);
    add_pool(m, "queues", QUEUES, 1, 16384, POOL_READ | POOL_WRITE | POOL_DMA, QUEUES_AT);
    add_pool(m, "send", SEND, PENDING_MAX, SEND_BYTES, POOL_DMA, SEND_AT);
    plug_in(m);
    return m;
}

static void machine_destroy(struct machine *m)
{
    const char *const files[] = {"bios", "ram", "wire", "card"};
    kill(m->qemu, SIGKILL);
    waitpid(m->qemu, NULL, 0);
    for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[PATH_BYTES + 16];
        snprintf(path, sizeof(path), "%s/%s", m->directory, files[i]);
        unlink(path);
    }
    rmdir(m->directory);
    fclose(m->to);
    fclose(m->from);
    close(m->wire);
    munmap(m->ram, RAM_BYTES);
    fake_domain_destroy(m->domain);
    free(m);
}

/* The client: sends everything back. */

static void provide(struct machine *m)
{
    while (m->unused_count) {
        struct netdev_rx_provide give = {.pool = RX};
        struct msg message;
        while (m->unused_count && give.count < NETDEV_PROVIDE_MAX)
            give.index[give.count++] = m->unused[--m->unused_count];
        msg_set(&message, NETDEV_RX_PROVIDE, &give, sizeof(give));
        assert_true(fake_domain_deliver(m->domain, m->net, &message));
    }
}

static void part_received(struct machine *m, const struct netdev_rx *rx)
{
    assert_true(rx->data.length > 0 && m->frame_length + rx->data.length <= FRAME_MAX);
    memcpy(m->frame + m->frame_length,
           m->ram + RX_AT + rx->data.index * m->rx_bytes + rx->data.offset, rx->data.length);
    m->frame_length += rx->data.length;
    m->unused[m->unused_count++] = rx->data.index;
    m->parts++;
    if (rx->flags & NETDEV_RX_CONTINUES)
        return;
    assert_true(m->pending_count < PENDING_MAX && m->frame_length > 30);
    uint16_t buffer = (uint16_t)(m->frames++ % PENDING_MAX);
    memcpy(m->ram + SEND_AT + buffer * SEND_BYTES, m->frame, m->frame_length);
    m->pending[(m->pending_first + m->pending_count++) % PENDING_MAX] = (struct netdev_tx){
        .cookie = buffer,
        .segments = 2,
        .segment = {{SEND, buffer, 0, 30}, {SEND, buffer, 30, (uint16_t)(m->frame_length - 30)}}};
    m->frame_length = 0;
}

static void send_pending(struct machine *m)
{
    while (m->pending_count) {
        struct msg message;
        msg_set(&message, NETDEV_TX, &m->pending[m->pending_first], sizeof(struct netdev_tx));
        if (!fake_domain_deliver(m->domain, m->net, &message))
            return;
        m->pending_first = (m->pending_first + 1) % PENDING_MAX;
        m->pending_count--;
    }
}

static uint32_t take_interrupts(struct machine *m)
{
    uint32_t bits = 0, *vector = (uint32_t *)(m->ram + VECTORS_AT);
    for (uint32_t v = 0; v < VECTORS; v++)
        if (__atomic_exchange_n(&vector[v], 0, __ATOMIC_ACQ_REL)) {
            bits |= 1u << v;
            m->interrupts[v]++;
        }
    return bits;
}

/* The driver and its client run only when there is an interrupt. */
static void loop(struct machine *m)
{
    uint32_t bits = take_interrupts(m);
    struct msg message;
    if (!bits)
        return;
    fake_domain_signal(m->domain, 0, bits);
    send_pending(m);
    fake_domain_batch_end(m->domain);
    while (fake_conn_pop(m->net, &message))
        if (message.op == NETDEV_RX) {
            struct netdev_rx rx;
            msg_get(&message, &rx, sizeof(rx));
            part_received(m, &rx);
        }
    send_pending(m);
    if (m->unused_count >= BUFFERS / 4)
        provide(m);
    fake_domain_batch_end(m->domain);
}

static void client_start(struct machine *m)
{
    assert_int_equal(fake_domain_start(m->domain), OK);
    for (uint16_t i = 0; i < BUFFERS; i++)
        m->unused[m->unused_count++] = i;
    provide(m);
    fake_domain_batch_end(m->domain);
}

/* The wire */

static void frame_fill(uint8_t *frame, uint32_t number, uint32_t length)
{
    memset(frame, 0xff, 12);
    frame[6] = 2;
    memcpy(frame + 12, &number, sizeof(number));
    for (uint32_t i = 16; i < length; i++)
        frame[i] = (uint8_t)(number + i * 3);
}

static void wire_send(struct machine *m, uint32_t number, uint32_t length)
{
    struct sockaddr_un card = {.sun_family = AF_UNIX};
    uint8_t frame[FRAME_MAX];
    snprintf(card.sun_path, sizeof(card.sun_path), "%s/card", m->directory);
    frame_fill(frame, number, length);
    assert_int_equal(sendto(m->wire, frame, length, 0, (struct sockaddr *)&card, sizeof(card)),
                     length);
}

/* Runs the driver until the next frame comes back, and checks it. */
static void wire_expect(struct machine *m, uint32_t number, uint32_t length)
{
    uint8_t frame[FRAME_MAX + 1], expected[FRAME_MAX];
    struct pollfd poll_wire = {.fd = m->wire, .events = POLLIN};
    uint32_t waited = 0;
    while (!poll(&poll_wire, 1, 0)) {
        loop(m);
        waited += !poll(&poll_wire, 1, 1);
        assert_true(waited < PATIENCE_MS);
    }
    frame_fill(expected, number, length);
    assert_int_equal(recv(m->wire, frame, sizeof(frame), 0), length);
    assert_memory_equal(frame, expected, length);
}

/* Lets frames go round, `window` of them at a time. */
static void echo(struct machine *m, uint32_t frames, uint32_t window, uint32_t length)
{
    uint32_t sent = 0;
    for (uint32_t back = 0; back < frames; back++) {
        while (sent < frames && sent - back < window)
            wire_send(m, sent++, length);
        wire_expect(m, back, length);
    }
    assert_int_equal(m->frames, frames);
    assert_int_equal(fake_domain_counter(m->domain, "devices_broken"), 0);
}

static void frame_by_frame_there_is_one_interrupt_each(void **state)
{
    (void)state;
    struct machine *m = machine_create("", 2048);
    client_start(m);
    assert_true(fake_domain_logged(m->domain, " features mrg_rxbuf event_idx, rx 128 tx 256\n"));
    echo(m, 500, 1, 60);
    /* QEMU's first of a queue comes whatever one asks for; meanwhile the driver may meet a frame
     * whose own is not decided on yet. */
    assert_in_range(m->interrupts[1], 0, 1);
    assert_in_range(m->interrupts[0], 500 - m->interrupts[1], 500);
    machine_destroy(m);
}

static void bursts_beyond_the_end_of_all_indices(void **state)
{
    (void)state;
    struct machine *m = machine_create("", 2048);
    client_start(m);
    echo(m, 70000, 8, 200);
    assert_true(fake_domain_counter(m->domain, "rx_notifies") < 70000 / 10);
    machine_destroy(m);
}

static void long_frames_in_small_buffers(void **state)
{
    (void)state;
    struct machine *m = machine_create(",disable-legacy=on", 512);
    client_start(m);
    echo(m, 3000, 5, FRAME_MAX);
    assert_int_equal(m->parts, 3 * 3000);
    machine_destroy(m);
}

static void without_event_idx(void **state)
{
    (void)state;
    struct machine *m = machine_create(",event_idx=off", 2048);
    client_start(m);
    echo(m, 3000, 8, 60);
    assert_int_equal(m->interrupts[1], 0);
    machine_destroy(m);
}

static void without_any_feature(void **state)
{
    (void)state;
    struct machine *m = machine_create(",event_idx=off,mrg_rxbuf=off", 2048);
    client_start(m);
    assert_true(fake_domain_logged(m->domain, " features none, rx 128 tx 256\n"));
    echo(m, 1000, 3, FRAME_MAX);
    machine_destroy(m);
}

static void a_legacy_device_is_refused(void **state)
{
    (void)state;
    struct machine *m = machine_create(",disable-modern=on,disable-legacy=off", 2048);
    assert_int_equal(fake_domain_start(m->domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(m->domain, "(1af4:1000) not used: it has no modern interface"));
    machine_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_by_frame_there_is_one_interrupt_each),
        cmocka_unit_test(bursts_beyond_the_end_of_all_indices),
        cmocka_unit_test(long_frames_in_small_buffers),
        cmocka_unit_test(without_event_idx),
        cmocka_unit_test(without_any_feature),
        cmocka_unit_test(a_legacy_device_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
