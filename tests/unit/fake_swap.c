/* SPDX-License-Identifier: ISC
 *
 * See fake_swap.h.
 */
#include "tests/unit/fake_swap.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct server_swap __start_motet_swaps[], __stop_motet_swaps[];

enum { LONGER = 8 }; /* bytes that are tried behind a record */

static const struct server_swap *swap_of(const struct server *server)
{
    for (const struct server_swap *swap = __start_motet_swaps; swap < __stop_motet_swaps; swap++)
        if (swap->server == server)
            return swap;
    assert(!"the server has no records");
    return NULL;
}

static void table_check(const struct server_swap *swap)
{
    assert(swap->record_count <= STATE_RECORDS_MAX);
    for (uint32_t i = 0; i < swap->record_count; i++) {
        const struct state_record *record = &swap->records[i];
        assert(record->id && record->version && strlen(record->name) < 24);
        assert(record->bytes_max && !record->save == !record->load);
        for (uint32_t k = 0; k < i; k++)
            assert(swap->records[k].id != record->id);
    }
}

static void addresses_check(struct domain *domain, const uint8_t *data, uint32_t bytes)
{
    for (uint32_t at = 0; at + sizeof(uint64_t) <= bytes; at += 4) {
        uint64_t word;
        memcpy(&word, data + at, sizeof(word));
        if (word >> 47 || !(word >> 32))
            continue; /* nothing that a process has: most words, and looking at them takes long */
        assert(!fake_domain_knows_address(domain, word));
    }
}

static uint8_t *copy_of(const void *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    assert(copy);
    if (bytes)
        memcpy(copy, data, bytes);
    return copy;
}

void fake_state_save(struct domain *domain, struct fake_state *state)
{
    const struct server *server = fake_domain_server(domain);
    uint8_t *server_state = fake_domain_state(domain);
    uint8_t *before = copy_of(server_state, server->state_size);
    *state = (struct fake_state){.swap = swap_of(server)};
    table_check(state->swap);
    for (uint32_t i = 0; i < state->swap->record_count; i++) {
        const struct state_record *record = &state->swap->records[i];
        uint8_t *to = calloc(1, record->bytes_max);
        assert(to && (record->save || record->offset + record->bytes_max <= server->state_size));
        if (record->save)
            state->bytes[i] = record->save(server_state, to);
        else
            memcpy(to, server_state + record->offset, state->bytes[i] = record->bytes_max);
        assert(state->bytes[i] <= record->bytes_max);
        state->data[i] = copy_of(to, state->bytes[i]);
        addresses_check(domain, to, state->bytes[i]);
        free(to);
    }
    assert(!memcmp(before, server_state, server->state_size));
    free(before);
}

void fake_state_free(struct fake_state *state)
{
    for (uint32_t i = 0; i < state->swap->record_count; i++)
        free(state->data[i]);
}

static enum error records_load(void *server_state, const void *context)
{
    const struct fake_state *state = context;
    enum error error = OK;
    for (uint32_t i = 0; i < state->swap->record_count && !error; i++) {
        const struct state_record *record = &state->swap->records[i];
        if (state->bytes[i] > record->bytes_max ||
            (!record->load && state->bytes[i] != record->bytes_max))
            error = ERROR_BAD_ARGUMENT; /* the libOS refuses it */
        else if (record->load)
            error = record->load(server_state, record->version, state->data[i], state->bytes[i]);
        else
            memcpy((uint8_t *)server_state + record->offset, state->data[i], state->bytes[i]);
    }
    return !error && state->swap->loaded ? state->swap->loaded(server_state) : error;
}

enum error fake_state_load(struct domain *domain, const struct fake_state *state)
{
    return fake_domain_take_over(domain, records_load, state);
}

static bool states_equal(const struct fake_state *one, const struct fake_state *other)
{
    for (uint32_t i = 0; i < one->swap->record_count; i++)
        if (one->bytes[i] != other->bytes[i] ||
            memcmp(one->data[i], other->data[i], one->bytes[i])) {
            fprintf(stderr, "record %s is another one after a swap\n", one->swap->records[i].name);
            return false;
        }
    return true;
}

bool fake_swap(struct domain *domain)
{
    struct fake_state before, after;
    const struct server_swap *swap = swap_of(fake_domain_server(domain));
    if (swap->rest && !swap->rest(fake_domain_state(domain)))
        return false;
    fake_state_save(domain, &before);
    enum error error = fake_state_load(domain, &before);
    if (error)
        fprintf(stderr, "%s refuses its own state: %s\n%s", fake_domain_server(domain)->name,
                error_text(error), fake_domain_log(domain));
    assert(!error);
    fake_state_save(domain, &after);
    assert(states_equal(&before, &after));
    fake_state_free(&before);
    fake_state_free(&after);
    return true;
}

static uint32_t always;

static void before_entry(struct domain *domain)
{
    for (uint32_t i = 0; i < always; i++)
        fake_swap(domain);
}

void fake_swap_always(uint32_t times)
{
    always = times;
    fake_domain_before_entry = before_entry;
}

struct damage {
    struct domain *domain;
    struct fake_state state;
    void (*after)(void *context);
    void *context;
    uint32_t refused, taken;
};

static void damage_try(struct damage *damage)
{
    struct fake_life *life = fake_life_keep(damage->domain);
    if (fake_state_load(damage->domain, &damage->state)) {
        damage->refused++;
    } else {
        damage->taken++;
        damage->after(damage->context);
    }
    fake_life_restore(damage->domain, life);
}

static void damage_lengths(struct damage *damage, uint32_t record)
{
    const uint32_t bytes = damage->state.bytes[record];
    uint8_t *const data = damage->state.data[record];
    for (uint32_t length = 0; length <= bytes + LONGER; length++) {
        if (length == bytes)
            continue;
        uint8_t *other = calloc(1, length ? length : 1);
        assert(other);
        memcpy(other, data, length < bytes ? length : bytes);
        damage->state.bytes[record] = length;
        damage->state.data[record] = other;
        damage_try(damage);
        free(other);
    }
    damage->state.bytes[record] = bytes;
    damage->state.data[record] = data;
}

static void damage_bits(struct damage *damage, uint32_t record)
{
    uint8_t *data = damage->state.data[record];
    for (uint32_t bit = 0; bit < 8 * damage->state.bytes[record]; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        damage_try(damage);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

uint32_t fake_swap_damage(struct domain *domain, void (*after)(void *context), void *context,
                          uint32_t *taken)
{
    struct damage damage = {.domain = domain, .after = after, .context = context};
    fake_state_save(domain, &damage.state);
    for (uint32_t i = 0; i < damage.state.swap->record_count; i++) {
        damage_lengths(&damage, i);
        damage_bits(&damage, i);
    }
    assert(!fake_state_load(domain, &damage.state)); /* undamaged again */
    fake_state_free(&damage.state);
    *taken = damage.taken;
    return damage.refused;
}
