/* SPDX-License-Identifier: ISC
 *
 * For libos/fiber.c alone: AddressSanitizer wants to know on which stack the code runs. Without it,
 * these are fiber_switch and nothing.
 */
#ifndef MOTET_LIBOS_FIBER_WATCH_H
#define MOTET_LIBOS_FIBER_WATCH_H

#include "libos/fiber.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBERS_WATCHED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBERS_WATCHED
#endif
#endif

/* Reads what no variable of its own is. */
#define UNWATCHED __attribute__((no_sanitize_address))

#if defined(FIBERS_WATCHED)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static inline void watched_arrival(void)
{
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

/* What earlier frames left. */
static inline void watched_stack_clear(const void *stack, size_t bytes)
{
    __asan_unpoison_memory_region(stack, bytes);
}

static inline void watched_switch(void **save, struct fiber *next)
{
    void *fake = NULL;
    __sanitizer_start_switch_fiber(&fake, next->stack, next->stack_bytes);
    fiber_switch(save, next->stack_pointer);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static inline void watched_stack_is(const void *bottom, size_t bytes, const void **bottom_before,
                                    size_t *bytes_before)
{
    void *fake = NULL;
    __sanitizer_start_switch_fiber(&fake, bottom, bytes);
    __sanitizer_finish_switch_fiber(fake, bottom_before, bytes_before);
}

/* Where the loop's stack ends is known here alone. */
static inline void watched_switch_from_loop(void **save, struct fiber *next)
{
    const void *bottom;
    size_t bytes;
    watched_stack_is(next->stack, next->stack_bytes, &bottom, &bytes);
    watched_switch(save, next);
    watched_stack_is(bottom, bytes, NULL, NULL);
}

enum { WATCHED_NEAR = 32 * 1024 }; /* more than it uses */

static inline void watched_switch_to_loop(void **save, void *stack_pointer)
{
    void *fake = NULL;
    __sanitizer_start_switch_fiber(&fake, (char *)stack_pointer - WATCHED_NEAR, 2 * WATCHED_NEAR);
    fiber_switch(save, stack_pointer);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static inline void watched_call_on_loop(struct fiber *self, void *stack_pointer,
                                        void (*function)(void *argument), void *argument)
{
    watched_stack_is((char *)stack_pointer - WATCHED_NEAR, 2 * WATCHED_NEAR, NULL, NULL);
    fiber_call_on(stack_pointer, function, argument);
    watched_stack_is(self->stack, self->stack_bytes, NULL, NULL);
}

#else

static inline void watched_arrival(void)
{
}

static inline void watched_stack_clear(const void *stack, size_t bytes)
{
    (void)stack;
    (void)bytes;
}

static inline void watched_switch(void **save, struct fiber *next)
{
    fiber_switch(save, next->stack_pointer);
}

static inline void watched_switch_from_loop(void **save, struct fiber *next)
{
    fiber_switch(save, next->stack_pointer);
}

static inline void watched_switch_to_loop(void **save, void *stack_pointer)
{
    fiber_switch(save, stack_pointer);
}

static inline void watched_call_on_loop(struct fiber *self, void *stack_pointer,
                                        void (*function)(void *argument), void *argument)
{
    (void)self;
    fiber_call_on(stack_pointer, function, argument);
}

#endif
#endif
