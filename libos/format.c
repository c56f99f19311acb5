/* SPDX-License-Identifier: ISC
 *
 * Text from a format: see format.h. Compiled into every domain, the kernel and host tests.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libos/format.h"

struct output {
    char *next, *end; /* end: where the terminator goes at the latest */
};

static void put(struct output *out, char c)
{
    if (out->next < out->end)
        *out->next++ = c;
}

static void put_text(struct output *out, const char *text, uint32_t width)
{
    for (text = text ? text : "(null)"; *text; text++, width -= width > 0)
        put(out, *text);
    while (width--)
        put(out, ' '); /* at most WIDTH_MAX times */
}

static void put_number(struct output *out, uint64_t value, bool negative, uint32_t base,
                       uint32_t width, char fill)
{
    char digits[20]; /* of 2^64 - 1 in decimal */
    uint32_t count = 0;
    do
        digits[count++] = "0123456789abcdef"[value % base];
    while (value /= base);
    if (negative && fill == '0')
        put(out, '-');
    for (uint32_t used = count + negative; used < width; used++)
        put(out, fill);
    if (negative && fill != '0')
        put(out, '-');
    while (count)
        put(out, digits[--count]);
}

enum { WIDTH_MAX = 99 }; /* two digits are read */

struct conversion {
    char fill;
    uint32_t width;
    bool is_long;
    char type;
};

/* Reads what follows a '%'. Returns the rest of the pattern behind it. */
static const char *conversion_read(const char *pattern, struct conversion *conversion)
{
    *conversion = (struct conversion){.fill = ' '};
    if (*pattern == '0') {
        conversion->fill = '0';
        pattern++;
    }
    for (int digits = 0; digits < 2 && *pattern >= '0' && *pattern <= '9'; digits++)
        conversion->width = conversion->width * 10 + (uint32_t)(*pattern++ - '0');
    while (*pattern == 'l') {
        conversion->is_long = true;
        pattern++;
    }
    conversion->type = *pattern;
    return *pattern ? pattern + 1 : pattern;
}

size_t format(char *out, size_t size, const char *pattern, va_list arguments)
{
    struct output output = {out, out + size - 1};
    while (*pattern) {
        const char *start = pattern;
        if (*pattern++ != '%') {
            put(&output, *start);
            continue;
        }
        struct conversion c;
        pattern = conversion_read(pattern, &c);
        if (c.type == 's') {
            put_text(&output, va_arg(arguments, const char *), c.width);
        } else if (c.type == 'c') {
            put(&output, (char)va_arg(arguments, int));
        } else if (c.type == 'u' || c.type == 'x') {
            uint64_t value = c.is_long ? va_arg(arguments, uint64_t) : va_arg(arguments, uint32_t);
            put_number(&output, value, false, c.type == 'u' ? 10 : 16, c.width, c.fill);
        } else if (c.type == 'd') {
            int64_t value = c.is_long ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            uint64_t size_of = value < 0 ? -(uint64_t)value : (uint64_t)value;
            put_number(&output, size_of, value < 0, 10, c.width, c.fill);
        } else if (c.type == '%') {
            put(&output, '%');
        } else {
            /* Not ours: what arguments follow is unknown, so none is read any more. */
            while (*start)
                put(&output, *start++);
            break;
        }
    }
    *output.next = 0;
    return (size_t)(output.next - out);
}
