/* SPDX-License-Identifier: ISC
 *
 * See picture_plan.h.
 */
#include <string.h>

#include "tools/composer/picture_order.h"
#include "tools/composer/picture_plan.h"

enum {
    SERVER_GAP = 16,   /* between two servers of a domain */
    LABEL_SPACE = 32,  /* beside an arrow's texts: its head, and air */
    DEVICE_SPACE = 10, /* above a device */
    INIT_HEIGHT = 30,
    TITLE_HEIGHT = 62,
    ALONE_WIDTH = 900, /* that those alone may take, if the columns don't take more */
    WIDTH_MIN = 760,   /* room for the init's words and the legend */
};

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int text_width(const char *text, int advance)
{
    return (int)strlen(text) * advance;
}

static const struct program *program_of(const struct picture *p,
                                        const struct picture_column *column)
{
    return p->c->domains[column->domain].program;
}

/* --- arrows --------------------------------------------------------------------------------------
 */

static void plan_connection(struct picture *p, uint32_t i)
{
    const struct manifest_connection *drawn = &p->c->manifest->connections[i];
    struct picture_arrow *arrow = &p->arrows[p->arrow_count++];
    char label[PICTURE_LINE_BYTES];
    arrow->class = is_direct(drawn) ? "call" : "connection";
    arrow->from = (struct picture_end){drawn->client.domain, drawn->client.server};
    arrow->to = (struct picture_end){drawn->server.domain, drawn->server.server};
    arrow->from_text = drawn->client.port_name;
    arrow->to_text = drawn->server.port_name;
    picture_connection_text(p->c, i, label);
    snprintf(arrow->label, sizeof arrow->label, "%s", label);
    snprintf(arrow->words, sizeof arrow->words, "connection %s to %s, %s: %s each way",
             drawn->client.text, drawn->server.text, transport_name(drawn), label);
}

static void plan_paging(struct picture *p, uint32_t domain)
{
    const struct image_domain *record = &p->c->domains[domain].record;
    struct picture_arrow *arrow = &p->arrows[p->arrow_count++];
    arrow->class = "paging";
    arrow->from = (struct picture_end){domain, 0};
    arrow->to = (struct picture_end){record->pager, 0};
    arrow->from_text = "heap";
    arrow->to_text = "pager";
    snprintf(arrow->label, sizeof arrow->label, "page faults");
    snprintf(arrow->words, sizeof arrow->words, "%s serves the heap of %s",
             p->c->domains[record->pager].record.name, record->name);
}

static void plan_arrows(struct picture *p)
{
    for (uint32_t i = 0; i < p->c->manifest->connection_count; i++)
        plan_connection(p, i);
    for (uint32_t d = 1; d < p->c->drawn_count; d++) {
        if (p->c->domains[d].record.heap_blocks && p->c->domains[d].record.pager)
            plan_paging(p, d);
    }
}

static int arrow_width(const struct picture_arrow *arrow)
{
    int below = text_width(arrow->from_text, SVG_TEXT_ADVANCE) +
                text_width(arrow->to_text, SVG_TEXT_ADVANCE);
    return most(below, text_width(arrow->label, SVG_TEXT_ADVANCE)) + LABEL_SPACE;
}

/* --- columns -------------------------------------------------------------------------------------
 */

/* Of the devices of a server; 0: it has none. */
static int devices_width(const struct picture *p, uint32_t domain, uint32_t server)
{
    struct picture_lines lines;
    int width = 0;
    for (uint32_t i = 0; i < p->c->device_count; i++) {
        if (p->c->devices[i].domain != domain || p->c->devices[i].server != server)
            continue;
        picture_device_lines(&p->c->devices[i], &lines);
        width = most(width, picture_lines_width(&lines) + 2 * PICTURE_PAD);
    }
    return width;
}

static int server_width(const struct picture *p, const struct picture_column *column, uint32_t s)
{
    return text_width(program_of(p, column)->servers[s].name, SVG_NAME_ADVANCE) + 2 * PICTURE_PAD;
}

/* The longest of the names that a server (START_EVERY_SERVER: the domain) has for its pools. */
static int pools_width(const struct picture *p, uint32_t domain, uint32_t server)
{
    int width = 0;
    for (uint32_t i = 0; i < p->c->manifest->pool_count; i++) {
        const struct manifest_pool *pool = &p->c->manifest->pools[i];
        for (uint32_t r = 0; r < pool->right_count; r++) {
            const struct manifest_right *right = &pool->rights[r];
            if (right->domain == domain && right->server == server)
                width = most(width, text_width(right->name, SVG_TEXT_ADVANCE));
        }
    }
    return width ? width + text_width("as ", SVG_TEXT_ADVANCE) : 0;
}

