/* http_head - what modules ask of a request head: the first header of a name, how many, a word
 * in a list. */
#include <xsockets/http.h>

/* Most names differ in length already. */
static inline bool is_name(const struct xs_http_header *header, struct xs_slice wanted)
{
    return header->name.len == wanted.len && xs_slice_equal_nocase(header->name, wanted);
}

const struct xs_http_header *xs_http_header(const struct xs_http_head *head, const char *name)
{
    struct xs_slice wanted = xs_slice_of(name);

    for (size_t i = 0; i < head->header_count; i++)
        if (is_name(&head->headers[i], wanted))
            return &head->headers[i];
    return NULL;
}

size_t xs_http_header_count(const struct xs_http_head *head, const char *name)
{
    struct xs_slice wanted = xs_slice_of(name);
    size_t count = 0;

    for (size_t i = 0; i < head->header_count; i++)
        if (is_name(&head->headers[i], wanted))
            count++;
    return count;
}

/* RFC 9110 section 5.6.3. */
static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

/* The next element of a comma list, without white space around it; empty ones count (RFC 9110
 * section 5.6.1.2 has them ignored, and no token is empty). */
static bool cut_element(struct xs_slice *rest, struct xs_slice *element)
{
    const char *comma;

    if (rest->at == NULL)
        return false;
    comma = rest->len > 0 ? memchr(rest->at, ',', rest->len) : NULL;
    element->at = rest->at;
    element->len = comma != NULL ? (size_t)(comma - rest->at) : rest->len;
    rest->len -= comma != NULL ? element->len + 1 : rest->len;
    rest->at = comma != NULL ? comma + 1 : NULL;
    while (element->len > 0 && is_white(element->at[0])) {
        element->at++;
        element->len--;
    }
    while (element->len > 0 && is_white(element->at[element->len - 1]))
        element->len--;
    return true;
}

bool xs_http_header_has(const struct xs_http_head *head, const char *name, const char *token)
{
    struct xs_slice wanted_name = xs_slice_of(name), wanted = xs_slice_of(token);

    for (size_t i = 0; i < head->header_count; i++) {
        struct xs_slice rest = head->headers[i].value, element;

        if (!is_name(&head->headers[i], wanted_name))
            continue;
        while (cut_element(&rest, &element))
            if (element.len > 0 && xs_slice_equal_nocase(element, wanted))
                return true;
    }
    return false;
}
