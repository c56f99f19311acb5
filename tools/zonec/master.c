/* SPDX-License-Identifier: ISC
 *
 * Reading master files, see master.h. Lines are put together and directives are obeyed here,
 * records are parsed by ldns.
 */
#define _GNU_SOURCE 1 /* getc_unlocked, strcasecmp */
#include "tools/zonec/master.h"

#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <strings.h>

#include "tools/zonec/at_name.h"
#include "tools/zonec/check.h"
#include "tools/zonec/memory.h"

enum {
    DEFAULT_TTL = 3600,       /* seconds, where a file has no $TTL: what NSD and Knot take */
    INCLUDE_MAX = 8,          /* files inside each other: more is a loop */
    ENTRY_SIZE_MAX = 1 << 20, /* characters: a record of 64 KiB, written as \DDD, takes 256 KiB */
    PROGRESS_PERIOD = 4096,   /* records between two looks at the clock */
};

/* One master file being read. */
struct master {
    struct store *store;
    struct report *report;
    FILE *file;
    const char *path;
    unsigned depth;     /* of $INCLUDE */
    uint32_t line;      /* the next character's */
    struct place place; /* of the current entry's first line */
    char *text;         /* the current entry: one line, no comments, no parentheses */
    size_t text_length, text_capacity;
    ldns_rdf *origin;
    ldns_rdf *owner; /* the last record's, for records without; NULL before the first */
    uint32_t ttl;    /* seconds, for records without */
};

static void text_add(struct master *master, int character)
{
    master->text = memory_grow(master->text, &master->text_capacity, master->text_length + 1, 1);
    master->text[master->text_length++] = (char)character;
}

/* Reads a character and counts lines. Carriage returns, as other systems write them, are blanks. */
static int next_character(struct master *master)
{
    int character = getc_unlocked(master->file);

    if (character == '\n')
        master->line++;
    return character == '\r' ? ' ' : character;
}

/* Skips a comment. Returns the character that ends it. */
static int skip_comment(struct master *master)
{
    int character;

    do
        character = next_character(master);
    while (character != '\n' && character != EOF);
    return character;
}

/* Reads the next entry: up to the first end of line outside of parentheses. Returns what is wrong
 * with it, NULL when nothing is; *end is set at the end of the file. */
static const char *entry_read(struct master *master, bool *end)
{
    unsigned parentheses = 0;
    bool quoted = false;

    master->text_length = 0;
    master->place.line = master->line;
    for (;;) {
        int character = next_character(master);
        if (character == ';' && !quoted)
            character = skip_comment(master);
        *end = character == EOF;
        if (character == '\0')
            return "zero octet, this isn't a text file";
        if (character == '\n' || character == EOF) {
            if (quoted)
                return "quoted string without its end, add a \"";
            if (parentheses > 0 && character == EOF)
                return "parenthesis without its end, add a )";
            if (parentheses == 0)
                break;
            character = ' ';
        } else if (character == '\\') {
            text_add(master, character);
            character = next_character(master);
            if (character == EOF || character == '\n')
                return "backslash at the end of a line, remove it";
        } else if (character == '"') {
            quoted = !quoted;
        } else if (character == '(' && !quoted) {
            parentheses++;
            if (master->text_length == 0)
                continue;
            character = ' ';
        } else if (character == ')' && !quoted) {
            if (parentheses-- == 0)
                return "closing parenthesis without an opening one, remove it";
            character = ' ';
        }
        text_add(master, character);
        if (master->text_length > ENTRY_SIZE_MAX)
            return "entry of more than 1 MiB, close its parenthesis or remove it";
    }
    text_add(master, '\0');
    return NULL;
}

