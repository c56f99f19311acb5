/* SPDX-License-Identifier: ISC
 *
 * What stands at the foot of a picture (picture.h): where the memory goes, as a bar, and what the
 * colours mean.
 */
#ifndef COMPOSE_PICTURE_LEGEND_H
#define COMPOSE_PICTURE_LEGEND_H

#include "tools/composer/picture_plan.h"

/* From p->footer down. Returns where it ends; draws nothing when `out` is NULL. */
int picture_legend(FILE *out, const struct picture *p);

#endif
