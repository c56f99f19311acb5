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

/* Assertions on three levels. Cheap ones are in every build: a comparison of what is at hand. Dear
 * ones, DEBUG_CHECK of a function that looks at an object as a whole or at its neighbours, are in
 * debug builds only (make DEBUG=1). What can only be said of the whole system stands in
 * arch/sim/check.c, which no kernel contains. */
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);                  \
    } while (0)

#if defined(MOTET_DEBUG)
#define DEBUG_CHECK(check) (check)
#else
#define DEBUG_CHECK(check) ((void)0)
#endif

#endif
