/* SPDX-License-Identifier: ISC
 *
 * Assertions of servers and their libOS: they say that this domain itself has gone wrong, never
 * what a peer or a device did. Cheap ones are in every build, dear ones (a look at a whole table)
 * in debug builds only (make DEBUG=1). A failed one ends the thread by a fault; the supervisor
 * reports it with the instruction, which names the place.
 */
#ifndef MOTET_LIBOS_ASSERT_H
#define MOTET_LIBOS_ASSERT_H

#define SERVER_ASSERT(condition)                                                                   \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            __builtin_trap();                                                                      \
    } while (0)

#if defined(MOTET_DEBUG)
#define DEBUG_ASSERT(condition) SERVER_ASSERT(condition)
#else
#define DEBUG_ASSERT(condition) ((void)0)
#endif

#endif
