/* SPDX-License-Identifier: ISC
 *
 * See picture_legend.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "motet/abi.h"
#include "tools/composer/picture_legend.h"

enum {
    KEY = 12, /* width and height of an entry's colour, height of the bar */
    KEY_SPACE = 6,
    PARTS = 5,
};

struct legend {
    FILE *out; /* NULL: only to know where it ends */
    int left, right;
    int x, y; /* of the next entry */
};

static void next_line(struct legend *legend)
{
    legend->x = legend->left;
    legend->y += PICTURE_LINE + KEY_SPACE;
}

__attribute__((format(printf, 3, 4))) static void add(struct legend *legend, const char *class,
                                                      const char *format, ...)
{
    char text[PICTURE_WORDS_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int width = KEY + KEY_SPACE + (int)strlen(text) * SVG_TEXT_ADVANCE;
    if (legend->x > legend->left && legend->x + width > legend->right)
        next_line(legend);
    if (legend->out) {
        svg_box(legend->out, class, (struct box){legend->x, legend->y, KEY, KEY});
        svg_text(legend->out, "small", SVG_START, legend->x + KEY + KEY_SPACE, legend->y + 10, "%s",
                 text);
    }
    legend->x += width + PICTURE_GAP;
}

/* The image's memory, each part as long as its share. */
static void memory(struct legend *legend, const struct composition *c)
{
    static const char *const names[PARTS] = {"domains", "rings and pools", "image",
                                             "kernel objects", "kernel, about"};
    char class[] = "part0";
    uint64_t own = 0, before = 0;
    for (uint32_t d = 0; d < c->domain_count; d++)
        own += c->domains[d].memory_pages;
    const uint64_t bytes[PARTS] = {own * PAGE_BYTES, (c->memory_pages - own) * PAGE_BYTES,
                                   c->block_bytes, c->object_pages * PAGE_BYTES, KERNEL_BYTES};
    uint64_t all = bytes[0] + bytes[1] + bytes[2] + bytes[3] + bytes[4];
    uint64_t width = (uint64_t)(legend->right - legend->left);
    for (unsigned i = 0; legend->out && i < PARTS; i++) {
        if (!bytes[i])
            continue;
        int from = (int)(before * width / all), to = (int)((before + bytes[i]) * width / all);
        class[4] = (char)('0' + i);
        svg_box(legend->out, class, (struct box){legend->left + from, legend->y, to - from, KEY});
        before += bytes[i];
    }
    next_line(legend);
    for (unsigned i = 0; i < PARTS; i++) {
        class[4] = (char)('0' + i);
        if (bytes[i])
            add(legend, class, "%s %" PRIu64 " KiB", names[i], bytes[i] / 1024);
    }
    next_line(legend);
}

static bool has(const struct picture *p, const char *class)
{
    for (uint32_t i = 0; i < p->arrow_count; i++) {
        if (!strcmp(p->arrows[i].class, class))
            return true;
    }
    return false;
}

/* Only of what there is. */
static void meanings(struct legend *legend, const struct picture *p)
{
    if (has(p, "connection"))
        add(legend, "key-connection", "client to server: protocol, version, messages each way");
    if (has(p, "call"))
        add(legend, "key-call", "the same inside a domain: a call");
    if (has(p, "paging"))
        add(legend, "key-paging", "who serves the heap");
    if (p->c->manifest->pool_count) {
        add(legend, "right", "may: r read, w write, d device");
        add(legend, "owner", "the pool's owner");
    }
    if (p->c->device_count)
        add(legend, "device", "devices that it drives");
}

int picture_legend(FILE *out, const struct picture *p)
{
    struct legend legend = {out, PICTURE_MARGIN, p->width - PICTURE_MARGIN, PICTURE_MARGIN,
                            p->footer};
    memory(&legend, p->c);
    meanings(&legend, p);
    return legend.y + KEY;
}
