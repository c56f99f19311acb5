/* SPDX-License-Identifier: ISC
 *
 * The zone database: all zones of an image in one read-only, position-independent file. Written by
 * tools/zonec, read by zone.c, where every offset is checked. Words are little endian and may lie
 * at any address; what is copied into answers is stored in network order. docs/dnsd.md explains why
 * it looks like this.
 *
 *   header | bucket table | nodes in the order of their buckets | unlisted nodes |
 *   denial tables of the signed zones | zone table | padding
 *
 * - Every owner name is a node, and so is every name between an owner and its zone's apex (an empty
 *   non-terminal, a node without RRsets). A node stores its own label only and the offset of its
 *   parent; an apex has no parent and stores its whole name. Names are stored in lower case. Names
 *   above an apex have no node.
 * - A node's bucket is hash * bucket_count >> 32, with the hash of its whole name (name.h). The
 *   table holds the offset of each bucket's first node, and one more entry: where the last one
 * ends.
 * - RRsets follow their node's name, in the order of their types; records follow their RRset's
 * head: RDLENGTH and data as on the wire, names in them uncompressed.
 * - RRSIG records are RRsets by what they cover; each follows the RRset that it signs.
 * - Unlisted nodes are in no bucket, so that no query finds them: the owners of NSEC3 records, and,
 *   where a zone and its child are both here, the owner of the parent's NSEC record at the cut.
 * - A name that is the apex of one zone and cut from another has one node, the apex; a DS RRset in
 *   it belongs to the parent's zone.
 */
#ifndef MOTET_DNSD_ZONE_FORMAT_H
#define MOTET_DNSD_ZONE_FORMAT_H

/* The file begins with these eight octets. */
#define ZONE_MAGIC "MotetZdb"

enum {
    ZONE_VERSION = 2,
    ZONE_HEADER_SIZE = 64,
    ZONE_PADDING = 8, /* zero octets at the end, so that names can be compared by words */
    /* Nodes in a bucket: bounds a lookup. One is the mean, 8 the most seen among 10^6. */
    ZONE_BUCKET_MAX = 32,
};

/* Header: offset of each field. All are 32-bit words but the magic and the checksum. */
enum {
    ZONE_AT_MAGIC = 0,
    ZONE_AT_VERSION = 8,
    ZONE_AT_TOTAL_SIZE = 12, /* octets of the whole file */
    ZONE_AT_CHECKSUM = 16,   /* 64 bits, zone_checksum.h */
    ZONE_AT_HASH_SEED = 24,
    ZONE_AT_BUCKET_TABLE = 28, /* offset */
    ZONE_AT_BUCKET_COUNT = 32,
    ZONE_AT_ZONE_TABLE = 36, /* offset of the apex nodes' offsets, one word for each zone */
    ZONE_AT_ZONE_COUNT = 40,
    ZONE_AT_NODE_COUNT = 44,
    ZONE_AT_RECORD_COUNT = 48, /* for people only; then 12 octets of zeros */
};

/* Node: 10 octets, the name, with ZONE_FLAG_WILDCARD the 32-bit offset of the child named *, with
 * ZONE_FLAG_SIGNED that of the zone's denial table, then RRsets up to the node's size. */
enum {
    ZONE_NODE_PARENT = 0,      /* offset of the parent; 0 at an apex */
    ZONE_NODE_SIZE = 4,        /* 24 bits: octets of the node with its RRsets */
    ZONE_NODE_FINGERPRINT = 7, /* lowest 8 bits of the name's hash */
    ZONE_NODE_FLAGS = 8,
    ZONE_NODE_NAME_LENGTH = 9,
    ZONE_NODE_NAME = 10, /* a label without its length octet; at an apex a whole name */
    ZONE_NODE_SIZE_MAX = 0xffffff,
};

enum {
    ZONE_FLAG_APEX = 1 << 0,
    ZONE_FLAG_CUT = 1 << 1,      /* delegated: the topmost name with NS below the apex */
    ZONE_FLAG_OCCLUDED = 1 << 2, /* below a cut: glue */
    ZONE_FLAG_WILDCARD = 1 << 3, /* has a child named * */
    ZONE_FLAG_DNAME = 1 << 4,    /* has a DNAME RRset, and no children */
    ZONE_FLAG_SIGNED = 1 << 5,   /* an apex whose zone has a denial table */
};

/* Denial table: 8 octets, the salt, then one word for each node that has an NSEC or NSEC3 RRset:
 * its offset, in the canonical order of names (RFC 4034 6.1) or in the order of the hashes. */
enum {
    ZONE_DENIAL_COUNT = 0,      /* 32 bits */
    ZONE_DENIAL_ITERATIONS = 4, /* 16 bits, at most ZONE_ITERATIONS_MAX */
    ZONE_DENIAL_ALGORITHM = 6,  /* 0: NSEC; 1: NSEC3 with SHA-1 */
    ZONE_DENIAL_SALT_LENGTH = 7,
    ZONE_DENIAL_SALT = 8,
    /* Beyond that resolvers take a zone for unsigned (RFC 9276 3.2), and each hash costs. */
    ZONE_ITERATIONS_MAX = 150,
};

/* A node with NSEC3 is named with the hash in base 32, "extended hex", lower case. */
enum { ZONE_HASH_LABEL = 32 };

/* RRset: 9 octets, then its records. */
enum {
    ZONE_RRSET_SIZE = 0, /* 16 bits: octets of the head and all records */
    ZONE_RRSET_SHAPE = 2,
    ZONE_RRSET_TYPE = 3, /* 16 bits, network order */
    ZONE_RRSET_TTL = 5,  /* 32 bits, network order, at most DNS_TTL_MAX */
    ZONE_RRSET_RECORDS = 9,
};

/* An RRset's shape says where names are in its records, so that dnsd needs no table of types. */
enum {
    ZONE_SHAPE_PREFIX = 0x07, /* octets before the first name */
    ZONE_SHAPE_NAMES = 0x18,  /* number of names that follow each other, 0 to 2 */
    ZONE_SHAPE_NAMES_SHIFT = 3,
    ZONE_SHAPE_COMPRESS = 0x20,  /* the names may be compressed (RFC 3597 4) */
    ZONE_SHAPE_ADDRESSES = 0x40, /* the addresses of the name are additional data */
    ZONE_SHAPE_GLUE = 0x80,      /* and may be glue */
};

#endif
