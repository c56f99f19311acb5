/* SPDX-License-Identifier: ISC
 *
 * Memory of the zone compiler: growing arrays. Ends the program when there is none left.
 */
#ifndef MOTET_ZONEC_MEMORY_H
#define MOTET_ZONEC_MEMORY_H

#include <stddef.h>

/* realloc of `count` elements of `size` octets. */
void *memory_resize(void *block, size_t count, size_t size);

/* Makes room for `needed` elements in an array of *capacity: at least doubles it, so that growing
 * one by one takes linear time. Returns the array. */
void *memory_grow(void *block, size_t *capacity, size_t needed, size_t size);

#endif
