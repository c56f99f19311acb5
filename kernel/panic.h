/* SPDX-License-Identifier: ISC
 *
 * The end: for kernel bugs and for machines that can't be started, never for what a user did.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <stdint.h>

/* A line on the kernel's console. */
__attribute__((format(printf, 1, 2))) void kprintf(const char *format, ...);

__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *format, ...);

/* Prints return addresses up the chain of frames, for addr2line; stops at the first bad frame. */
void panic_trace(const uint64_t *rbp);

/* Cheap checks, in every build. */
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);                  \
    } while (0)

#endif
