/* SPDX-License-Identifier: ISC
 *
 * For the one domain that the manifest makes the controller (`control = true`): asking init, and
 * looking at the pages that outlive the domains. Answers come to the server's `message`
 * (motet/control.h). Linked only by who calls it.
 */
#ifndef MOTET_LIBOS_SUPERVISOR_H
#define MOTET_LIBOS_SUPERVISOR_H

#include "libos/counters.h"
#include "libos/log.h"
#include "motet/abi.h"
#include "motet/msg.h"

struct domain;

/* Sends one message to init. ERROR_FULL: the one before hasn't been taken yet. */
enum error supervisor_ask(struct domain *domain, const struct msg *m);

/* The log of a domain by its number, 0: the console's; NULL if this domain isn't the controller or
 * the number is none. What is in there is its domain's word: read it with log_read. */
const struct log_page *supervisor_log(struct domain *domain, uint32_t number);

/* The counters of a domain from 1 on, likewise. */
const struct counter_page *supervisor_counters(struct domain *domain, uint32_t number);

/* Memory for a new program or file, *bytes of it; NULL: there is none. It can be written only from
 * the answer to SWAP_BEGIN until SWAP_GO is asked: at other times a touch is the end. */
void *supervisor_staging(struct domain *domain, uint32_t *bytes);

/* What the loader is begun anew for. */
struct supervisor_staged {
    const uint8_t *program; /* in the staging memory, read-only; NULL: there is none now */
    uint32_t bytes;         /* of it, all of them mapped */
    uint32_t check;         /* its CRC-32, as the host has it */
    uint32_t domain;        /* the number of the domain that it is for */
};
struct supervisor_staged supervisor_staged(struct domain *domain);

/* The kernel's information page. */
const struct kernel_info *supervisor_kernel(struct domain *domain);

#endif
