/* SPDX-License-Identifier: ISC
 *
 * For functions that no message passes through, in files that are compiled for speed: these are
 * compiled for size.
 */
#ifndef MOTET_RARE_H
#define MOTET_RARE_H

#define RARE __attribute__((cold))

#endif
