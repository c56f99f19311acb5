/* SPDX-License-Identifier: ISC
 *
 * Checks that need both the manifest and what its servers declare: every port connected to its
 * like, no cycle of requests, priorities, settings, counts.
 */
#ifndef COMPOSE_CHECK_H
#define COMPOSE_CHECK_H

#include "tools/composer/program.h"

/* programs[d] is what domain d runs. Sets the endpoints' ports. False when anything was reported.
 */
bool check_image(struct manifest *manifest, struct program *const programs[IMAGE_DOMAINS_MAX]);

/* Whether the boot setting `key` is one that `pattern` stands for ('#': a number). */
bool pattern_matches(const char *pattern, const char *key);

#endif
