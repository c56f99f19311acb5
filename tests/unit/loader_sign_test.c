/* SPDX-License-Identifier: ISC
 *
 * servers/loader/ed25519.c and sha512.c: the examples of RFC 8032 and FIPS 180; and what the loader
 * makes of a program with a signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/crc.h"
#include "servers/loader/check.h"
#include "servers/loader/ed25519.h"
#include "servers/loader/sha512.h"
#include "tests/unit/program_image.h"

#include <openssl/evp.h>

enum { MESSAGE_BYTES = 600, ROUNDS = 60 };

static void bytes_of(const char *hex, uint8_t *out)
{
    for (; *hex; hex += 2) {
        unsigned value;
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        *out++ = (uint8_t)value;
    }
}

static void fill(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)rand();
}

/* Another implementation's signature. */
static void sign(const uint8_t secret[32], const void *message, size_t size, uint8_t key[32],
                 uint8_t signature[64])
{
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t key_size = 32, signature_size = 64;
    assert_int_equal(EVP_PKEY_get_raw_public_key(pair, key, &key_size), 1);
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, pair), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &signature_size, message, size), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
}

/* RFC 8032, 7.1: tests 1 and 2. */
static void the_standards_examples(void **state)
{
    static const struct {
        const char *key, *message, *signature;
    } examples[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
         "1cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
         "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        uint8_t key[32], message[1], signature[64];
        bytes_of(examples[i].key, key);
        bytes_of(examples[i].message, message);
        bytes_of(examples[i].signature, signature);
        assert_true(ed25519_is_right(signature, key, message, i));
        assert_false(ed25519_is_right(signature, key, message, 1 - i));
    }
}

static void the_hash_is_another_ones(void **state)
{
    uint8_t message[MESSAGE_BYTES], ours[SHA512_BYTES], theirs[SHA512_BYTES];
    (void)state;
    srand(1);
    fill(message, sizeof(message));
    for (size_t size = 0; size < sizeof(message); size++) {
        struct sha512 hash;
        const size_t cut = (size_t)rand() % (size + 1);
        sha512_begin(&hash);
        sha512_add(&hash, message, cut);
        sha512_add(&hash, message + cut, size - cut);
        sha512_end(&hash, ours);
        assert_int_equal(EVP_Digest(message, size, theirs, NULL, EVP_sha512(), NULL), 1);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
}

/* Right ones are taken; with one bit of anything flipped they aren't. */
static void another_ones_signatures(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t secret[32], key[32], signature[64], message[MESSAGE_BYTES];
        const size_t size = (size_t)rand() % sizeof(message) + 1;
        fill(secret, sizeof(secret));
        fill(message, sizeof(message));
        sign(secret, message, size, key, signature);
        assert_true(ed25519_is_right(signature, key, message, size));
        uint8_t *const parts[] = {signature, signature + 32, key, message};
        const size_t bytes[] = {32, 32, 32, size};
        for (size_t p = 0; p < 4; p++) {
            uint8_t *byte = parts[p] + (size_t)rand() % bytes[p];
            const uint8_t flip = (uint8_t)(1u << rand() % 8);
            *byte ^= flip;
            assert_false(ed25519_is_right(signature, key, message, size));
            *byte ^= flip;
        }
    }
}

/* The same s with the order added would be right as well, if nobody looked. */
static void one_signature_isnt_two(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t secret[32] = {7}, key[32], signature[64];
    unsigned over = 0;
    (void)state;
    sign(secret, "program", 7, key, signature);
    assert_true(ed25519_is_right(signature, key, "program", 7));
    for (int i = 0; i < 32; i++) {
        over += signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)over;
        over >>= 8;
    }
    assert_false(ed25519_is_right(signature, key, "program", 7));
}

static void what_is_no_key(void **state)
{
    uint8_t key[32], signature[64];
    (void)state;
    srand(3);
    for (int round = 0; round < ROUNDS; round++) {
        fill(key, sizeof(key));
        fill(signature, sizeof(signature));
        assert_false(ed25519_is_right(signature, key, "program", 7));
    }
}

struct signed_image {
    struct program_image image;
    struct swap_signature signature;
};

static uint32_t check(const struct swap_program *wanted, const struct signed_image *file,
                      uint32_t bytes, uint32_t *detail)
{
    struct swap_verdict verdict;
    uint8_t *copy = malloc(bytes + !bytes);
    memcpy(copy, file, bytes);
    loader_check(wanted, copy, bytes, crc_add(0, copy, bytes), &verdict);
    free(copy);
    *detail = verdict.detail;
    return verdict.refusal;
}

static void signed_make(struct signed_image *file, struct swap_program *wanted)
{
    const uint8_t secret[32] = {1, 2, 3};
    program_image_make(&file->image);
    program_image_wanted(wanted);
    memcpy(file->signature.magic, SWAP_SIGNATURE_MAGIC, sizeof(file->signature.magic));
    sign(secret, &file->image, sizeof(file->image), wanted->key, file->signature.signature);
}

static void the_loader_takes_what_is_signed(void **state)
{
    struct signed_image file;
    struct swap_program wanted;
    uint32_t detail;
    (void)state;
    signed_make(&file, &wanted);
    assert_int_equal(check(&wanted, &file, sizeof(file), &detail), SWAP_FINE);
    memset(wanted.key, 0, sizeof(wanted.key)); /* who demands nothing takes it too */
    assert_int_equal(check(&wanted, &file, sizeof(file), &detail), SWAP_FINE);
    assert_int_equal(check(&wanted, &file, sizeof(file.image), &detail), SWAP_FINE);
}

static void the_loader_takes_nothing_else(void **state)
{
    struct signed_image file;
    struct swap_program wanted;
    uint32_t detail;
    (void)state;
    signed_make(&file, &wanted);
    for (uint32_t bytes = 0; bytes < sizeof(file); bytes += 13) {
        assert_int_equal(check(&wanted, &file, bytes, &detail), SWAP_WRONG_SIGNATURE);
        assert_int_equal(detail, SWAP_UNSIGNED);
    }
    for (uint32_t at = 0; at < sizeof(file); at += 11) {
        uint8_t *byte = (uint8_t *)&file + at;
        *byte ^= 0x10;
        assert_int_equal(check(&wanted, &file, sizeof(file), &detail), SWAP_WRONG_SIGNATURE);
        *byte ^= 0x10;
    }
    wanted.key[5] ^= 1;
    assert_int_equal(check(&wanted, &file, sizeof(file), &detail), SWAP_WRONG_SIGNATURE);
    assert_int_equal(detail, SWAP_SIGNED_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples),
        cmocka_unit_test(the_hash_is_another_ones),
        cmocka_unit_test(another_ones_signatures),
        cmocka_unit_test(one_signature_isnt_two),
        cmocka_unit_test(what_is_no_key),
        cmocka_unit_test(the_loader_takes_what_is_signed),
        cmocka_unit_test(the_loader_takes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
