/* SPDX-License-Identifier: ISC
 *
 * The composition as a picture (SVG).
 *
 * Each domain is a column, its servers stand in it side by side, and a line goes down from each.
 * Drivers are at the left, beside them who asks them, and so on: a server is right of those that it
 * asks. Below the servers each connection is a row with an arrow from client to server; each pool
 * is a row with what each domain may do with it; below the columns are the devices. Domains that
 * nothing joins to another one are boxes further down. The same composition gives the same bytes.
 */
#ifndef COMPOSE_PICTURE_H
#define COMPOSE_PICTURE_H

#include <stdio.h>

#include "tools/composer/layout.h"

void picture_draw(FILE *out, const struct composition *composition);

#endif
