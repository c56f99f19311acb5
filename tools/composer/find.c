/* SPDX-License-Identifier: ISC
 *
 * See find.h.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/composer/find.h"
#include "tools/composer/program.h"
#include "tools/composer/report.h"

static const char suffix[] = ".conf";

static bool ends_with_suffix(const char *name)
{
    size_t length = strlen(name), end = sizeof suffix - 1;
    return length > end && !strcmp(name + length - end, suffix);
}

static bool list_add(struct manifest_list *list, const char *path)
{
    if (list->count == MANIFESTS_MAX)
        return report((struct place){path, 0}, "there are more than %d manifests — name some",
                      MANIFESTS_MAX);
    list->path[list->count++] = path;
    return true;
}

static int is_manifest(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && ends_with_suffix(entry->d_name);
}

static bool add_folder(struct manifest_list *list, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_manifest, alphasort);
    bool good = true;
    if (count < 0)
        return report((struct place){folder, 0}, "can't be read (%s) — correct the path",
                      strerror(errno));
    for (int i = 0; i < count; i++) {
        good = good && list_add(list, text_format("%s/%s", folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return good;
}

bool manifest_find_all(struct manifest_list *list, const char *const folders[], size_t folder_count)
{
    for (size_t i = 0; i < folder_count; i++) {
        if (!add_folder(list, folders[i]))
            return false;
    }
    return true;
}

/* "images/dns.conf": "dns" */
static const char *image_of(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    return text_format("%.*s", (int)(strlen(name) - (sizeof suffix - 1)), name);
}

static bool report_unknown(const char *word, const char *const folders[], size_t folder_count)
{
    struct manifest_list all = {.count = 0};
    const char *names[MANIFESTS_MAX];
    char near[SUGGESTION_BYTES], there[SUGGESTION_BYTES];
    if (!manifest_find_all(&all, folders, folder_count))
        return false;
    for (size_t i = 0; i < all.count; i++)
        names[i] = image_of(all.path[i]);
    suggest(near, word, names, all.count);
    suggest(there, "", names, all.count);
    return report((struct place){"compose", 0}, "no image and no manifest \"%s\" — %s%s%s", word,
                  near, strcmp(near, there) ? " " : "", strcmp(near, there) ? there : "");
}

bool manifest_find(struct manifest_list *list, const char *word, const char *const folders[],
                   size_t folder_count)
{
    for (size_t i = 0; i < folder_count && !strchr(word, '/'); i++) {
        const char *path = text_format("%s/%s%s", folders[i], word, suffix);
        if (!access(path, F_OK))
            return list_add(list, path);
    }
    if (!folder_count || strchr(word, '/') || ends_with_suffix(word) || !access(word, F_OK))
        return list_add(list, word);
    return report_unknown(word, folders, folder_count);
}
