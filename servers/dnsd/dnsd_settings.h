/* SPDX-License-Identifier: ISC
 *
 * dnsd's boot settings. Called once, at start. One that can't be understood is logged, and then
 * counts as not given.
 */
#ifndef MOTET_DNSD_SETTINGS_H
#define MOTET_DNSD_SETTINGS_H

#include "libos/domain.h"
#include "servers/dnsd/answer.h"

enum dnsd_setting {
    DNSD_SETTING_NSID,
    DNSD_SETTING_IDENTITY,
    DNSD_SETTING_VERSION,
    DNSD_SETTING_MINIMAL,
    DNSD_SETTING_COOKIES,
    DNSD_SETTING_COOKIE_SECRET,
    DNSD_SETTING_RRL_RATE,
    DNSD_SETTING_RRL_SLIP,
    DNSD_SETTING_COUNT,
};

/* The settings' names, as on the kernel command line. */
extern const char *const dnsd_settings[DNSD_SETTING_COUNT];

void dnsd_settings_read(struct domain *domain, struct answer_config *config);

#endif
