/* SPDX-License-Identifier: ISC
 *
 * The one error enumeration. Functions that can fail return `enum error`; OK is zero.
 */
#ifndef MOTET_ERROR_H
#define MOTET_ERROR_H

enum error {
    OK = 0,
#define ERROR(name, text) ERROR_##name,
#include "motet/errors.def"
#undef ERROR
    ERROR_COUNT
};

/* A sentence for people; "unknown error" for a number outside the enumeration. */
const char *error_text(enum error error);

/* The enumerator's name without its prefix, for logs and scripts. */
const char *error_name(enum error error);

#endif
