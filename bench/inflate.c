/* inflate - unpacks a message of permessage-deflate (RFC 7692) that stands for itself. */
#include "inflate.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum { PIECE = 64 * 1024 };

/* What is there of `at` goes through; false at an error or beyond `most`. */
static bool feed(z_stream *stream, struct bytes *to, const uint8_t *at, size_t len, size_t end)
{
    int result;

    stream->next_in = at;
    stream->avail_in = (uInt)len;
    do {
        stream->next_out = xs_bench_room(to, PIECE);
        stream->avail_out = PIECE;
        result = inflate(stream, Z_SYNC_FLUSH);
        to->len += PIECE - stream->avail_out;
        if ((result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) ||
            to->len > end)
            return false;
    } while (stream->avail_out == 0);
    return true;
}

bool xs_bench_inflate(struct bytes *to, const uint8_t *at, size_t len, size_t most)
{
    /* RFC 7692 7.2.2: these were taken away from the end. */
    static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };
    static z_stream stream;
    static bool begun;

    if (!begun && inflateInit2(&stream, -15) != Z_OK)
        xs_bench_die(EXIT_FAILURE, "zlib cannot be used");
    begun = true;
    inflateReset(&stream);
    return feed(&stream, to, at, len, to->len + most) &&
           feed(&stream, to, tail, sizeof tail, to->len + most);
}
