/* path - from the path of a request to a path below a folder. What could lead elsewhere, or
 * mean another thing to another reader, is refused; the kernel would not let it out either. */
#include "http.h"

static const struct xs_http_fault malformed = { 400, "the path is malformed" };
static const struct xs_http_fault nothing = { 404, "there is nothing here" };
static const struct xs_http_fault good = { 0, NULL };

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The next byte, decoded; -1 if it may not stand in a path. A slash that was written as %2F is
 * none that separates, and no file has one in its name; a backslash is one to some. */
static int next_byte(struct xs_slice *rest)
{
    unsigned char c = (unsigned char)rest->at[0];
    bool encoded = c == '%';

    if (encoded) {
        int high = rest->len > 2 ? digit_of(rest->at[1]) : -1;
        int low = rest->len > 2 ? digit_of(rest->at[2]) : -1;

        if (high < 0 || low < 0)
            return -1;
        c = (unsigned char)(16 * high + low);
        rest->at += 2;
        rest->len -= 2;
    }
    rest->at++;
    rest->len--;
    if (c < ' ' || c == 0x7f || c == '\\' || (encoded && c == '/'))
        return -1;
    return c;
}

/* One part between slashes. */
static struct xs_http_fault part_fault(struct xs_slice part)
{
    if (xs_slice_equal(part, XS_SLICE(".")) || xs_slice_equal(part, XS_SLICE("..")))
        return malformed;
    return part.len == 0 || part.at[0] == '.' ? nothing : good;
}

/* What is malformed further on counts more than what is not there. */
static struct xs_http_fault parts_fault(struct xs_slice path)
{
    struct xs_http_fault first = good;
    size_t begin = 0;

    for (size_t i = 0; i <= path.len; i++) {
        struct xs_http_fault fault;

        if (i < path.len && path.at[i] != '/')
            continue;
        fault = part_fault((struct xs_slice){ path.at + begin, i - begin });
        if (fault.status == malformed.status)
            return fault;
        if (first.status == 0)
            first = fault;
        begin = i + 1;
    }
    return first;
}

struct xs_http_fault xs_http_path_read(struct xs_slice path, struct xs_http_path *to)
{
    to->len = 0;
    if (path.len == 0 || path.at[0] != '/')
        return malformed;
    path.at++;
    path.len--;
    while (path.len > 0) {
        int c = next_byte(&path);

        if (c < 0)
            return malformed;
        if (to->len == sizeof to->at)
            return nothing;
        to->at[to->len++] = (char)c;
    }
    if (!xs_utf8_valid(to->at, to->len))
        return malformed;
    to->is_folder = to->len == 0 || to->at[to->len - 1] == '/';
    if (to->len == 0)
        return good;
    to->len -= to->is_folder;
    return parts_fault((struct xs_slice){ to->at, to->len });
}

bool xs_http_path_add(struct xs_http_path *path, const char *name)
{
    size_t slash = path->len > 0, len = strlen(name);

    if (slash + len > sizeof path->at - path->len)
        return false;
    if (slash > 0)
        path->at[path->len++] = '/';
    memcpy(path->at + path->len, name, len);
    path->len += len;
    return true;
}
