/* types - what a file is, by the end of its name. Text is UTF-8. */
#include "http.h"

static const struct {
    const char *end, *type;
} types[] = {
    { "html", "text/html; charset=utf-8" },
    { "htm", "text/html; charset=utf-8" },
    { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" },
    { "mjs", "text/javascript; charset=utf-8" },
    { "cjs", "text/javascript; charset=utf-8" },
    { "json", "application/json" },
    { "map", "application/json" },
    { "webmanifest", "application/manifest+json" },
    { "txt", "text/plain; charset=utf-8" },
    { "md", "text/markdown; charset=utf-8" },
    { "csv", "text/csv; charset=utf-8" },
    { "ics", "text/calendar; charset=utf-8" },
    { "xml", "text/xml; charset=utf-8" },
    { "svg", "image/svg+xml" },
    { "png", "image/png" },
    { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" },
    { "gif", "image/gif" },
    { "webp", "image/webp" },
    { "avif", "image/avif" },
    { "ico", "image/x-icon" },
    { "bmp", "image/bmp" },
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "ttf", "font/ttf" },
    { "otf", "font/otf" },
    { "mp3", "audio/mpeg" },
    { "m4a", "audio/mp4" },
    { "oga", "audio/ogg" },
    { "ogg", "audio/ogg" },
    { "opus", "audio/ogg" },
    { "flac", "audio/flac" },
    { "wav", "audio/wav" },
    { "mp4", "video/mp4" },
    { "m4v", "video/mp4" },
    { "webm", "video/webm" },
    { "ogv", "video/ogg" },
    { "mov", "video/quicktime" },
    { "wasm", "application/wasm" },
    { "pdf", "application/pdf" },
    { "zip", "application/zip" },
    { "gz", "application/gzip" },
    { "tgz", "application/gzip" },
};

const char *xs_http_type(struct xs_slice path)
{
    size_t at = path.len;

    while (at > 0 && path.at[at - 1] != '.' && path.at[at - 1] != '/')
        at--;
    if (at > 0 && path.at[at - 1] == '.')
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            if (xs_slice_equal_nocase((struct xs_slice){ path.at + at, path.len - at },
                                      xs_slice_of(types[i].end)))
                return types[i].type;
    return "application/octet-stream";
}
