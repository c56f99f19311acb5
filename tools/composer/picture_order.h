/* SPDX-License-Identifier: ISC
 *
 * Which column of a picture (picture.h) a domain becomes, and in which order servers stand in it.
 */
#ifndef COMPOSE_PICTURE_ORDER_H
#define COMPOSE_PICTURE_ORDER_H

#include "tools/composer/picture_plan.h"

/* Fills in columns, without boxes, from the arrows. */
void picture_order(struct picture *p);

#endif
