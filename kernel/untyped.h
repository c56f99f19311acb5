/* SPDX-License-Identifier: ISC
 *
 * Untyped memory: a run of pages that isn't anything yet. Objects are cut off its start in order
 * (`used`); when nothing derived from it is left, the whole run is available again. The kernel
 * keeps no other allocator: who holds no untyped memory makes no objects.
 *
 * From the image (never written, so that pages may appear twice) and from device memory only pages
 * are made, at an address that the caller names; they aren't cleared.
 */
#ifndef KERNEL_UNTYPED_H
#define KERNEL_UNTYPED_H

#include "kernel/captable.h"

enum { UNTYPED_CLEAR_PAGES = 8 }; /* cleared per kernel entry: 8 x 512 stores bound it */

/* Cuts an object of `pages` pages off `untyped` and puts its first capability into `slot`, which is
 * empty and belongs to `table`. `address` is a physical one for image and device memory, for
 * untyped memory UNTYPED_PAGES_ONLY or 0, and doesn't count otherwise. ERROR_MORE: part of the
 * clearing is done, call again. */
enum error untyped_retype(struct cap *untyped, enum object type, uint64_t pages, uint64_t address,
                          struct captable *table, struct cap *slot);

#endif
