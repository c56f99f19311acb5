/* SPDX-License-Identifier: ISC
 *
 * Memory of the zone compiler, see memory.h.
 */
#include "tools/zonec/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *memory_resize(void *block, size_t count, size_t size)
{
    block = count <= SIZE_MAX / size ? realloc(block, count * size) : NULL;
    if (block == NULL && count > 0) {
        fprintf(stderr, "zonec: out of memory, compile fewer zones at once\n");
        exit(1);
    }
    return block;
}

void *memory_grow(void *block, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return block;
    *capacity = needed > *capacity * 2 ? needed + 16 : *capacity * 2;
    return memory_resize(block, *capacity, size);
}
