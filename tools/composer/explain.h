/* SPDX-License-Identifier: ISC
 *
 * compose --explain: the composition as tables for people.
 */
#ifndef COMPOSE_EXPLAIN_H
#define COMPOSE_EXPLAIN_H

#include <stdio.h>

#include "tools/composer/layout.h"

/* Domains, who may talk to whom, each capability that a domain starts with, memory. */
void explain(FILE *out, const struct composition *composition);

#endif
