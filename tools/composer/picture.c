/* SPDX-License-Identifier: ISC
 *
 * See picture.h: draws what picture_plan.c has placed.
 */
#include <inttypes.h>
#include <string.h>

#include "motet/abi.h"
#include "tools/composer/picture.h"
#include "tools/composer/picture_legend.h"
#include "tools/composer/picture_plan.h"

enum {
    ARROW_LABEL = 14, /* from the top of a row: base line of the label, */
    ARROW_LINE = 21,  /* the arrow, */
    ARROW_ENDS = 34,  /* base line of the ports' names */
    POOL_NAME = 17,
    POOL_SIZE = 32,
    POOL_LINE = 20,
    POOL_ALIAS = 41,
};

/* --- domains -------------------------------------------------------------------------------------
 */

static void draw_devices(FILE *out, const struct picture *p, const struct picture_column *column)
{
    struct picture_lines lines;
    int above[SERVERS_MAX];
    for (uint32_t s = 0; s < SERVERS_MAX; s++)
        above[s] =
            column->alone ? column->server[s].y + PICTURE_BOX : column->box.y + column->box.height;
    for (uint32_t i = 0; i < p->c->device_count; i++) {
        const struct image_device *device = &p->c->devices[i];
        const struct box *box = &p->device[i];
        if (device->domain != column->domain)
            continue;
        int x = column->life[device->server];
        picture_device_lines(device, &lines);
        svg_group(out, "device", "device of %s: %s", p->c->domains[column->domain].record.name,
                  lines.text[0]);
        svg_line(out, "device", x, above[device->server], x, box->y);
        svg_box(out, "device", *box);
        for (uint32_t l = 0; l < lines.count; l++)
            svg_text(out, "", SVG_MIDDLE, x,
                     box->y + PICTURE_PAD / 2 + PICTURE_BASE + (int)l * PICTURE_LINE, "%s",
                     lines.text[l]);
        svg_group_end(out);
        above[device->server] = box->y + box->height;
    }
}

static void draw_servers(FILE *out, const struct picture *p, const struct picture_column *column)
{
    const struct program *program = p->c->domains[column->domain].program;
    for (uint32_t s = 0; s < program->server_count; s++) {
        const struct box *box = &column->server[s];
        if (!column->alone)
            svg_line(out, "life", column->life[s], box->y + box->height, column->life[s],
                     column->box.y + column->box.height);
        svg_group(out, "server", "server %s in domain %s", program->servers[s].name,
                  p->c->domains[column->domain].record.name);
        svg_box(out, "server", *box);
        svg_text(out, "name", SVG_MIDDLE, column->life[s], box->y + 18, "%s",
                 program->servers[s].name);
        svg_group_end(out);
    }
}

