/* SPDX-License-Identifier: ISC
 *
 * Writing responses, see message.h.
 */
#include "servers/dnsd/message.h"

void message_begin(struct message *message, uint8_t *bytes, size_t length, size_t limit,
                   const struct dns_name *question)
{
    message->bytes = bytes;
    message->limit = limit;
    message->question = question;
    message->class = DNS_CLASS_IN;
    message_clear(message, length);
}

void message_clear(struct message *message, size_t length)
{
    message->length = length;
    message->suffix_count = 0;
    message->target_count = 0;
    message->targets_lost = false;
    __builtin_memset(message->counts, 0, sizeof message->counts);
}

/* Remembers that the suffixes from label `first` up to `last` of a name stand at `offset` and on.
 */
static void suffixes_add(struct message *message, const struct dns_name *name, unsigned first,
                         unsigned last, size_t offset)
{
    for (unsigned label = first; label < last; label++) {
        uint8_t at = name->label_at[label];
        size_t suffix_offset = offset + at - name->label_at[first];
        if (message->suffix_count == MESSAGE_SUFFIXES || suffix_offset > DNS_POINTER_MAX)
            return;
        message->suffixes[message->suffix_count++] = (struct message_suffix){
            .wire = name->wire + at,
            .offset = (uint16_t)suffix_offset,
            .length = (uint8_t)name_suffix_length(name, label),
        };
    }
}

/* Where in the message this suffix of the name stands; 0 when nowhere. */
static uint16_t suffix_find(const struct message *message, const struct dns_name *name,
                            unsigned label)
{
    const struct message_suffix *end = message->suffixes + message->suffix_count;

    for (const struct message_suffix *suffix = message->suffixes; suffix < end; suffix++) {
        if (name_suffix_is(name, label, suffix->wire, suffix->length))
            return suffix->offset;
    }
    return 0;
}

static bool has_room(const struct message *message, size_t octets)
{
    return octets <= message->limit - message->length;
}

/* Appends the name from label `first` on. Sets *offset to where it can be pointed to: the place of
 * an equal name if there is one, else its own. */
static enum message_result put_name(struct message *message, const struct dns_name *name,
                                    unsigned first, bool compress, size_t *offset)
{
    unsigned label = first;
    uint16_t pointer = 0;

    if (message->suffix_count == 0)
        suffixes_add(message, message->question, 0, message->question->labels, DNS_HEADER_SIZE);
    for (; label < name->labels; label++) {
        pointer = suffix_find(message, name, label);
        if (pointer != 0)
            break;
    }
    *offset = label == first && pointer != 0 ? pointer : message->length;
    if (!compress) {
        label = name->labels;
        pointer = 0;
    }

    size_t plain = (size_t)(name->label_at[label] - name->label_at[first]);
    if (!has_room(message, plain + (pointer != 0 ? 2 : 1)))
        return MESSAGE_NO_ROOM;
    suffixes_add(message, name, first, label, message->length);
    uint8_t *out = message->bytes + message->length;
    copy_octets(out, name->wire + name->label_at[first], plain);
    out += plain;
    if (pointer != 0)
        out = store_be16(out, DNS_POINTER | pointer);
    else
        *out++ = 0;
    message->length = (size_t)(out - message->bytes);
    return MESSAGE_DONE;
}

/* Notes that the addresses of the name just parsed to scratch are wanted. */
static void target_add(struct message *message, size_t offset, bool glue)
{
    for (unsigned index = 0; index < message->target_count; index++) {
        if (message->targets[index].offset == offset)
            return;
    }
    if (message->target_count == MESSAGE_TARGETS || offset > DNS_POINTER_MAX) {
        message->targets_lost = true;
        return;
    }
    message->targets[message->target_count++] = (struct message_target){
        message->scratch.wire, (uint16_t)offset, message->scratch.length, glue};
}

static enum message_result put_octets(struct message *message, const uint8_t *octets, size_t length)
{
    if (!has_room(message, length))
        return MESSAGE_NO_ROOM;
    copy_octets(message->bytes + message->length, octets, length);
    message->length += length;
    return MESSAGE_DONE;
}

/* Appends record data that holds names: octets, names, octets. */
static enum message_result put_rdata(struct message *message, const struct zone_record *record,
                                     uint8_t shape)
{
    unsigned names = (shape & ZONE_SHAPE_NAMES) >> ZONE_SHAPE_NAMES_SHIFT;
    const uint8_t *at = record->rdata;
    size_t left = record->length;
    size_t prefix = shape & ZONE_SHAPE_PREFIX;

    if (prefix > left)
        return MESSAGE_DAMAGED;
    enum message_result result = put_octets(message, at, prefix);
    at += prefix;
    left -= prefix;
    for (; names > 0 && result == MESSAGE_DONE; names--) {
        size_t offset;
        size_t length = name_parse(&message->scratch, at, left);
        if (length == 0)
            return MESSAGE_DAMAGED;
        result = put_name(message, &message->scratch, 0, shape & ZONE_SHAPE_COMPRESS, &offset);
        if (result == MESSAGE_DONE && shape & ZONE_SHAPE_ADDRESSES)
            target_add(message, offset, shape & ZONE_SHAPE_GLUE);
        at += length;
        left -= length;
    }
    return result == MESSAGE_DONE ? put_octets(message, at, left) : result;
}

