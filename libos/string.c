/* SPDX-License-Identifier: ISC
 *
 * The six functions of <string.h> that servers and compilers may call. Target only: host builds
 * have their C library's. Compiled with -fno-builtin -fno-tree-loop-distribute-patterns.
 */
#include <string.h>

#include "libos/memory.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    memory_copy(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    memory_move(to, from, size);
    return to;
}

void *memset(void *to, int value, size_t size)
{
    memory_fill(to, (uint8_t)value, size);
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    return memory_compare(left, right, size);
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *left, const char *right)
{
    while (*left && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}