/* With what hangs below it. */
static int lane_width(const struct picture *p, const struct picture_column *column, uint32_t s)
{
    int below = most(devices_width(p, column->domain, s), pools_width(p, column->domain, s));
    return most(server_width(p, column, s), below);
}

/* Its name, its facts, what it calls its pools. */
static int words_width(const struct picture *p, const struct picture_column *column)
{
    int width = text_width(p->c->domains[column->domain].record.name, SVG_NAME_ADVANCE);
    width = most(width, picture_lines_width(&column->facts));
    width = most(width, pools_width(p, column->domain, START_EVERY_SERVER));
    return width + 2 * PICTURE_PAD;
}

static bool is_end(struct picture_end end, uint32_t domain, uint32_t server)
{
    return end.domain == domain && end.server == server;
}

/* Where the line of a server may be at the earliest: far enough from those that stand already. */
static int first_life(const struct picture *p, uint32_t at, uint32_t position)
{
    const struct picture_column *column = &p->columns[at];
    uint32_t server = column->order[position];
    int first = 0;
    for (uint32_t i = 0; i < p->arrow_count; i++) {
        const struct picture_arrow *arrow = &p->arrows[i];
        bool from = is_end(arrow->from, column->domain, server);
        struct picture_end other = from ? arrow->to : arrow->from;
        if (!from && !is_end(arrow->to, column->domain, server))
            continue;
        uint32_t there = p->column_of[other.domain];
        bool stands = there < at;
        for (uint32_t s = 0; there == at && s < position; s++)
            stands |= column->order[s] == other.server;
        if (stands)
            first = most(first, p->columns[there].life[other.server] + arrow_width(arrow));
    }
    return first;
}

/* Servers from left to right; the box becomes as wide as they and the words need. */
static void place_servers(struct picture *p, uint32_t at)
{
    struct picture_column *column = &p->columns[at];
    uint32_t count = program_of(p, column)->server_count;
    int words = words_width(p, column), cursor = column->box.x + PICTURE_PAD;
    if (count == 1)
        cursor += most(0, words - 2 * PICTURE_PAD - lane_width(p, column, 0)) / 2;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t s = column->order[i];
        int half = (lane_width(p, column, s) + 1) / 2;
        int life = most(cursor + half, first_life(p, at, i));
        if (!i) /* the whole column moves */
            column->box.x += life - cursor - half;
        column->life[s] = life;
        column->server[s].width = server_width(p, column, s);
        column->server[s].height = PICTURE_BOX;
        column->server[s].x = life - column->server[s].width / 2;
        cursor = life + half + SERVER_GAP;
    }
    column->box.width = most(words, cursor - SERVER_GAP + PICTURE_PAD - column->box.x);
}

/* From the column's top: name, facts, servers; returns where the servers end. */
static int place_head(struct picture *p, struct picture_column *column, uint32_t facts)
{
    int y = column->box.y + PICTURE_BOX + (int)facts * PICTURE_LINE + PICTURE_PAD;
    for (uint32_t s = 0; s < program_of(p, column)->server_count; s++)
        column->server[s].y = y;
    return y + PICTURE_BOX;
}

/* Below `y`, each under its server, one under the other; returns where the lowest ends. */
static int place_devices(struct picture *p, const struct picture_column *column, int y)
{
    struct picture_lines lines;
    int ends[SERVERS_MAX], lowest = y;
    for (uint32_t s = 0; s < SERVERS_MAX; s++)
        ends[s] = y;
    for (uint32_t i = 0; i < p->c->device_count; i++) {
        const struct image_device *device = &p->c->devices[i];
        if (device->domain != column->domain)
            continue;
        int *end = &ends[device->server];
        picture_device_lines(device, &lines);
        p->device[i].width = picture_lines_width(&lines) + 2 * PICTURE_PAD;
        p->device[i].height = (int)lines.count * PICTURE_LINE + PICTURE_PAD;
        p->device[i].x = column->life[device->server] - p->device[i].width / 2;
        p->device[i].y = *end + DEVICE_SPACE;
        *end = p->device[i].y + p->device[i].height;
        lowest = most(lowest, *end);
    }
    return lowest;
}

static uint32_t most_facts(const struct picture *p, uint32_t first, uint32_t end)
{
    uint32_t count = 0;
    for (uint32_t i = first; i < end; i++) {
        if (p->columns[i].facts.count > count)
            count = p->columns[i].facts.count;
    }
    return count;
}