/* Cuts the next word off *rest, NULL when there is none. */
static char *word_next(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");

    if (*word == '\0')
        return NULL;
    *rest = word + strcspn(word, " \t");
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

static bool word_is_class(const char *word, size_t length)
{
    static const char *const classes[] = {"IN", "CH", "HS"};

    for (size_t index = 0; index < sizeof classes / sizeof *classes; index++) {
        if (length == 2 && strncasecmp(word, classes[index], 2) == 0)
            return true;
    }
    return length > 5 && strncasecmp(word, "CLASS", 5) == 0 && isdigit((unsigned char)word[5]);
}

static bool word_is_ttl(const char *word, size_t length)
{
    return length > 0 && isdigit((unsigned char)word[0]) &&
           strspn(word, "0123456789smhdwSMHDW") >= length;
}

/* RFC 1035 allows the class before the TTL; ldns wants it behind. */
static void put_class_behind_ttl(char *text)
{
    char *class = text + strcspn(text, " \t");
    class += strspn(class, " \t");
    size_t class_length = strcspn(class, " \t");
    char *ttl = class + class_length + strspn(class + class_length, " \t");
    size_t ttl_length = strcspn(ttl, " \t");
    char copy[16];

    if (!word_is_class(class, class_length) || !word_is_ttl(ttl, ttl_length) ||
        class_length >= sizeof copy)
        return;
    memcpy(copy, class, class_length);
    memmove(class, ttl, ttl_length);
    class += ttl_length;
    memset(class, ' ', (size_t)(ttl - class) + ttl_length - class_length);
    memcpy(ttl + ttl_length - class_length, copy, class_length);
}

/* Reads a name relative to the origin. Returns NULL when it isn't one. */
static ldns_rdf *name_read(const char *text, const ldns_rdf *origin)
{
    ldns_rdf *name = NULL;

    if (strcmp(text, "@") == 0)
        return ldns_rdf_clone(origin);
    if (ldns_str2rdf_dname(&name, text) != LDNS_STATUS_OK)
        return NULL;
    if (!ldns_dname_str_absolute(text) && ldns_dname_cat(name, origin) != LDNS_STATUS_OK) {
        ldns_rdf_deep_free(name);
        return NULL;
    }
    return name;
}

static void directive_ttl(struct master *master, const char *value)
{
    const char *end = value;
    uint32_t ttl = ldns_str2period(value, &end);

    if (end == value || *end != '\0' || ttl > DNS_TTL_MAX)
        report_error(master->report, master->place,
                     "$TTL %s isn't a time of 0 to %u seconds, write a number", value, DNS_TTL_MAX);
    else
        master->ttl = ttl;
}

static void directive_origin(struct master *master, const char *value)
{
    ldns_rdf *origin = name_read(value, master->origin);

    if (origin == NULL) {
        report_error(master->report, master->place, "$ORIGIN %s isn't a name, mend it", value);
        return;
    }
    ldns_rdf_deep_free(master->origin);
    master->origin = origin;
}

static void file_read(struct master *master);

/* The path of an included file: relative ones start from the including file's folder. */
static char *include_path(const char *from, const char *path)
{
    const char *slash = strrchr(from, '/');
    size_t folder = path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - from) + 1;
    char *joined = memory_resize(NULL, folder + strlen(path) + 1, 1);

    memcpy(joined, from, folder);
    strcpy(joined + folder, path);
    return joined;
}

static void directive_include(struct master *master, const char *path, const char *origin)
{
    struct master included = {
        .store = master->store,
        .report = master->report,
        .depth = master->depth + 1,
        .place = master->place,
        .ttl = master->ttl,
    };

    if (included.depth > INCLUDE_MAX) {
        report_error(master->report, master->place,
                     "$INCLUDE nested deeper than %d files, end the loop", INCLUDE_MAX);
        return;
    }
    included.origin = name_read(origin == NULL ? "@" : origin, master->origin);
    if (included.origin == NULL) {
        report_error(master->report, master->place, "$INCLUDE origin %s isn't a name, mend it",
                     origin);
        return;
    }
    if (master->owner != NULL)
        included.owner = ldns_rdf_clone(master->owner);
    char *joined = include_path(master->path, path);
    included.path = joined;
    file_read(&included);
    free(joined);
    ldns_rdf_deep_free(included.origin);
    ldns_rdf_deep_free(included.owner);
}

static void directive_obey(struct master *master)
{
    char *rest = master->text;
    const char *directive = word_next(&rest);
    const char *value = word_next(&rest);
    const char *second = word_next(&rest);
    bool include = strcasecmp(directive, "$INCLUDE") == 0;

    bool ttl = strcasecmp(directive, "$TTL") == 0;
    bool origin = strcasecmp(directive, "$ORIGIN") == 0;

    if (!include && !ttl && !origin)
        report_error(master->report, master->place,
                     "%s is unknown, only $TTL, $ORIGIN and $INCLUDE may be used", directive);
    else if (value == NULL || (second != NULL && !include) || word_next(&rest) != NULL)
        report_error(master->report, master->place, "%s takes one value, mend the line", directive);
    else if (include)
        directive_include(master, value, second);
    else if (ttl)
        directive_ttl(master, value);
    else
        directive_origin(master, value);
}

