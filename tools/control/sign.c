/* SPDX-License-Identifier: ISC
 *
 * `motet key` and `motet sign`: the key of an image (`swap_key` in its manifest) and programs that
 * it takes. Both work on files alone; no image needs to run.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/control/swap.h"

enum { PROGRAM_BYTES_MAX = 16 << 20 };

static void public_print(EVP_PKEY *key)
{
    uint8_t bytes[SWAP_KEY_BYTES];
    size_t size = sizeof(bytes);
    if (EVP_PKEY_get_raw_public_key(key, bytes, &size) != 1 || size != sizeof(bytes))
        fail(STATUS_USAGE, "the key has no public part of %d bytes", SWAP_KEY_BYTES);
    printf("swap_key = \"");
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
    printf("\";\n");
}

static EVP_PKEY *key_read(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail(STATUS_USAGE, "%s: %s — motet key %s makes one", path, strerror(errno), path);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519)
        fail(STATUS_USAGE, "%s: no private Ed25519 key in PEM — motet key FILE makes one", path);
    return key;
}

/* Never overwrites: a lost key is an image that takes nothing more. */
static EVP_PKEY *key_make(const char *path)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!key || !file)
        fail(STATUS_USAGE, "%s: %s", path, key ? strerror(errno) : "no key could be made");
    const bool written = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (fclose(file) || !written)
        fail(STATUS_USAGE, "%s: it can't be written", path);
    return key;
}

/* Makes the private key, or reads the one that is there; says what the manifest is to say. */
int command_key(struct client *client, const struct options *options)
{
    (void)client;
    const char *path = options->words[0];
    EVP_PKEY *key = access(path, F_OK) ? key_make(path) : key_read(path);
    public_print(key);
    EVP_PKEY_free(key);
    return STATUS_OK;
}

static bool is_signed(const uint8_t *bytes, uint32_t size)
{
    return size >= sizeof(struct swap_signature) &&
           !memcmp(bytes + size - sizeof(struct swap_signature), SWAP_SIGNATURE_MAGIC,
                   sizeof(SWAP_SIGNATURE_MAGIC) - 1);
}

static void sign(EVP_PKEY *key, const uint8_t *bytes, uint32_t size,
                 struct swap_signature *signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = sizeof(signature->signature);
    memcpy(signature->magic, SWAP_SIGNATURE_MAGIC, sizeof(signature->magic));
    if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, signature->signature, &length, bytes, size) != 1 ||
        length != sizeof(signature->signature))
        fail(STATUS_USAGE, "it can't be signed with that key");
    EVP_MD_CTX_free(context);
}

/* All or nothing: a new file takes the old one's place. */
static void replace(const char *path, const uint8_t *bytes, uint32_t size,
                    const struct swap_signature *signature)
{
    char other[PATH_MAX];
    if (snprintf(other, sizeof(other), "%s.new", path) >= (int)sizeof(other))
        fail(STATUS_USAGE, "%s: the path is too long", path);
    FILE *file = fopen(other, "wb");
    const bool written = file && fwrite(bytes, 1, size, file) == size &&
                         fwrite(signature, sizeof(*signature), 1, file) == 1;
    if ((file && fclose(file)) || !written || rename(other, path)) {
        const int error = errno;
        unlink(other);
        fail(STATUS_USAGE, "%s: it can't be written: %s", path, strerror(error));
    }
}

int command_sign(struct client *client, const struct options *options)
{
    (void)client;
    if (options->word_count < 2)
        fail(STATUS_USAGE, "which program? motet sign KEYFILE PROGRAM.elf");
    const char *path = options->words[1];
    struct swap_signature signature;
    uint32_t size;
    EVP_PKEY *key = key_read(options->words[0]);
    uint8_t *bytes = upload_read(path, PROGRAM_BYTES_MAX, &size);
    upload_check_elf(path, bytes, size);
    const bool again = is_signed(bytes, size);
    if (again)
        size -= (uint32_t)sizeof(signature);
    sign(key, bytes, size, &signature);
    replace(path, bytes, size, &signature);
    printf("%s: signed%s\n", path, again ? ", in the place of another signature" : "");
    free(bytes);
    EVP_PKEY_free(key);
    return STATUS_OK;
}
