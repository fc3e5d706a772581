/* wire - the little of RFC 6455 that both programs of the benchmark need. */
#include "wire.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/resource.h>

void xs_bench_accept(const char *key, size_t len, char accept[WIRE_ACCEPT + 1])
{
    /* RFC 6455 1.3 gives this constant. */
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    /* Looked up once: OpenSSL 3 takes longer to find it than to use it. */
    static EVP_MD *sha1;
    unsigned char text[128];
    unsigned char digest[SHA_DIGEST_LENGTH] = { 0 };

    if (sha1 == NULL)
        sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (len > sizeof text - sizeof guid)
        len = sizeof text - sizeof guid;
    memcpy(text, key, len);
    memcpy(text + len, guid, sizeof guid - 1);
    EVP_Digest(text, len + sizeof guid - 1, digest, NULL, sha1, NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
}

static uint64_t read_big_endian(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

bool xs_bench_head_read(const uint8_t *at, size_t len, struct wire_head *head)
{
    size_t extra;

    if (len < 2)
        return false;
    head->first = at[0];
    head->masked = (at[1] & 0x80) != 0;
    head->payload = at[1] & 0x7f;
    extra = head->payload == 126 ? 2 : head->payload == 127 ? 8 : 0;
    head->size = 2 + extra + (head->masked ? 4 : 0);
    if (len < head->size)
        return false;
    if (extra > 0)
        head->payload = read_big_endian(at + 2, extra);
    if (head->masked)
        memcpy(head->mask, at + 2 + extra, 4);
    return true;
}

size_t xs_bench_head_write(uint8_t *at, uint8_t first, uint64_t payload, const uint8_t *mask)
{
    size_t extra = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
    size_t size = 2 + extra;

    at[0] = first;
    at[1] = (uint8_t)(extra == 0 ? payload : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++)
        at[2 + i] = (uint8_t)(payload >> (8 * (extra - 1 - i)));
    if (mask == NULL)
        return size;
    at[1] |= 0x80;
    memcpy(at + size, mask, 4);
    return size + 4;
}

void xs_bench_mask(uint8_t *restrict to, const uint8_t *restrict from, size_t len,
                   const uint8_t mask[4])
{
    uint32_t four;
    uint64_t eight;
    size_t i;

    memcpy(&four, mask, sizeof four);
    eight = (uint64_t)four << 32 | four;
    for (i = 0; i + 8 <= len; i += 8) {
        uint64_t word;

        memcpy(&word, from + i, sizeof word);
        word ^= eight;
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < len; i++)
        to[i] = from[i] ^ mask[i & 3];
}

uint64_t xs_bench_raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 1024;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur;
}
