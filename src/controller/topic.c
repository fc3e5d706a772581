/* topic - what a topic from a client means. A client cannot speak as the server: whatever is
 * not plain here is never relayed. */
#include "controller/clients.h"

static bool begins(struct xs_slice topic, const char *with)
{
    size_t len = strlen(with);

    return topic.len >= len && memcmp(topic.at, with, len) == 0;
}

static bool has_control(struct xs_slice topic)
{
    for (size_t i = 0; i < topic.len; i++)
        if ((unsigned char)topic.at[i] < 0x20 || topic.at[i] == 0x7f)
            return true;
    return false;
}

static bool has_wildcard(struct xs_slice topic)
{
    return memchr(topic.at, '+', topic.len) != NULL || memchr(topic.at, '#', topic.len) != NULL;
}

/* The forms of version 4: 0x and hexadecimal digits. */
static bool is_hex_form(struct xs_slice topic)
{
    if (!begins(topic, "0x") || topic.len == 2)
        return false;
    for (size_t i = 2; i < topic.len; i++)
        if (!((topic.at[i] >= '0' && topic.at[i] <= '9') ||
              (topic.at[i] >= 'a' && topic.at[i] <= 'f')))
            return false;
    return true;
}

static enum xs_topic_kind number_kind(struct xs_slice topic)
{
    static const enum xs_topic_kind kinds[10] = {
        XS_TOPIC_FORBIDDEN, XS_TOPIC_OPEN,      XS_TOPIC_FORBIDDEN,   XS_TOPIC_CLOSE,
        XS_TOPIC_FORBIDDEN, XS_TOPIC_SUBSCRIBE, XS_TOPIC_UNSUBSCRIBE, XS_TOPIC_PING,
        XS_TOPIC_PONG,      XS_TOPIC_ACK,
    };

    if (topic.len == 1)
        return kinds[topic.at[0] - '0'];
    if (topic.len == 2 && topic.at[0] == '1' && topic.at[1] <= '4')
        return XS_TOPIC_FORBIDDEN;
    return XS_TOPIC_PLAIN;
}

static enum xs_topic_kind storage_kind(struct xs_slice topic)
{
    if (topic.len == 2 && topic.at[1] >= '1' && topic.at[1] <= '4')
        return (enum xs_topic_kind)(XS_TOPIC_STORE_SET + (topic.at[1] - '1'));
    if (begins(topic, "s1:") || begins(topic, "s2:") || begins(topic, "s3:"))
        return XS_TOPIC_FORBIDDEN;
    if (begins(topic, "set_"))
        return XS_TOPIC_PROPERTY_SET;
    return XS_TOPIC_PLAIN;
}

enum xs_topic_kind xs_topic_kind(struct xs_slice topic)
{
    if (topic.len == 0 || has_control(topic) || has_wildcard(topic))
        return XS_TOPIC_FORBIDDEN;
    switch (topic.at[0]) {
    case 's':
        return storage_kind(topic);
    case 'g':
        return begins(topic, "get_") ? XS_TOPIC_PROPERTY_GET : XS_TOPIC_PLAIN;
    case '_':
        return begins(topic, "__") ? XS_TOPIC_CONFIRMATION : XS_TOPIC_PLAIN;
    case '0':
        if (is_hex_form(topic))
            return XS_TOPIC_FORBIDDEN;
        break;
    default:
        break;
    }
    return topic.at[0] >= '0' && topic.at[0] <= '9' ? number_kind(topic) : XS_TOPIC_PLAIN;
}

bool xs_topic_subscribable(struct xs_slice filter)
{
    char bare[XS_TOPIC_MAX];
    struct xs_slice name = { bare, filter.len };

    if (filter.len == 0 || filter.len > sizeof bare || !xs_filter_valid(filter))
        return false;
    /* With the wildcards put aside it must be a plain topic. */
    for (size_t i = 0; i < filter.len; i++)
        bare[i] = filter.at[i] == '+' || filter.at[i] == '#' ? 'w' : filter.at[i];
    return xs_topic_kind(name) == XS_TOPIC_PLAIN;
}
