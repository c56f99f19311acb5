/* SPDX-License-Identifier: ISC
 *
 * See ed25519.h. The curve is -x^2 + y^2 = 1 + d x^2 y^2 over the integers modulo p = 2^255 - 19;
 * its base point has the order L. A field element is sixteen limbs of 16 bits, which may overflow
 * between two carries: a product's sums stay below 2^45.
 *
 * The signature (R, s) of a message M by the key A is right if s < L and s B - h A is R, byte by
 * byte, with h = SHA-512(R, A, M).
 */
#include "servers/loader/ed25519.h"

#include <string.h>

#include "servers/loader/sha512.h"

enum { LIMBS = 16, WORDS = 8, SCALAR_BITS = 256 };

struct field {
    int64_t limb[LIMBS];
};

/* Extended coordinates: x = X / Z, y = Y / Z, x y = T / Z. */
struct point {
    struct field x, y, z, t;
};

static const struct field zero = {{0}}, one = {{1}};
static const struct field d = {{0x78a3, 0x1359, 0x4dca, 0x75eb, 0xd8ab, 0x4141, 0x0a4d, 0x0070,
                                0xe898, 0x7779, 0x4079, 0x8cc7, 0xfe73, 0x2b6f, 0x6cee, 0x5203}};
static const struct field d_twice = {{0xf159, 0x26b2, 0x9b94, 0xebd6, 0xb156, 0x8283, 0x149a,
                                      0x00e0, 0xd130, 0xeef3, 0x80f2, 0x198e, 0xfce7, 0x56df,
                                      0xd9dc, 0x2406}};
static const struct field root =
    /* of -1 */ {{0xa0b0, 0x4a0e, 0x1b27, 0xc4ee, 0xe478, 0xad2f, 0x1806, 0x2f43, 0xd7a7, 0x3dfb,
                  0x0099, 0x2b4d, 0xdf0b, 0x4fc1, 0x2480, 0x2b83}};
static const struct point base = {
    .x = {{0xd51a, 0x8f25, 0x2d60, 0xc956, 0xa7b2, 0x9525, 0xc760, 0x692c, 0xdc5c, 0xfdd6, 0xe231,
           0xc0a4, 0x53fe, 0xcd6e, 0x36d3, 0x2169}},
    .y = {{0x6658, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666, 0x6666,
           0x6666, 0x6666, 0x6666, 0x6666, 0x6666}},
    .z = {{1}},
    .t = {{0xdda3, 0xa5b7, 0x8ab3, 0x6dde, 0x52f5, 0x7751, 0x9f80, 0x20f0, 0xe37d, 0x64ab, 0x4e8e,
           0x66ea, 0x7665, 0xd78b, 0x5f0f, 0x6787}}};
static const uint32_t order[WORDS] = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de,
                                      0x00000000, 0x00000000, 0x00000000, 0x10000000};

/* --- numbers modulo p --- */

/* Each limb below 2^16 again, but for the first: 2^256 is 38. */
static void carry(struct field *a)
{
    for (int i = 0; i < LIMBS; i++) {
        const int64_t over = a->limb[i] >> 16;
        a->limb[i] -= over * 65536;
        if (i < LIMBS - 1)
            a->limb[i + 1] += over;
        else
            a->limb[0] += 38 * over;
    }
}

static struct field add(const struct field *a, const struct field *b)
{
    struct field sum;
    for (int i = 0; i < LIMBS; i++)
        sum.limb[i] = a->limb[i] + b->limb[i];
    return sum;
}

static struct field subtract(const struct field *a, const struct field *b)
{
    struct field difference;
    for (int i = 0; i < LIMBS; i++)
        difference.limb[i] = a->limb[i] - b->limb[i];
    return difference;
}

static struct field multiply(const struct field *a, const struct field *b)
{
    int64_t sums[2 * LIMBS] = {0};
    struct field product;
    for (int i = 0; i < LIMBS; i++)
        for (int j = 0; j < LIMBS; j++)
            sums[i + j] += a->limb[i] * b->limb[j];
    for (int i = 0; i < LIMBS; i++)
        product.limb[i] = sums[i] + 38 * sums[i + LIMBS];
    carry(&product);
    carry(&product);
    return product;
}