static void draw_domain(FILE *out, const struct picture *p, const struct picture_column *column)
{
    const struct image_domain *record = &p->c->domains[column->domain].record;
    svg_group(out, "domain", "domain %s, priority %u", record->name, record->priority);
    svg_box(out, "domain", column->box);
    svg_text(out, "name", SVG_START, column->box.x + PICTURE_PAD, column->box.y + 19, "%s",
             record->name);
    for (uint32_t i = 0; i < column->facts.count; i++)
        svg_text(out, "small", SVG_START, column->box.x + PICTURE_PAD,
                 column->box.y + PICTURE_BOX + PICTURE_BASE + (int)i * PICTURE_LINE, "%s",
                 column->facts.text[i]);
    svg_group_end(out);
    draw_servers(out, p, column);
    draw_devices(out, p, column);
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static int life_of(const struct picture *p, struct picture_end end)
{
    return p->columns[p->column_of[end.domain]].life[end.server];
}

static void draw_arrow(FILE *out, const struct picture *p, uint32_t i)
{
    const struct picture_arrow *arrow = &p->arrows[i];
    const int air = 6;
    int y = p->rows + (int)i * PICTURE_ROW;
    int from = life_of(p, arrow->from), to = life_of(p, arrow->to);
    bool left = to < from;
    svg_group(out, arrow->class, "%s", arrow->words);
    svg_arrow(out, arrow->class, from, to, y + ARROW_LINE);
    svg_text(out, "over", SVG_MIDDLE, (from + to) / 2, y + ARROW_LABEL, "%s", arrow->label);
    svg_text(out, "small over", left ? SVG_END : SVG_START, left ? from - air : from + air,
             y + ARROW_ENDS, "%s", arrow->from_text);
    svg_text(out, "small over", left ? SVG_START : SVG_END, left ? to + air : to - air,
             y + ARROW_ENDS, "%s", arrow->to_text);
    svg_group_end(out);
}

/* Where a right is drawn: below the server that has it, or in the middle of the domain. */
static int right_x(const struct picture *p, const struct manifest_right *right)
{
    const struct picture_column *column = &p->columns[p->column_of[right->domain]];
    if (right->server != START_EVERY_SERVER)
        return column->life[right->server];
    return column->box.x + column->box.width / 2;
}

static void draw_right(FILE *out, const struct picture *p, const struct manifest_pool *pool,
                       const struct manifest_right *right, int y)
{
    bool owner = picture_owns(p->c->manifest, pool, right);
    int x = right_x(p, right);
    char letters[4];
    picture_rights(right->rights, letters);
    int width = (int)strlen(letters) * SVG_NAME_ADVANCE + PICTURE_PILL;
    svg_pill(out, owner ? "owner" : "right",
             (struct box){x - width / 2, y + POOL_LINE - PICTURE_PILL / 2, width, PICTURE_PILL});
    svg_text(out, owner ? "owner" : "", SVG_MIDDLE, x, y + POOL_LINE + 4, "%s", letters);
    if (strcmp(right->name, pool->name) != 0)
        svg_text(out, "small over", SVG_MIDDLE, x, y + POOL_ALIAS, "as %s", right->name);
}

static void draw_pool(FILE *out, const struct picture *p, uint32_t i)
{
    const struct manifest_pool *pool = &p->c->manifest->pools[i];
    int y = p->pools + (int)i * PICTURE_ROW, last = p->gutter;
    char size[PICTURE_LINE_BYTES];
    picture_pool_size(pool, size);
    for (uint32_t r = 0; r < pool->right_count; r++) {
        if (right_x(p, &pool->rights[r]) > last)
            last = right_x(p, &pool->rights[r]);
    }
    svg_group(out, "pool", "pool %s of %s: %s", pool->name, pool->owner_name, size);
    svg_line(out, "pool", p->gutter, y + POOL_LINE, last, y + POOL_LINE);
    svg_box(out, "pool", (struct box){PICTURE_MARGIN, y + 2, p->gutter - PICTURE_MARGIN, 36});
    svg_text(out, "name", SVG_START, PICTURE_MARGIN + PICTURE_PAD, y + POOL_NAME, "%s", pool->name);
    svg_text(out, "small", SVG_START, PICTURE_MARGIN + PICTURE_PAD, y + POOL_SIZE, "%s", size);
    for (uint32_t r = 0; r < pool->right_count; r++)
        draw_right(out, p, pool, &pool->rights[r], y);
    svg_group_end(out);
}

/* --- above and below -----------------------------------------------------------------------------
 */

static void draw_heading(FILE *out, const struct picture *p)
{
    const struct composition *c = p->c;
    char counts[PICTURE_LINE_BYTES];
    picture_counts(c->manifest, counts);
    const unsigned page = PAGE_BYTES / 1024;
    svg_text(out, "title", SVG_START, PICTURE_MARGIN, PICTURE_MARGIN + 14, "%s",
             c->manifest->image);
    svg_text(out, "small", SVG_START, PICTURE_MARGIN, PICTURE_MARGIN + 34,
             "%s; needs %" PRIu64 " KiB", counts, c->needed_bytes / 1024);
    svg_group(out, "init", "init, the supervisor of all domains");
    svg_box(out, "init", p->init);
    svg_text(out, "name", SVG_START, p->init.x + PICTURE_PAD, p->init.y + 20, "init");
    svg_text(
        out, "small", SVG_START, p->init.x + PICTURE_PAD + 5 * SVG_NAME_ADVANCE, p->init.y + 20,
        "priority %u, memory %" PRIu64 " KiB, objects %" PRIu64 " KiB; every domain may send to it",
        c->domains[0].record.priority, c->domains[0].memory_pages * page,
        c->domains[0].object_pages * page);
    svg_group_end(out);
    if (p->joined < p->count)
        svg_text(out, "small", SVG_START, PICTURE_MARGIN, p->alone_y + PICTURE_BASE,
                 "joined to no other domain:");
}

void picture_draw(FILE *out, const struct composition *composition)
{
    static struct picture p;
    picture_plan(&p, composition);
    p.height = picture_legend(NULL, &p) + PICTURE_MARGIN;
    svg_begin(out, p.width, p.height, composition->manifest->image);
    draw_heading(out, &p);
    for (uint32_t i = 0; i < p.count; i++)
        draw_domain(out, &p, &p.columns[i]);
    for (uint32_t i = 0; i < composition->manifest->pool_count; i++)
        draw_pool(out, &p, i);
    for (uint32_t i = 0; i < p.arrow_count; i++)
        draw_arrow(out, &p, i);
    picture_legend(out, &p);
    svg_end(out);
}
