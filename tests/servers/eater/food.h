/* SPDX-License-Identifier: ISC
 *
 * Protocol of two test servers, feeder and eater: messages in one direction, without answers. One
 * kind of them the eater doesn't survive.
 */
#ifndef TESTS_FOOD_H
#define TESTS_FOOD_H

#define FOOD_PROTOCOL "food"

enum { FOOD_VERSION = 1, FOOD_BEFORE = 3, FOOD_BEHIND = 5 };

enum food_op { FOOD_GOOD = 1, FOOD_POISON };

#endif