static struct field square(const struct field *a)
{
    return multiply(a, a);
}

/* Without p, if it is in there. */
static void subtract_p(struct field *a)
{
    struct field less = *a;
    less.limb[0] -= 0xffed;
    for (int i = 1; i < LIMBS; i++) {
        less.limb[i] -= i < LIMBS - 1 ? 0xffff : 0x7fff;
        if (less.limb[i - 1] < 0) {
            less.limb[i - 1] += 65536;
            less.limb[i]--;
        }
    }
    if (less.limb[LIMBS - 1] >= 0)
        *a = less;
}

/* The one number from 0 to p - 1 that it is. */
static void pack(const struct field *a, uint8_t out[32])
{
    struct field number = *a;
    for (int i = 0; i < 3; i++)
        carry(&number);
    subtract_p(&number);
    subtract_p(&number);
    for (int i = 0; i < LIMBS; i++) {
        out[2 * i] = (uint8_t)number.limb[i];
        out[2 * i + 1] = (uint8_t)(number.limb[i] >> 8);
    }
}

static struct field unpack(const uint8_t in[32])
{
    struct field number;
    for (int i = 0; i < LIMBS; i++)
        number.limb[i] = in[2 * i] | in[2 * i + 1] << 8;
    number.limb[LIMBS - 1] &= 0x7fff;
    return number;
}

static bool are_equal(const struct field *a, const struct field *b)
{
    uint8_t bytes_a[32], bytes_b[32];
    pack(a, bytes_a);
    pack(b, bytes_b);
    return !memcmp(bytes_a, bytes_b, sizeof(bytes_a));
}

static bool is_odd(const struct field *a)
{
    uint8_t bytes[32];
    pack(a, bytes);
    return bytes[0] & 1;
}

/* To the power of `ones` bits of 1, then `rest`, which has `bits` bits. */
static struct field power(const struct field *a, int ones, uint32_t rest, int bits)
{
    struct field result = one;
    for (int i = 0; i < ones + bits; i++) {
        result = square(&result);
        if (i < ones || rest >> (ones + bits - 1 - i) & 1)
            result = multiply(&result, a);
    }
    return result;
}

/* a^(p - 2): p - 2 = 2^255 - 21 is 250 ones, then 01011. */
static struct field inverse(const struct field *a)
{
    return power(a, 250, 11, 5);
}

/* --- points --- */

/* Also of a point and itself: the formula has no exceptions. */
static void point_add(struct point *to, const struct point *with)
{
    struct field a = subtract(&to->y, &to->x), b = subtract(&with->y, &with->x);
    const struct field low = multiply(&a, &b);
    a = add(&to->y, &to->x);
    b = add(&with->y, &with->x);
    const struct field high = multiply(&a, &b);
    a = multiply(&to->t, &with->t);
    const struct field c = multiply(&a, &d_twice);
    a = multiply(&to->z, &with->z);
    b = add(&a, &a);
    const struct field e = subtract(&high, &low), f = subtract(&b, &c);
    const struct field g = add(&b, &c), h = add(&high, &low);
    to->x = multiply(&e, &f);
    to->y = multiply(&h, &g);
    to->z = multiply(&g, &f);
    to->t = multiply(&e, &h);
}

static void point_pack(const struct point *point, uint8_t out[32])
{
    const struct field inverted = inverse(&point->z);
    const struct field x = multiply(&point->x, &inverted), y = multiply(&point->y, &inverted);
    pack(&y, out);
    out[31] |= (uint8_t)(is_odd(&x) << 7);
}

