/* SPDX-License-Identifier: ISC
 *
 * Names of a manifest that stand for domains and servers, looked up with an error that has a way
 * out. Private to manifest.c and the files that read its parts.
 */
#ifndef COMPOSE_NAMES_H
#define COMPOSE_NAMES_H

#include <libconfig.h>

#include "tools/composer/manifest.h"

/* Element `index` of the list `key`. */
config_setting_t *list_element(config_setting_t *group, const char *key, uint32_t index);

/* Texts of the list `key` go to out[]; those that aren't texts are reported. */
uint32_t read_texts(config_setting_t *group, const char *key, struct manifest_text *out,
                    uint32_t max);

/* Index of the domain, or 0 (init, which can't be meant) after reporting. */
uint32_t find_domain(const struct manifest *manifest, struct place at, const char *name);

/* Index of the server in the domain, or SERVERS_MAX after reporting. */
uint32_t find_server(const struct manifest_domain *domain, struct place at, const char *name);

/* The server of that name, if it lives in one domain only: its domain, and *server. 0: not so,
 * nothing is reported. */
uint32_t find_server_anywhere(const struct manifest *manifest, const char *name, uint32_t *server);

/* A server that lives in one domain only, or else a domain (*server is START_EVERY_SERVER). 0:
 * reported. */
uint32_t find_holder(const struct manifest *manifest, struct place at, const char *name,
                     uint32_t *server);

#endif
