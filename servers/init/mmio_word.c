/* SPDX-License-Identifier: ISC
 *
 * One word of the command line: see mmio_word.h.
 */
#include "servers/init/mmio_word.h"

enum { BLOCK_MIN = 0x100, BLOCK_MAX = 64 * 1024, LINE_LAST = 23, ALIGNMENT = 4, PAGE = 4096 };

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A number, decimal or with 0x; moves `text` behind it. False: there is none, or it has more than
 * 64 bits. */
static bool number_read(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t base = 10;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    const char *first = at;
    *number = 0;
    for (int digit; (digit = digit_value(*at)) >= 0 && (uint64_t)digit < base; at++) {
        if (*number > (UINT64_MAX - (uint64_t)digit) / base)
            return false;
        *number = *number * base + (uint64_t)digit;
    }
    *text = at;
    return at != first;
}

/* The same, with K or M behind it. */
static bool size_read(const char **text, uint64_t *size)
{
    if (!number_read(text, size))
        return false;
    uint32_t shift = **text == 'K' || **text == 'k' ? 10 : **text == 'M' || **text == 'm' ? 20 : 0;
    if (shift)
        ++*text;
    if (*size > UINT64_MAX >> shift)
        return false;
    *size <<= shift;
    return true;
}

static bool skip(const char **text, char c)
{
    return *(*text)++ == c;
}

const char *mmio_word_parse(const char *text, struct mmio_block *block)
{
    uint64_t size, address, line, id = 0;
    if (!size_read(&text, &size) || !skip(&text, '@') || !number_read(&text, &address) ||
        !skip(&text, ':') || !number_read(&text, &line))
        return "it isn't SIZE@ADDRESS:LINE";
    if (*text == ':') { /* a number that some systems give the device; it means nothing here */
        text++;
        if (!number_read(&text, &id))
            return "it isn't SIZE@ADDRESS:LINE:ID";
    }
    if (*text)
        return "there is something behind it";
    if (size < BLOCK_MIN || size > BLOCK_MAX)
        return "its size isn't from 256 bytes to 64 KiB";
    if (address % ALIGNMENT || address > UINT64_MAX - size)
        return "its address makes no sense";
    if (line == 0 || line > LINE_LAST)
        return "its line isn't from 1 to 23";
    *block = (struct mmio_block){address, (uint32_t)size, (uint32_t)line};
    if (size < PAGE && mmio_first_page(block) != mmio_last_page(block))
        return "its registers cross the end of a page";
    if (size >= PAGE && (size % PAGE || address % PAGE))
        return "its registers don't fill whole pages";
    return 0;
}
