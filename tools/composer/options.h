/* SPDX-License-Identifier: ISC
 *
 * compose's command line, checked.
 */
#ifndef COMPOSE_OPTIONS_H
#define COMPOSE_OPTIONS_H

#include "tools/composer/find.h"
#include "tools/composer/program.h"

enum { FILE_OPTIONS_MAX = 64 };

struct options {
    const char *output, *map;
    const char *program;        /* the domain whose program alone is wanted; -o says where */
    const char *programs;       /* folder for those of all domains that can be swapped */
    const char *svg, *pictures; /* a file; or a folder, where the image's name decides */
    struct link_paths paths;
    const char *files[FILE_OPTIONS_MAX]; /* "NAME=PATH" */
    size_t file_count;
    const char *replaced[SERVERS_MAX]; /* "SERVER=OBJECT" */
    const char *folders[FOLDERS_MAX];  /* of manifests that are called by name */
    size_t folder_count;
    char *const *words; /* the manifests, or names of images */
    size_t word_count;
    bool check, explain, servers;
    bool temporary; /* paths.work is ours to remove */
};

/* Ends the program, with status 2, when the command line is wrong. */
void options_parse(struct options *options, int count, char **arguments);

#endif