/* Appends what follows a record's owner. */
static enum message_result put_record(struct message *message, const struct zone_rrset *rrset,
                                      uint32_t ttl, const struct zone_record *record)
{
    if (!has_room(message, DNS_RECORD_TAIL + (rrset->shape == 0 ? (size_t)record->length : 0)))
        return MESSAGE_NO_ROOM;
    uint8_t *out = message->bytes + message->length;
    out = store_be16(out, rrset->type);
    out = store_be16(out, message->class);
    out = store_be32(out, ttl);
    message->length += DNS_RECORD_TAIL;
    if (rrset->shape == 0) {
        copy_octets(store_be16(out, record->length), record->rdata, record->length);
        message->length += record->length;
        return MESSAGE_DONE;
    }
    enum message_result result = put_rdata(message, record, rrset->shape);
    if (result == MESSAGE_DONE)
        store_be16(out, (unsigned)(message->bytes + message->length - out) - 2);
    return result;
}

/* An owner: a name from one of its labels on, and where it stands in the message already, 0 when
 * that isn't known. When it is, the name isn't looked at. */
struct owner {
    const struct dns_name *name;
    unsigned label;
    size_t offset;
    bool passing; /* the name won't be kept */
};

static enum message_result put_owner(struct message *message, struct owner *owner)
{
    if (owner->offset == 0 || owner->offset > DNS_POINTER_MAX) {
        uint8_t suffix_count = message->suffix_count;
        enum message_result result =
            put_name(message, owner->name, owner->label, true, &owner->offset);
        if (owner->passing)
            message->suffix_count = suffix_count;
        return result;
    }
    if (!has_room(message, 2))
        return MESSAGE_NO_ROOM;
    store_be16(message->bytes + message->length, (unsigned)(DNS_POINTER | owner->offset));
    message->length += 2;
    return MESSAGE_DONE;
}

static enum message_result put_records(struct message *message, enum message_section section,
                                       struct owner *owner, const struct zone_rrset *rrset,
                                       uint32_t ttl)
{
    const uint8_t *at = rrset->records;
    struct zone_record record;
    uint16_t count = 0;

    for (;;) {
        enum zone_result next = zone_record_next(rrset, &at, &record);
        if (next == ZONE_DAMAGED)
            return MESSAGE_DAMAGED;
        if (next == ZONE_ABSENT)
            break;
        enum message_result result = put_owner(message, owner);
        if (result == MESSAGE_DONE)
            result = put_record(message, rrset, ttl, &record);
        if (result != MESSAGE_DONE)
            return result;
        count++;
    }
    message->counts[section] = (uint16_t)(message->counts[section] + count);
    return MESSAGE_DONE;
}

/* The records and their signature, or nothing at all. */
static enum message_result put_whole(struct message *message, enum message_section section,
                                     struct owner *owner, const struct message_rrset *rrset)
{
    size_t length = message->length;
    uint16_t count = message->counts[section];
    uint8_t suffix_count = message->suffix_count;
    uint8_t target_count = message->target_count;

    enum message_result result = put_records(message, section, owner, rrset->rrset, rrset->ttl);
    if (result == MESSAGE_DONE && rrset->signature != NULL)
        result = put_records(message, section, owner, rrset->signature, rrset->ttl);
    if (result != MESSAGE_DONE) {
        message->length = length;
        message->counts[section] = count;
        message->suffix_count = suffix_count;
        message->target_count = target_count;
    }
    return result;
}

enum message_result message_put_rrset(struct message *message, enum message_section section,
                                      const struct dns_name *owner, unsigned label,
                                      const struct message_rrset *rrset)
{
    struct owner place = {owner, label, 0, false};

    if (owner == message->question && label < owner->labels)
        place.offset = DNS_HEADER_SIZE + (size_t)owner->label_at[label];
    return put_whole(message, section, &place, rrset);
}

enum message_result message_put_rrset_at(struct message *message, enum message_section section,
                                         uint16_t offset, const struct message_rrset *rrset)
{
    struct owner place = {message->question, 0, offset, false};

    return put_whole(message, section, &place, rrset);
}

enum message_result message_put_rrset_passing(struct message *message, enum message_section section,
                                              const struct dns_name *owner,
                                              const struct message_rrset *rrset)
{
    struct owner place = {owner, 0, 0, true};

    if (message->suffix_count == 0)
        suffixes_add(message, message->question, 0, message->question->labels, DNS_HEADER_SIZE);
    return put_whole(message, section, &place, rrset);
}