/* Puts a parsed record into the store. */
static void record_store(struct master *master, const ldns_rr *record)
{
    static uint8_t rdata[UINT16_MAX];
    const ldns_rdf *owner_field = ldns_rr_owner(record);
    uint16_t type = (uint16_t)ldns_rr_get_type(record);
    struct dns_name owner;
    size_t length = 0;

    for (size_t field = 0; field < ldns_rr_rd_count(record); field++) {
        const ldns_rdf *data = ldns_rr_rdf(record, field);
        size_t size = ldns_rdf_size(data);
        if (size > sizeof rdata - length) {
            report_error(master->report, master->place,
                         "record of more than 65535 octets, split it");
            return;
        }
        memcpy(rdata + length, ldns_rdf_data(data), size);
        length += size;
    }
    if (ldns_rr_get_class(record) != LDNS_RR_CLASS_IN) {
        report_error(master->report, master->place,
                     "only class IN is served, change the class or remove the record");
        return;
    }
    if (name_parse(&owner, ldns_rdf_data(owner_field), ldns_rdf_size(owner_field)) == 0 ||
        !rdata_is_whole(type, rdata, length)) {
        report_error(master->report, master->place, "malformed name or data, mend the record");
        return;
    }
    store_record_add(master->store, &owner, type, ldns_rr_ttl(record), rdata, (uint16_t)length,
                     master->place);
}

/* Has ldns parse the entry as a record. ldns takes a default TTL of 0 for none and 3600 for that:
 * so it is told another, and where that is what comes out, a third, to see whether it was the
 * default.
 */
static ldns_status record_parse(struct master *master, ldns_rr **record)
{
    enum { MADE_UP = 1, MADE_UP_TOO = 2 };
    const char *text = master->text;
    ldns_status status = ldns_rr_new_frm_str(record, text, master->ttl > 0 ? master->ttl : MADE_UP,
                                             master->origin, &master->owner);

    if (status != LDNS_STATUS_OK || master->ttl > 0 || ldns_rr_ttl(*record) != MADE_UP)
        return status;
    ldns_rr_free(*record);
    status = ldns_rr_new_frm_str(record, text, MADE_UP_TOO, master->origin, &master->owner);
    if (status == LDNS_STATUS_OK && ldns_rr_ttl(*record) == MADE_UP_TOO)
        ldns_rr_set_ttl(*record, 0);
    return status;
}

static void record_read(struct master *master)
{
    ldns_rr *record = NULL;

    if (isblank((unsigned char)master->text[0]) && master->owner == NULL) {
        report_error(master->report, master->place,
                     "record without a name and none before it, write the name or @ first");
        return;
    }
    put_class_behind_ttl(master->text);
    ldns_status status = record_parse(master, &record);
    if (status == LDNS_STATUS_OK)
        status = at_names_restore(record, master->text, master->origin);
    if (status != LDNS_STATUS_OK) {
        report_error(master->report, master->place, "%s: \"%.60s\", mend the record",
                     ldns_get_errorstr_by_id(status), master->text);
        ldns_rr_free(record);
        return;
    }
    record_store(master, record);
    ldns_rr_free(record);
    if (master->store->record_count % PROGRESS_PERIOD == 0)
        report_progress(master->report, "%zu records read, %s line %u", master->store->record_count,
                        master->path, master->line);
}

static void entries_read(struct master *master)
{
    bool end = false;

    while (!end) {
        const char *problem = entry_read(master, &end);
        if (problem != NULL) {
            report_error(master->report, master->place, "%s", problem);
            return;
        }
        if (master->text[strspn(master->text, " \t")] == '\0')
            continue;
        if (master->text[0] == '$')
            directive_obey(master);
        else
            record_read(master);
    }
}

/* Reads the file at master->path. Where that can't be opened, `place` says who asked for it. */
static void file_read(struct master *master)
{
    master->file = fopen(master->path, "r");
    if (master->file == NULL) {
        report_error(master->report, master->place, "can't read %s: %s", master->path,
                     strerror(errno));
        return;
    }
    if (master->depth > 0)
        master->place.file = report_file(master->report, master->path);
    master->line = 1;
    entries_read(master);
    if (ferror(master->file))
        report_error(master->report, master->place, "can't read on: %s", strerror(errno));
    fclose(master->file);
    free(master->text);
}

void master_read(struct store *store, const char *origin, const char *path)
{
    struct master master = {
        .store = store,
        .report = store->report,
        .path = path,
        .place = {report_file(store->report, path), 0},
        .ttl = DEFAULT_TTL,
    };
    struct dns_name name;

    if (ldns_str2rdf_dname(&master.origin, origin) != LDNS_STATUS_OK ||
        name_parse(&name, ldns_rdf_data(master.origin), ldns_rdf_size(master.origin)) == 0)
        report_error(store->report, master.place,
                     "\"%s\" isn't a domain name, call the file ORIGIN.zone or use --name", origin);
    else if (store_zone_add(store, &name, master.place.file))
        file_read(&master);
    ldns_rdf_deep_free(master.origin);
    ldns_rdf_deep_free(master.owner);
}
