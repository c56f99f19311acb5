/* SPDX-License-Identifier: ISC
 *
 * Response rate limiting, see rrl.h.
 */
#include "servers/dnsd/rrl.h"

#include <stdbool.h>

#include "servers/dnsd/cookie.h"
#include "servers/dnsd/wire.h"

enum {
    ANSWER = 1000 /* credit that one takes */,
    IPV4_PREFIX = 96 /* bits before an IPv4 address */
};

static bool is_ipv4(const uint8_t *address)
{
    static const uint8_t mapped[IPV4_PREFIX / 8] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, mapped, sizeof mapped) == 0;
}

/* Clears the bits of an address behind the first `bits`. */
static void mask(uint8_t *address, unsigned bits)
{
    for (unsigned octet = 0; octet < RRL_ADDRESS_SIZE; octet++) {
        unsigned kept = bits < 8 ? bits : 8;
        address[octet] &= (uint8_t)(0xff00 >> kept);
        bits -= kept;
    }
}

static uint64_t account_hash(const struct rrl *rrl, const struct rrl_config *config,
                             const uint8_t *address, enum rrl_class class, uint32_t name)
{
    uint8_t input[RRL_ADDRESS_SIZE + 5];

    memcpy(input, address, RRL_ADDRESS_SIZE);
    mask(input, is_ipv4(address) ? IPV4_PREFIX + config->ipv4_prefix : config->ipv6_prefix);
    input[RRL_ADDRESS_SIZE] = (uint8_t) class;
    store_le32(input + RRL_ADDRESS_SIZE + 1, name);
    return siphash(rrl->key, input, sizeof input);
}

/* What an account holds by now. */
static uint32_t credit_now(const struct rrl_account *account, uint32_t rate, uint32_t now)
{
    uint32_t full = rate * ANSWER;
    uint32_t passed = now - account->time;

    if (account->tag == 0 || passed >= 1000)
        return full;
    uint32_t credit = account->credit + passed * rate;
    return credit < full ? credit : full;
}

/* The account with this tag; else the one of its set with the most credit, started anew. */
static struct rrl_account *account_get(struct rrl_account *set, uint32_t tag, uint32_t rate,
                                       uint32_t now)
{
    struct rrl_account *idle = set;

    for (struct rrl_account *account = set; account < set + RRL_WAYS; account++) {
        if (account->tag == tag)
            return account;
        if (account->tag == 0 || credit_now(account, rate, now) > credit_now(idle, rate, now))
            idle = account;
    }
    *idle = (struct rrl_account){.tag = tag, .time = now, .credit = rate * ANSWER};
    return idle;
}

enum rrl_verdict rrl_judge(struct rrl *rrl, const struct rrl_config *config, const uint8_t *address,
                           enum rrl_class class, uint32_t name, uint32_t milliseconds)
{
    uint64_t hash = account_hash(rrl, config, address, class, name);
    struct rrl_account *account = account_get(
        rrl->accounts[hash % RRL_SETS], (uint32_t)(hash >> 32) | 1, config->rate, milliseconds);

    account->credit = credit_now(account, config->rate, milliseconds);
    account->time = milliseconds;
    if (account->credit >= ANSWER) {
        account->credit -= ANSWER;
        account->limited = 0;
        return RRL_SEND;
    }
    account->limited++;
    return config->slip > 0 && account->limited % config->slip == 0 ? RRL_SLIP : RRL_DROP;
}
