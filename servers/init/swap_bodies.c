/* SPDX-License-Identifier: ISC
 *
 * See swap_bodies.h. All objects and page tables are made when the image boots; what is done here
 * later is copying, mapping what is there, and moving capabilities.
 */
#include "servers/init/swap_bodies.h"

#include <string.h>

#include "libos/crc.h"
#include "libos/syscall.h"

const struct image_mapping *mapping_of(const struct init *init, uint32_t r, uint32_t body)
{
    const struct image_region *region = &init->region[r];
    for (uint32_t m = 0; m < region->mappings; m++) {
        const struct image_mapping *mapping = &init->mapping[region->first_mapping + m];
        if (mapping->domain == body)
            return mapping;
    }
    return NULL;
}

static void slot_empty(uint32_t captable, uint32_t slot)
{
    while (sys_invoke(captable, OPERATION_captable_delete, slot, 0, 0, 0, 0, NULL) == ERROR_MORE)
        ;
}

/* --- what a body can reach --- */

static struct child *child_of(struct init *init, uint32_t body)
{
    const uint32_t first = init->domain[body].second ? init->domain[body].body : body;
    return body_of(init, first) == body ? &init->child[first]
                                        : &init->child[init->domain[first].body];
}

/* What compose wrote about one of a body's own regions, for another region of the same size. */
static void region_give(struct init *init, const struct image_mapping *mapping, uint32_t region)
{
    const struct child *child = child_of(init, mapping->domain);
    object_share(init, init->region_slots[region], mapping->rights, child->space, mapping->address,
                 child->captable, mapping->slot);
}

static void region_take(struct init *init, const struct image_mapping *mapping)
{
    slot_empty(child_of(init, mapping->domain)->captable, mapping->slot);
}

static const struct image_mapping *staging_of(const struct init *init, uint32_t domain)
{
    const uint32_t region = init->image->staging_region;
    return region && domain ? mapping_of(init, region, body_of(init, domain)) : NULL;
}

void staging_take(struct init *init, uint32_t domain)
{
    const struct image_mapping *mapping = staging_of(init, domain);
    if (mapping)
        region_take(init, mapping);
}

void staging_give(struct init *init, uint32_t domain)
{
    const struct image_mapping *mapping = staging_of(init, domain);
    staging_take(init, domain); /* it may have it already */
    if (mapping)
        region_give(init, mapping, init->image->staging_region);
}

void version_put(char to[PROGRAM_NAME_BYTES], const char *version)
{
    memset(to, 0, PROGRAM_NAME_BYTES);
    for (uint32_t i = 0; i < PROGRAM_NAME_BYTES - 1 && version[i]; i++)
        to[i] = version[i] >= ' ' && version[i] <= '~' ? version[i] : '.';
}

const char *swap_version(const struct init *init, uint32_t domain)
{
    return init->bodies.version[body_of(init, domain)];
}

static void body_start(struct init *init, uint32_t d)
{
    const struct image_domain *domain = &init->domain[d];
    for (uint32_t file = 0; file < START_FILES_MAX; file++)
        init->bodies.file[d][file] = domain->file_region[file];
    if (domain->second)
        return;
    init->bodies.program[d] = ++init->bodies.programs;
    if (domain->version)
        version_put(init->bodies.version[d], (const char *)init->image + domain->version);
    init->bodies.rest[d] = slot_new(init);
    enum error error = sys_invoke(INIT_CAPTABLE, OPERATION_captable_mint, init->child[d].port,
                                  init->bodies.rest[d], RIGHT_SIGNAL,
                                  1ull << (SIGNAL_CONTROL_FIRST + CONTROL_BIT_REST), 0, NULL);
    init_check(error, "port", domain->name);
}

void bodies_start(struct init *init)
{
    for (uint32_t d = 1; d < init->image->domains.count; d++)
        if (init->domain[d].body)
            body_start(init, d);
}

/* --- what is in a body --- */

static uint8_t *window_open(struct init *init, uint32_t region, uint64_t window, uint8_t rights)
{
    object_map(init, init->region_slots[region], INIT_SPACE, window, rights);
    return (uint8_t *)window;
}

