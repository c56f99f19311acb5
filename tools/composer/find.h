/* SPDX-License-Identifier: ISC
 *
 * From an image's name to its manifest: NAME is DIR/NAME.conf in the first of the given folders
 * that has it.
 */
#ifndef COMPOSE_FIND_H
#define COMPOSE_FIND_H

#include <stdbool.h>
#include <stddef.h>

enum { FOLDERS_MAX = 8, MANIFESTS_MAX = 256 };

/* Manifests' paths, in fresh memory. */
struct manifest_list {
    const char *path[MANIFESTS_MAX];
    size_t count;
};

/* Adds the manifest that `word` names: an image of the folders, or a path. False: reported. */
bool manifest_find(struct manifest_list *list, const char *word, const char *const folders[],
                   size_t folder_count);

/* Adds all manifests of the folders, folder by folder, in order of their names. False: reported. */
bool manifest_find_all(struct manifest_list *list, const char *const folders[],
                       size_t folder_count);

#endif
