/* SPDX-License-Identifier: ISC
 *
 * See svg.h.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "tools/composer/svg.h"

enum { TEXT_BYTES = 512, HEAD_LENGTH = 9, HEAD_HALF = 4 };

/* Viewers that don't know prefers-color-scheme show the light one, on a ground of its own. */
static const char style[] =
    "<style>\n"
    "text { font: 11px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;"
    " fill: #1f2933; }\n"
    ".title { font-size: 18px; font-weight: bold; }\n"
    ".name { font-size: 13px; font-weight: bold; }\n"
    ".small, .heading { fill: #52606d; }\n"
    ".over { paint-order: stroke; stroke: #f1f4f8; stroke-width: 5px; stroke-linejoin: round; }\n"
    ".ground { fill: #ffffff; }\n"
    "rect.domain { fill: #f1f4f8; stroke: #9aa5b1; }\n"
    "rect.server { fill: #ffffff; stroke: #52606d; }\n"
    "rect.init { fill: #e4e9f0; stroke: #9aa5b1; }\n"
    "line.life { stroke: #9aa5b1; stroke-dasharray: 3 4; }\n"
    "line.connection { stroke: #1d4ed8; stroke-width: 1.6px; }\n"
    "path.connection { fill: #1d4ed8; }\n"
    "line.call { stroke: #7c3aed; stroke-width: 1.6px; stroke-dasharray: 6 3; }\n"
    "path.call { fill: #7c3aed; }\n"
    "line.paging { stroke: #be185d; stroke-width: 1.6px; stroke-dasharray: 2 3; }\n"
    "path.paging { fill: #be185d; }\n"
    "line.pool { stroke: #d9a441; stroke-width: 1.6px; }\n"
    "rect.pool, rect.right { fill: #fef3c7; stroke: #b45309; }\n"
    "rect.owner { fill: #b45309; stroke: #b45309; }\n"
    "text.owner { fill: #ffffff; font-weight: bold; }\n"
    "line.device { stroke: #047857; stroke-width: 1.6px; }\n"
    "rect.device { fill: #e3f6ee; stroke: #047857; }\n"
    "rect.key-connection { fill: #1d4ed8; } rect.key-call { fill: #7c3aed; }\n"
    "rect.key-paging { fill: #be185d; }\n"
    "rect.part0 { fill: #1d4ed8; } rect.part1 { fill: #7c3aed; } rect.part2 { fill: #b45309; }\n"
    "rect.part3 { fill: #047857; } rect.part4 { fill: #6b7785; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #e4e7eb; }\n"
    ".small, .heading { fill: #a3b5c7; }\n"
    ".over { stroke: #1a222c; }\n"
    ".ground { fill: #10151c; }\n"
    "rect.domain { fill: #1a222c; stroke: #55657a; }\n"
    "rect.server { fill: #10151c; stroke: #a3b5c7; }\n"
    "rect.init { fill: #232e3b; stroke: #55657a; }\n"
    "line.life { stroke: #55657a; }\n"
    "line.connection { stroke: #7aa2ff; }\n"
    "path.connection { fill: #7aa2ff; }\n"
    "line.call { stroke: #b79bff; }\n"
    "path.call { fill: #b79bff; }\n"
    "line.paging { stroke: #f472b6; }\n"
    "path.paging { fill: #f472b6; }\n"
    "line.pool { stroke: #8a6a1f; }\n"
    "rect.pool, rect.right { fill: #3a2c0a; stroke: #fbbf24; }\n"
    "rect.owner { fill: #fbbf24; stroke: #fbbf24; }\n"
    "text.owner { fill: #1a1204; }\n"
    "line.device { stroke: #34d399; }\n"
    "rect.device { fill: #0d2b22; stroke: #34d399; }\n"
    "rect.key-connection { fill: #7aa2ff; } rect.key-call { fill: #b79bff; }\n"
    "rect.key-paging { fill: #f472b6; }\n"
    "rect.part0 { fill: #7aa2ff; } rect.part1 { fill: #b79bff; } rect.part2 { fill: #fbbf24; }\n"
    "rect.part3 { fill: #34d399; } rect.part4 { fill: #8a99a8; }\n"
    "}\n"
    "</style>\n";

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text >= ' ' && *text <= '~' ? *text : '?', out);
        }
    }
}

void svg_begin(FILE *out, int width, int height, const char *title)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
            width, height, width, height);
    put_escaped(out, title);
    fprintf(out, "</title>\n%s", style);
    fprintf(out, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", width, height);
}

void svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void svg_group(FILE *out, const char *class, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(out, "<g class=\"%s\"><title>", class);
    put_escaped(out, text);
    fputs("</title>\n", out);
}

void svg_group_end(FILE *out)
{
    fputs("</g>\n", out);
}

static void put_rect(FILE *out, const char *class, struct box box, int radius)
{
    fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n",
            class, box.x, box.y, box.width, box.height, radius);
}

void svg_box(FILE *out, const char *class, struct box box)
{
    put_rect(out, class, box, 4);
}

void svg_pill(FILE *out, const char *class, struct box box)
{
    put_rect(out, class, box, box.height / 2);
}

void svg_line(FILE *out, const char *class, int x1, int y1, int x2, int y2)
{
    fprintf(out, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", class, x1, y1,
            x2, y2);
}

void svg_arrow(FILE *out, const char *class, int x1, int x2, int y)
{
    int neck = x2 > x1 ? x2 - HEAD_LENGTH : x2 + HEAD_LENGTH;
    svg_line(out, class, x1, y, neck, y);
    fprintf(out, "<path class=\"%s\" d=\"M%d %d L%d %d L%d %d Z\"/>\n", class, x2, y, neck,
            y - HEAD_HALF, neck, y + HEAD_HALF);
}

void svg_text(FILE *out, const char *class, enum svg_anchor anchor, int x, int y,
              const char *format, ...)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", class, x, y,
            anchors[anchor]);
    put_escaped(out, text);
    fputs("</text>\n", out);
}
