/* SPDX-License-Identifier: ISC
 *
 * The pools of a manifest: who owns them, and who may do what with them. For manifest.c.
 */
#ifndef COMPOSE_POOLS_H
#define COMPOSE_POOLS_H

#include <libconfig.h>

#include "tools/composer/manifest.h"

/* The list `pools`; domains have been read. */
void read_pools(struct manifest *manifest, config_setting_t *root);

#endif