static void window_close(const struct init *init, uint32_t region)
{
    sys_invoke(init->region_slots[region], OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
}

struct piece {
    uint32_t from, from_at; /* region, byte in there */
    uint32_t to, to_at;
    uint32_t bytes;
};

/* What is behind the piece in its last page is cleared; `all`: in the region. Returns the piece's
 * CRC-32, going on from `check`. */
static void piece_copy(struct init *init, const struct piece *piece, bool all, uint32_t *check)
{
    const uint8_t *from = window_open(init, piece->from, COPY_FROM_WINDOW, RIGHT_READ);
    uint8_t *to = window_open(init, piece->to, COPY_TO_WINDOW, RIGHT_READ | RIGHT_WRITE);
    const uint64_t end = (uint64_t)piece->to_at + piece->bytes;
    const uint64_t page_end = (end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    memcpy(to + piece->to_at, from + piece->from_at, piece->bytes);
    memset(to + end, 0, (all ? region_bytes(init, piece->to) : page_end) - end);
    if (check)
        *check = crc_add(*check, to + piece->to_at, piece->bytes);
    window_close(init, piece->from);
    window_close(init, piece->to);
}

static uint32_t smaller(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void region_repeat(struct init *init, uint32_t from, uint32_t to)
{
    const struct piece piece = {
        .from = from, .to = to, .bytes = smaller(region_bytes(init, from), region_bytes(init, to))};
    piece_copy(init, &piece, true, NULL);
}

void program_repeat(struct init *init, uint32_t domain)
{
    struct bodies *bodies = &init->bodies;
    const uint32_t from = body_of(init, domain), to = spare_of(init, domain);
    if (bodies->program[from] == bodies->program[to])
        return;
    region_repeat(init, init->domain[from].program_region, init->domain[to].program_region);
    region_repeat(init, init->domain[from].constants_region, init->domain[to].constants_region);
    bodies->entry[to] = bodies->entry[from];
    bodies->program[to] = bodies->program[from];
    version_put(bodies->version[to], bodies->version[from]);
}

void program_put(struct init *init, uint32_t domain, const struct swap_verdict *verdict)
{
    struct bodies *bodies = &init->bodies;
    const uint32_t to = spare_of(init, domain);
    const struct piece text = {.from = init->image->staging_region,
                               .from_at = verdict->text_offset,
                               .to = init->domain[to].program_region,
                               .bytes = verdict->text_bytes};
    const struct piece constants = {.from = init->image->staging_region,
                                    .from_at = verdict->constants_offset,
                                    .to = init->domain[to].constants_region,
                                    .bytes = verdict->constants_bytes};
    piece_copy(init, &text, true, NULL);
    piece_copy(init, &constants, true, NULL);
    bodies->entry[to] = verdict->entry;
    bodies->program[to] = ++bodies->programs;
    version_put(bodies->version[to], verdict->version);
}

uint32_t file_target(const struct init *init, uint32_t domain, uint32_t file)
{
    const uint16_t own = init->domain[domain].file_region[file];
    const uint16_t others = init->domain[init->domain[domain].body].file_region[file];
    return init->bodies.file[body_of(init, domain)][file] == own ? others : own;
}

uint32_t file_put(struct init *init, uint32_t domain, uint32_t file, uint32_t at, uint32_t bytes,
                  uint32_t check)
{
    const struct piece piece = {.from = init->image->staging_region,
                                .to = file_target(init, domain, file),
                                .to_at = at,
                                .bytes = bytes};
    piece_copy(init, &piece, false, &check);
    return check;
}

void files_give(struct init *init, uint32_t domain, uint32_t file, uint32_t bytes)
{
    const uint32_t from = body_of(init, domain), to = spare_of(init, domain);
    uint32_t sizes[START_FILES_MAX];
    struct start_page *start = start_page_open(init, domain);
    for (uint32_t i = 0; i < START_FILES_MAX; i++)
        sizes[i] = i == file ? bytes : start->file[i].size;
    start_page_close(init, domain);
    start = start_page_open(init, init->domain[domain].body);
    for (uint32_t i = 0; i < START_FILES_MAX; i++)
        start->file[i].size = sizes[i];
    start_page_close(init, init->domain[domain].body);
    for (uint32_t i = 0; i < START_FILES_MAX; i++) {
        uint16_t *has = &init->bodies.file[to][i];
        const uint32_t want = i == file ? file_target(init, domain, i) : init->bodies.file[from][i];
        const struct image_mapping *mapping =
            *has == want ? NULL : mapping_of(init, init->domain[to].file_region[i], to);
        if (!mapping)
            continue;
        region_take(init, mapping);
        region_give(init, mapping, want);
        *has = (uint16_t)want;
    }
}

/* --- which one runs --- */

static void exchange(uint32_t *a, uint32_t *b)
{
    const uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

void bodies_exchange(struct init *init, uint32_t domain)
{
    struct child *now = &init->child[domain], *spare = &init->child[init->domain[domain].body];
    slot_empty(now->captable, SLOT_OWN_PORT);
    enum error error = sys_invoke(spare->captable, OPERATION_captable_copy, now->port,
                                  SLOT_OWN_PORT, RIGHT_WAIT, 0, 0, NULL);
    init_check(error, "port", init->domain[domain].name);
    exchange(&now->captable, &spare->captable);
    exchange(&now->space, &spare->space);
    exchange(&now->thread, &spare->thread);
    exchange(&now->start_slot, &spare->start_slot);
    init->bodies.second ^= 1ull << domain;
}

/* Two pages that are mapped in a space change places. */
static void pages_exchange(struct init *init, uint32_t a, uint32_t b, uint32_t space)
{
    struct invoked at_a = {{0}}, at_b = {{0}};
    sys_invoke(a, OPERATION_page_info, 0, 0, 0, 0, 0, &at_a);
    sys_invoke(b, OPERATION_page_info, 0, 0, 0, 0, 0, &at_b);
    sys_invoke(a, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    sys_invoke(b, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    object_map(init, a, space, at_b.a[2], RIGHT_READ);
    object_map(init, b, space, at_a.a[2], RIGHT_READ);
}

void counters_exchange(struct init *init, uint32_t domain)
{
    const uint32_t controller = init->image->controller, other = init->domain[domain].body;
    const uint32_t controllers[] = {controller, controller ? init->domain[controller].body : 0};
    pages_exchange(init, init->region_slots[init->domain[domain].counter_region],
                   init->region_slots[init->domain[other].counter_region], INIT_SPACE);
    for (uint32_t i = 0; i < 2; i++)
        if (controllers[i])
            pages_exchange(init, init->bodies.watch[i][domain], init->bodies.watch[i][other],
                           child_of(init, controllers[i])->space);
}

/* Sets *value to that of the counter with that name, if there is one. */
static void counter_find(const struct counter_page *page, const char *wanted, uint64_t *value)
{
    char name[COUNTER_NAME_BYTES];
    uint64_t found;
    for (uint32_t n = 0; counters_read(page, n, name, &found); n++)
        if (!strcmp(name, wanted))
            *value = found;
}

void counters_carry(struct init *init, uint32_t domain)
{
    const uint32_t body = spare_of(init, domain), other = init->domain[domain].body;
    const uint32_t slot = init->region_slots[init->domain[body].counter_region];
    const struct counter_page *from = counters_of(other);
    char name[COUNTER_NAME_BYTES];
    uint64_t value;
    sys_invoke(slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    object_map(init, slot, INIT_SPACE, SCRATCH_WINDOW, RIGHT_READ | RIGHT_WRITE);
    struct counter_page *to = (struct counter_page *)SCRATCH_WINDOW;
    for (uint32_t n = 0; counters_read(to, n, name, &value); n++)
        counter_find(from, name, &to->value[n]);
    sys_invoke(slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    object_map(init, slot, INIT_SPACE, (uint64_t)counters_of(domain), RIGHT_READ);
}

enum error spare_ready(struct init *init, uint32_t domain, enum start_swaps why, uint8_t priority)
{
    const uint32_t held = init->domain[domain].body, body = spare_of(init, domain);
    const struct child *spare = &init->child[held];
    body_tell(init, held, domain, why);
    enum error error =
        sys_invoke(spare->thread, OPERATION_thread_configure, spare->space, spare->captable,
                   priority, init->domain[body].fault_slot, 0, NULL);
    return error ? error : body_set(init, held, body);
}

void body_begun(struct init *init, uint32_t domain)
{
    body_tell(init, domain, domain, START_LIVES);
}
