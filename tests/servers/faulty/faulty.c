/* SPDX-License-Identifier: ISC
 *
 * A server that does one thing it must not, named by the boot setting faulty.act, and is expected
 * to be stopped for it. If it gets away with it, it says so: tests look for that line.
 */
#include <string.h>

#include "libos/domain.h"
#include "libos/server.h"
#include "libos/start.h"
#include "libos/syscall.h"

struct faulty {
    struct domain *domain;
    uint8_t data[64];
};

enum {
    OTHERS = 0x70000000, /* where no domain of the image has anything */
    RETURN = 0xc3,       /* the instruction */
};

#define KERNEL_TEXT   0xffffffff80100000ull
#define KERNEL_DATA   0xffff800000100000ull /* the direct map */
#define NOT_CANONICAL 0x0000800000000000ull

static volatile uint8_t *at(uint64_t address)
{
    return (volatile uint8_t *)address;
}

static void read_kernel(struct faulty *f)
{
    f->data[0] = *at(KERNEL_TEXT);
}

static void write_kernel(struct faulty *f)
{
    *at(KERNEL_DATA) = f->data[0];
}

static void read_other(struct faulty *f)
{
    f->data[0] = *at(OTHERS);
}

static void write_other(struct faulty *f)
{
    *at(OTHERS) = f->data[0];
}

static void write_start(struct faulty *f)
{
    *at(START_ADDRESS) = f->data[0];
}

static void write_info(struct faulty *f)
{
    *at(START_ADDRESS + KERNEL_INFO_OFFSET) = f->data[0];
}

static void write_text(struct faulty *f)
{
    *at(IMAGE_ADDRESS) = f->data[0];
}

static void write_null(struct faulty *f)
{
    *at(0) = f->data[0];
}

static void exec_data(struct faulty *f)
{
    f->data[0] = RETURN;
    ((void (*)(void))(uintptr_t)f->data)();
}

static void exec_stack(struct faulty *f)
{
    volatile uint8_t code[16] = {RETURN};
    (void)f;
    ((void (*)(void))(uintptr_t)code)();
}

static void exec_kernel(struct faulty *f)
{
    (void)f;
    ((void (*)(void))KERNEL_TEXT)();
}

static void stack_overflow(struct faulty *f)
{
    /* Pushes until the guard page. */
    (void)f;
    __asm__ volatile("1: pushq $0; jmp 1b");
}

static void not_canonical(struct faulty *f)
{
    f->data[0] = *at(NOT_CANONICAL);
}

static void port_io(struct faulty *f)
{
    (void)f;
    __asm__ volatile("outb %%al, $0x64" : : "a"(0xfe)); /* would reset the machine */
}

static void halt(struct faulty *f)
{
    (void)f;
    __asm__ volatile("cli; hlt");
}

static void load_table(struct faulty *f)
{
    (void)f;
    __asm__ volatile("movq %0, %%cr3" : : "r"(0ull));
}

static void raise(struct faulty *f)
{
    (void)f;
    __asm__ volatile("int $0x30"); /* a device's vector */
}

static void divide(struct faulty *f)
{
    (void)f;
    __asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx");
}

static void invalid(struct faulty *f)
{
    (void)f;
    __asm__ volatile("ud2");
}

static void floating(struct faulty *f)
{
    (void)f;
    __asm__ volatile("fninit");
}

/* A stack pointer into the kernel at a system call: the kernel must not use it. The call itself is
 * harmless, the next push isn't. */
static void kernel_stack(struct faulty *f)
{
    (void)f;
    __asm__ volatile("movq %0, %%rsp; movl %1, %%eax; syscall; pushq $0"
                     :
                     : "r"(KERNEL_DATA + 0x1000), "i"(CALL_yield)
                     : "rax", "rcx", "r11", "memory");
}

static const struct {
    const char *name;
    void (*act)(struct faulty *f);
} acts[] = {
    {"read_kernel", read_kernel},
    {"write_kernel", write_kernel},
    {"read_other", read_other},
    {"write_other", write_other},
    {"write_start", write_start},
    {"write_info", write_info},
    {"write_text", write_text},
    {"write_null", write_null},
    {"exec_data", exec_data},
    {"exec_stack", exec_stack},
    {"exec_kernel", exec_kernel},
    {"stack_overflow", stack_overflow},
    {"not_canonical", not_canonical},
    {"port_io", port_io},
    {"halt", halt},
    {"load_table", load_table},
    {"raise", raise},
    {"divide", divide},
    {"invalid", invalid},
    {"floating", floating},
    {"kernel_stack", kernel_stack},
};

static enum error faulty_start(void *state, struct domain *domain)
{
    struct faulty *f = state;
    f->domain = domain;
    const char *name = domain_setting(domain, "faulty.act");
    for (unsigned i = 0; name && i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(acts[i].name, name))
            continue;
        acts[i].act(f);
        domain_log(domain, "GOT AWAY WITH %s", name);
        return OK;
    }
    domain_log(domain, "no act is called \"%s\"", name ? name : "");
    return ERROR_NOT_FOUND;
}

static bool faulty_receive(void *state, struct conn *conn, const struct msg *m)
{
    (void)state;
    (void)conn;
    (void)m;
    return true;
}

static const char *const settings[] = {"faulty.act"};

extern const struct server motet_server_faulty;
const struct server motet_server_faulty = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "faulty",
    .state_size = sizeof(struct faulty),
    .stack_bytes = 2048,
    .settings = settings,
    .setting_count = 1,
    .start = faulty_start,
    .receive = faulty_receive,
};
SERVER_EXPORT(motet_server_faulty);
