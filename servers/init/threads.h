/* SPDX-License-Identifier: ISC
 *
 * Threads that init holds: to stop them and to let them go on.
 */
#ifndef SERVERS_INIT_THREADS_H
#define SERVERS_INIT_THREADS_H

#include "libos/syscall.h"

static inline void thread_suspend(uint32_t thread)
{
    sys_invoke(thread, OPERATION_thread_suspend, 0, 0, 0, 0, 0, NULL);
}

static inline enum error thread_resume(uint32_t thread)
{
    return sys_invoke(thread, OPERATION_thread_resume, 0, 0, 0, 0, 0, NULL);
}

#endif
