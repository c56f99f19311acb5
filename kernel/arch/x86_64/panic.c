/* SPDX-License-Identifier: ISC
 *
 * Saying why, then ending.
 */
#include "kernel/panic.h"

#include <stdarg.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/uart.h"
#include "libos/format.h"

extern const char kernel_build[];

static void print(const char *prefix, const char *text, va_list arguments)
{
    char line[256];
    format(line, sizeof(line), text, arguments);
    arch_console_write(prefix);
    arch_console_write(line);
    arch_console_write("\n");
}

void kprintf(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    print("kernel: ", text, arguments);
    va_end(arguments);
}

void panic_trace(const uint64_t *rbp)
{
    enum { FRAMES_MAX = 16 };
    for (int i = 0; i < FRAMES_MAX; i++) {
        uint64_t at = (uint64_t)rbp;
        if (at % 8 || at < KERNEL_BASE || at > (uint64_t)kernel_end - 16)
            return;
        kprintf("  called from 0x%lx", (unsigned long)rbp[1]);
        rbp = (const uint64_t *)rbp[0];
    }
}

void panic(const char *text, ...)
{
    va_list arguments;
    __asm__ volatile("cli");
    va_start(arguments, text);
    print("kernel: panic: ", text, arguments);
    va_end(arguments);
    panic_trace(__builtin_frame_address(0));
    kprintf("build %s; names: addr2line -e build/kernel.elf ADDRESS", kernel_build);
    machine_reset();
}
