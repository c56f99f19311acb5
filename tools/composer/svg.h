/* SPDX-License-Identifier: ISC
 *
 * Drawing as SVG: boxes, lines and texts, each of a class that the style sheet colours for light
 * and for dark. Coordinates are pixels from the upper left corner. All letters have the same
 * width, so that a layout can know how long a text is without knowing the reader's fonts.
 */
#ifndef COMPOSE_SVG_H
#define COMPOSE_SVG_H

#include <stdio.h>

/* Pixels that a letter takes, rounded up: 0.61 em of the font sizes in the style sheet. */
enum { SVG_TITLE_ADVANCE = 11, SVG_NAME_ADVANCE = 8, SVG_TEXT_ADVANCE = 7 };

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

struct box {
    int x, y, width, height;
};

void svg_begin(FILE *out, int width, int height, const char *title);
void svg_end(FILE *out);

/* A group; its text says in words what it shows (browsers show it over the group). */
__attribute__((format(printf, 3, 4))) void svg_group(FILE *out, const char *class,
                                                     const char *format, ...);
void svg_group_end(FILE *out);

void svg_box(FILE *out, const char *class, struct box box);
void svg_pill(FILE *out, const char *class, struct box box);
void svg_line(FILE *out, const char *class, int x1, int y1, int x2, int y2);

/* A horizontal arrow, its head at x2. */
void svg_arrow(FILE *out, const char *class, int x1, int x2, int y);

/* `y` is the base line. Letters that XML has other uses for are escaped, those that aren't ASCII
 * become '?'. */
__attribute__((format(printf, 6, 7))) void svg_text(FILE *out, const char *class,
                                                    enum svg_anchor anchor, int x, int y,
                                                    const char *format, ...);

#endif
