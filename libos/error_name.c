/* SPDX-License-Identifier: ISC
 *
 * Errors as names: see motet/error.h. Compiled into every domain, the kernel and host tools.
 */
#include "motet/error.h"

const char *error_name(enum error error)
{
    /* One string after the other: half the size of a table of pointers. */
    static const char names[] = "OK\0"
#define ERROR(name, text) #name "\0"
#include "motet/errors.def"
#undef ERROR
                                "UNKNOWN";
    const char *name = names;
    for (unsigned n = (unsigned)error < ERROR_COUNT ? error : ERROR_COUNT; n; n--)
        while (*name++)
            ;
    return name;
}
