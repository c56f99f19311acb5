/* SPDX-License-Identifier: ISC
 *
 * dnsd's boot settings, see dnsd_settings.h.
 */
#include "servers/dnsd/dnsd_settings.h"

#include <string.h>

const char *const dnsd_settings[DNSD_SETTING_COUNT] = {
    [DNSD_SETTING_NSID] = "dnsd.nsid",       [DNSD_SETTING_IDENTITY] = "dnsd.identity",
    [DNSD_SETTING_VERSION] = "dnsd.version", [DNSD_SETTING_MINIMAL] = "dnsd.minimal",
    [DNSD_SETTING_COOKIES] = "dnsd.cookies", [DNSD_SETTING_COOKIE_SECRET] = "dnsd.cookie_secret",
    [DNSD_SETTING_RRL_RATE] = "dnsd.rrl",    [DNSD_SETTING_RRL_SLIP] = "dnsd.rrl_slip",
};

/* What a setting may be is told when it is something else; then the default stays. */
static void setting_refuse(struct domain *domain, enum dnsd_setting setting, const char *wanted)
{
    domain_log(domain, "%s isn't %s, the default is used", dnsd_settings[setting], wanted);
}

static bool setting_bool(struct domain *domain, enum dnsd_setting setting, bool value)
{
    const char *text = domain_setting(domain, dnsd_settings[setting]);

    if (!text)
        return value;
    if (strcmp(text, "on") == 0)
        return true;
    if (strcmp(text, "off") == 0)
        return false;
    setting_refuse(domain, setting, "on or off");
    return value;
}

static uint32_t setting_number(struct domain *domain, enum dnsd_setting setting, uint32_t value,
                               uint32_t max)
{
    const char *text = domain_setting(domain, dnsd_settings[setting]);
    uint32_t number = 0;

    if (!text)
        return value;
    for (const char *digit = text; *digit && number <= max; digit++)
        number = *digit >= '0' && *digit <= '9' ? number * 10 + (uint32_t)(*digit - '0') : max + 1;
    if (*text && number <= max)
        return number;
    setting_refuse(domain, setting, "a number in range");
    return value;
}

/* The value of a hexadecimal digit; -1 when it isn't one. */
static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The secret of the cookies: 32 hexadecimal digits, so that several servers can share it; else
 * random, and then no cookie outlives this start. */
static void secret_read(struct domain *domain, uint8_t *secret)
{
    const char *text = domain_setting(domain, dnsd_settings[DNSD_SETTING_COOKIE_SECRET]);
    uint64_t random[2] = {domain_random(domain), domain_random(domain)};
    _Static_assert(sizeof random == COOKIE_SECRET_SIZE, "random numbers for a secret");

    memcpy(secret, random, sizeof random);
    if (!text)
        return;
    bool good = strlen(text) == 2 * COOKIE_SECRET_SIZE;
    for (unsigned at = 0; good && at < 2 * COOKIE_SECRET_SIZE; at++)
        good = hex_digit(text[at]) >= 0;
    for (unsigned at = 0; good && at < COOKIE_SECRET_SIZE; at++)
        secret[at] = (uint8_t)(hex_digit(text[2 * at]) << 4 | hex_digit(text[2 * at + 1]));
    if (!good)
        setting_refuse(domain, DNSD_SETTING_COOKIE_SECRET, "32 digits 0 to 9, a to f");
}

void dnsd_settings_read(struct domain *domain, struct answer_config *config)
{
    enum { SLIP_DEFAULT = 2, SLIP_MAX = 100, IPV4_PREFIX = 24, IPV6_PREFIX = 56 };

    *config = (struct answer_config){
        .udp_size = ANSWER_UDP_SIZE_DEFAULT,
        .minimal = setting_bool(domain, DNSD_SETTING_MINIMAL, false),
        .cookies = setting_bool(domain, DNSD_SETTING_COOKIES, true),
        .nsid = domain_setting(domain, dnsd_settings[DNSD_SETTING_NSID]),
        .identity = domain_setting(domain, dnsd_settings[DNSD_SETTING_IDENTITY]),
        .version = domain_setting(domain, dnsd_settings[DNSD_SETTING_VERSION]),
        .rrl = {.rate = setting_number(domain, DNSD_SETTING_RRL_RATE, 0, RRL_RATE_MAX),
                .slip =
                    (uint8_t)setting_number(domain, DNSD_SETTING_RRL_SLIP, SLIP_DEFAULT, SLIP_MAX),
                .ipv4_prefix = IPV4_PREFIX,
                .ipv6_prefix = IPV6_PREFIX},
    };
    secret_read(domain, config->cookie_secret);
}
