/* SPDX-License-Identifier: ISC
 *
 * Text from a format, for log lines of domains and the kernel. No part of the libOS is needed.
 */
#ifndef MOTET_LIBOS_FORMAT_H
#define MOTET_LIBOS_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most `size` bytes (1 or more), the terminator included: what doesn't fit is cut.
 * Returns the length without the terminator. Understands %s %c %d %u %x %%, `l` for 64 bits, and a
 * width with or without `0`; text after anything else is written as it stands. */
size_t format(char *out, size_t size, const char *pattern, va_list arguments);

#endif