/* The point opposite to the one that is packed there. False: there is none. */
static bool point_unpack_negative(const uint8_t in[32], struct point *point)
{
    point->z = one;
    point->y = unpack(in);
    const struct field y2 = square(&point->y);
    struct field a = multiply(&y2, &d);
    const struct field over = subtract(&y2, &one), under = add(&a, &one); /* x^2: over / under */
    /* Its root, if it has one: over under^3 (over under^7)^((p - 5) / 8), perhaps times root. */
    a = square(&under);
    const struct field under3 = multiply(&a, &under);
    a = square(&under3);
    a = multiply(&a, &under);
    a = multiply(&a, &over);
    a = power(&a, 250, 1, 2); /* (p - 5) / 8 = 2^252 - 3 */
    a = multiply(&a, &over);
    point->x = multiply(&a, &under3);
    a = square(&point->x);
    a = multiply(&a, &under);
    if (!are_equal(&a, &over)) {
        point->x = multiply(&point->x, &root);
        a = square(&point->x);
        a = multiply(&a, &under);
        if (!are_equal(&a, &over))
            return false;
    }
    if (is_odd(&point->x) == in[31] >> 7)
        point->x = subtract(&zero, &point->x);
    point->t = multiply(&point->x, &point->y);
    return true;
}

/* --- scalars --- */

static bool is_below_order(const uint32_t a[WORDS])
{
    for (int i = WORDS - 1; i >= 0; i--)
        if (a[i] != order[i])
            return a[i] < order[i];
    return false;
}

static void subtract_order(uint32_t a[WORDS])
{
    uint64_t borrow = 0;
    for (int i = 0; i < WORDS; i++) {
        const uint64_t difference = (uint64_t)a[i] - order[i] - borrow;
        a[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
}

/* 64 bytes, the least first, modulo L; bit by bit. */
static void reduce(const uint8_t in[SHA512_BYTES], uint32_t out[WORDS])
{
    memset(out, 0, WORDS * sizeof(*out));
    for (int bit = SHA512_BYTES * 8 - 1; bit >= 0; bit--) {
        for (int i = WORDS - 1; i > 0; i--)
            out[i] = out[i] << 1 | out[i - 1] >> 31;
        out[0] = out[0] << 1 | (in[bit / 8] >> bit % 8 & 1);
        if (!is_below_order(out))
            subtract_order(out);
    }
}

static void scalar_load(const uint8_t in[32], uint32_t out[WORDS])
{
    for (int i = 0; i < WORDS; i++)
        out[i] =
            in[4 * i] | in[4 * i + 1] << 8 | in[4 * i + 2] << 16 | (uint32_t)in[4 * i + 3] << 24;
}

static bool bit_of(const uint32_t scalar[WORDS], int bit)
{
    return scalar[bit / 32] >> bit % 32 & 1;
}

static void hash(const uint8_t *r, const uint8_t *key, const void *message, size_t bytes,
                 uint32_t out[WORDS])
{
    struct sha512 hash;
    uint8_t sum[SHA512_BYTES];
    sha512_begin(&hash);
    sha512_add(&hash, r, 32);
    sha512_add(&hash, key, ED25519_KEY_BYTES);
    sha512_add(&hash, message, bytes);
    sha512_end(&hash, sum);
    reduce(sum, out);
}

bool ed25519_is_right(const uint8_t signature[ED25519_SIGNATURE_BYTES],
                      const uint8_t key[ED25519_KEY_BYTES], const void *message, size_t bytes)
{
    uint32_t s[WORDS], h[WORDS];
    struct point minus_a, sum = {.x = zero, .y = one, .z = one, .t = zero};
    uint8_t packed[32];
    scalar_load(signature + 32, s);
    if (!is_below_order(s) || !point_unpack_negative(key, &minus_a))
        return false;
    hash(signature, key, message, bytes, h);
    for (int bit = SCALAR_BITS - 1; bit >= 0; bit--) {
        point_add(&sum, &sum);
        if (bit_of(s, bit))
            point_add(&sum, &base);
        if (bit_of(h, bit))
            point_add(&sum, &minus_a);
    }
    point_pack(&sum, packed);
    return !memcmp(packed, signature, sizeof(packed));
}
