/* SPDX-License-Identifier: ISC
 *
 * Errors as sentences: see motet/error.h. Compiled into init, the kernel and host tools. Apart from
 * error_name, so that a domain that prints only names doesn't carry the sentences.
 */
#include "motet/error.h"

const char *error_text(enum error error)
{
    static const char *const texts[] = {
        "no error",
#define ERROR(name, text) text,
#include "motet/errors.def"
#undef ERROR
    };
    return (unsigned)error < ERROR_COUNT ? texts[error] : "unknown error";
}
