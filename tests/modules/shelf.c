/* shelf - a stranger's protocol that hands out files: "SHELF\n", then a line for each file. The
 * answer is its length and its bytes, or what was wrong; "?" in front asks for the length
 * alone. Proves file.h, and that a connection on which messages could flow may send files too.
 */
#include <stdio.h>

#include <xsockets/file.h>
#include <xsockets/protocol.h>

static const char *const shelf_beginnings[] = { "SHELF\n", NULL };

static const struct xs_setting shelf_settings[] = {
    { "folder", "folder", "", "Where the files lie." },
    { "keep", "size", "0B", "Files kept in memory." },
};

static enum xs_err shelf_worker_start(void *state, const struct xs_settings *settings)
{
    size_t keep = (size_t)xs_setting_number(settings, "keep");

    (void)state;
    xs_folder_keep(xs_setting_folder(settings, "folder"), keep, keep);
    return XS_OK;
}

static enum xs_match shelf_match(struct xs_slice head)
{
    size_t n = head.len < 6 ? head.len : 6;

    if (memcmp(head.at, "SHELF\n", n) != 0)
        return XS_MATCH_NO;
    return n == 6 ? XS_MATCH_YES : XS_MATCH_MORE;
}

static enum xs_err shelf_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    in->at += 6;
    in->len -= 6;
    xs_conn_ready(conn);
    return XS_OK;
}

static void shelf_sent(void *self, struct xs_conn *conn)
{
    (void)self;
    xs_conn_write(conn, XS_SLICE("\n"));
}

static bool answer(struct xs_conn *conn, struct xs_slice name)
{
    const struct xs_settings *settings = xs_conn_protocol_settings(conn);
    struct xs_file_facts facts = { .size = sizeof facts };
    bool alone = name.len > 0 && name.at[0] == '?';
    struct xs_slice path = { name.at + alone, name.len - alone };
    enum xs_err err =
        xs_conn_open_file(conn, xs_setting_folder(settings, "folder"), path, &facts);
    char line[64];

    if (err == XS_EAGAIN)
        return false;
    if (err == XS_OK && !facts.is_folder)
        (void)snprintf(line, sizeof line, "%llu\n", (unsigned long long)facts.length);
    else
        (void)snprintf(line, sizeof line, "%s\n", err == XS_OK ? "folder" : xs_err_text(err));
    xs_conn_write(conn, xs_slice_of(line));
    if (err != XS_OK || facts.is_folder || alone)
        xs_conn_close_file(conn);
    else
        xs_conn_send_file(conn, 0, facts.length, shelf_sent);
    return true;
}

static enum xs_err shelf_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    char *end;

    (void)self;
    while (in->len > 0 && !xs_conn_busy(conn) &&
           (end = memchr(in->at, '\n', in->len)) != NULL) {
        struct xs_slice name = { in->at, (size_t)(end - in->at) };

        if (!answer(conn, name))
            return XS_OK;
        in->at += name.len + 1;
        in->len -= name.len + 1;
    }
    return in->len > 4096 && !xs_conn_busy(conn) ? XS_ETOOBIG : XS_OK;
}

static enum xs_err shelf_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    (void)msg;
    (void)data;
    (void)out;
    return XS_EREFUSED;
}

static const struct xs_protocol_ops shelf_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "shelf",
    .settings = XS_TABLE(shelf_settings),
    .beginnings = shelf_beginnings,
    .worker_start = shelf_worker_start,
    .match = shelf_match,
    .open = shelf_open,
    .decode = shelf_decode,
    .encode = shelf_encode,
};

XS_PLUGIN(.name = "shelf", .version = "1.0.0", .protocols = { &shelf_ops })