/* --- the parts of the picture --------------------------------------------------------------------
 */

static int gutter_width(const struct picture *p)
{
    int width = 0;
    for (uint32_t i = 0; i < p->c->manifest->pool_count; i++) {
        char size[PICTURE_LINE_BYTES];
        picture_pool_size(&p->c->manifest->pools[i], size);
        width = most(width, text_width(p->c->manifest->pools[i].name, SVG_NAME_ADVANCE));
        width = most(width, text_width(size, SVG_TEXT_ADVANCE));
    }
    return width ? width + 2 * PICTURE_PAD : 0;
}

/* Columns, rows and devices. Returns where they end. */
static int place_joined(struct picture *p, int y)
{
    uint32_t facts = most_facts(p, 0, p->joined);
    int gutter = gutter_width(p), x;
    if (!p->joined)
        return y;
    p->gutter = PICTURE_MARGIN + gutter;
    x = p->gutter + (gutter ? PICTURE_GAP : 0);
    for (uint32_t i = 0; i < p->joined; i++) {
        p->columns[i].box = (struct box){.x = x, .y = y};
        place_servers(p, i);
        p->rows = place_head(p, &p->columns[i], facts) + PICTURE_PAD;
        x = p->columns[i].box.x + p->columns[i].box.width + PICTURE_GAP;
    }
    p->width = x - PICTURE_GAP + PICTURE_MARGIN;
    p->pools = p->rows + (int)p->arrow_count * PICTURE_ROW;
    int bottom = p->pools + (int)p->c->manifest->pool_count * PICTURE_ROW + PICTURE_PAD;
    int lowest = bottom;
    for (uint32_t i = 0; i < p->joined; i++) {
        p->columns[i].box.height = bottom - y;
        lowest = most(lowest, place_devices(p, &p->columns[i], bottom + DEVICE_SPACE));
    }
    return lowest + PICTURE_GAP;
}

/* Returns its width. */
static int place_one_alone(struct picture *p, uint32_t i, int x, int y)
{
    p->columns[i].box = (struct box){.x = x, .y = y};
    place_servers(p, i);
    return p->columns[i].box.width;
}

static void shift_servers(struct picture_column *column, uint32_t count, int pixels)
{
    for (uint32_t s = 0; s < count; s++) {
        column->life[s] += pixels;
        column->server[s].x += pixels;
    }
}

/* A grid below the columns. Returns where it ends. */
static int place_alone(struct picture *p, int y)
{
    uint32_t facts = most_facts(p, p->joined, p->count);
    int room = most(ALONE_WIDTH, p->width - PICTURE_MARGIN), x = PICTURE_MARGIN, wide = 0;
    if (p->joined == p->count)
        return y;
    p->alone_y = y;
    y += PICTURE_LINE + PICTURE_PAD;
    for (uint32_t i = p->joined; i < p->count; i++)
        wide = most(wide, place_one_alone(p, i, 0, 0));
    int lowest = y;
    for (uint32_t i = p->joined; i < p->count; i++) {
        struct picture_column *column = &p->columns[i];
        if (x > PICTURE_MARGIN && x + wide > room) {
            x = PICTURE_MARGIN;
            y = lowest + PICTURE_GAP;
        }
        shift_servers(column, program_of(p, column)->server_count,
                      (wide - place_one_alone(p, i, x, y)) / 2);
        int end = place_devices(p, column, place_head(p, column, facts)) + PICTURE_PAD;
        column->box.width = wide;
        column->box.height = end - y;
        lowest = most(lowest, end);
        x += wide + PICTURE_GAP;
        p->width = most(p->width, x - PICTURE_GAP + PICTURE_MARGIN);
    }
    return lowest + PICTURE_GAP;
}

void picture_plan(struct picture *p, const struct composition *composition)
{
    p->c = composition;
    plan_arrows(p);
    picture_order(p);
    for (uint32_t i = 0; i < p->count; i++)
        picture_facts(composition, p->columns[i].domain, &p->columns[i].facts);
    p->init = (struct box){.x = PICTURE_MARGIN, .y = TITLE_HEIGHT + PICTURE_PAD};
    p->init.height = INIT_HEIGHT;
    int y = place_joined(p, p->init.y + p->init.height + PICTURE_GAP);
    p->footer = place_alone(p, y);
    p->width = most(p->width, WIDTH_MIN);
    p->init.width = p->width - 2 * PICTURE_MARGIN;
}
