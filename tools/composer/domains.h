/* SPDX-License-Identifier: ISC
 *
 * The domains of a manifest, and what belongs to their servers wherever they live: devices, files,
 * settings, priority, memory. For manifest.c.
 */
#ifndef COMPOSE_DOMAINS_H
#define COMPOSE_DOMAINS_H

#include <libconfig.h>

#include "tools/composer/manifest.h"

/* The lists `servers` and `domains`. */
void read_domains(struct manifest *manifest, config_setting_t *root);

#endif
