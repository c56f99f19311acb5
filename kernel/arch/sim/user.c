/* SPDX-License-Identifier: ISC
 *
 * See user.h. The processor's exceptions come as signals on a stack of their own; the handler moves
 * the registers into the thread's page and continues in the simulator. A signal that doesn't come
 * from user code is a bug of the simulator or the kernel and ends the process as ever.
 */
#include "kernel/arch/sim/user.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include "kernel/arch/sim/arena.h"

enum { PAGE_FAULT_USER = 1 << 2 };

struct registers *sim_user_registers;
uint64_t sim_host_stack;
int sim_in_user;
void (*sim_user_reads)(uint64_t address);
uint64_t sim_user_accesses_most, sim_user_accesses;

static struct sim_fault last_fault;
static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };
static struct sigaction before[SIGNALS];

int sim_enter(struct registers *registers);
extern char sim_enter_end[], sim_fault_exit[];

static void save(struct registers *to, const greg_t *from)
{
    *to = (struct registers){
        .r15 = (uint64_t)from[REG_R15],
        .r14 = (uint64_t)from[REG_R14],
        .r13 = (uint64_t)from[REG_R13],
        .r12 = (uint64_t)from[REG_R12],
        .rbp = (uint64_t)from[REG_RBP],
        .rbx = (uint64_t)from[REG_RBX],
        .r11 = (uint64_t)from[REG_R11],
        .r10 = (uint64_t)from[REG_R10],
        .r9 = (uint64_t)from[REG_R9],
        .r8 = (uint64_t)from[REG_R8],
        .rdi = (uint64_t)from[REG_RDI],
        .rsi = (uint64_t)from[REG_RSI],
        .rdx = (uint64_t)from[REG_RDX],
        .rcx = (uint64_t)from[REG_RCX],
        .rax = (uint64_t)from[REG_RAX],
        .by_syscall = (uint64_t)from[REG_TRAPNO],
        .error = (uint64_t)from[REG_ERR],
        .rip = (uint64_t)from[REG_RIP],
        .rflags = (uint64_t)from[REG_EFL],
        .rsp = (uint64_t)from[REG_RSP],
        .cs = to->cs,
        .ss = to->ss,
    };
}

static void fault_handler(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)registers[REG_RIP];
    if (!sim_in_user) {
        for (int i = 0; i < SIGNALS; i++)
            if (signals[i] == number)
                sigaction(number, &before[i], NULL);
        return; /* the instruction is tried again */
    }
    last_fault = (struct sim_fault){
        .cause = (uint64_t)registers[REG_TRAPNO],
        .address = rip,
        .error = (uint64_t)registers[REG_ERR],
    };
    if (last_fault.cause == FAULT_PAGE) {
        last_fault.address = (uint64_t)info->si_addr;
        last_fault.error |= PAGE_FAULT_USER;
    }
    /* A stack that isn't there: the thread hasn't begun, its registers are as they were. */
    if (rip < (uint64_t)sim_enter || rip >= (uint64_t)sim_enter_end)
        save(sim_user_registers, registers);
    registers[REG_RSP] = (greg_t)sim_host_stack;
    registers[REG_RIP] = (greg_t)sim_fault_exit;
}

void sim_user_start(void)
{
    static _Alignas(16) char stack[64 * 1024];
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_sigaction = fault_handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    if (sigaltstack(&own, NULL))
        sim_host_failed("sigaltstack");
    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], &action, &before[i]))
            sim_host_failed("sigaction");
}

#if defined(__SANITIZE_ADDRESS__)
/* Everything ends with the process; and domains' memory isn't the leak checker's to look at. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

/* AddressSanitizer wants to know on which stack the code runs. */
static void stack_is(const void *bottom, size_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    void *fake = NULL;
    __sanitizer_start_switch_fiber(&fake, bottom, bytes);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#else
    (void)bottom;
    (void)bytes;
#endif
}

enum sim_exit sim_user_run(struct thread *thread, struct sim_fault *fault)
{
    enum { USER_STACK = 256 * 1024, HOST_STACK = 1024 * 1024 }; /* more than either has */
    uint64_t top = (thread->registers.rsp + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    stack_is((const void *)(top - USER_STACK), USER_STACK);
    enum sim_exit exit = (enum sim_exit)sim_enter(&thread->registers);
    char *here = __builtin_frame_address(0);
    stack_is(here - HOST_STACK, 2 * HOST_STACK);
    *fault = last_fault;
    return exit;
}
