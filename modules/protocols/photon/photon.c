/* photon - PhotonProtocol: the Photon, a board of Particle's, that keeps its persistent id
 * itself.
 *
 *   C: PhotonProtocol?PersistentId=guid    the greeting, without an end; the query is optional
 *   S: 00 welcome FF
 *   C: 00 controller|topic|data FF         from then on a frame is a message, both ways
 *
 * A frame of fewer than three parts is ignored, as the original server did. */
#include <xsockets/framing.h>

static const struct xs_format photon = { .greeting = "PhotonProtocol",
                                         .framing = XS_FRAMING_XFRAME,
                                         .three_parts = true };

static enum xs_match photon_match(struct xs_slice head)
{
    return xs_greeting_match(&photon, head);
}

static enum xs_err photon_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    enum xs_err err = xs_conn_greeting(&photon, self, conn, in);

    if (err != XS_OK)
        return err;
    xs_conn_write(conn, XS_SLICE("\0welcome\xff"));
    xs_conn_ready(conn);
    return XS_OK;
}

static enum xs_err photon_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    return xs_conn_frames(&photon, self, conn, in);
}

static enum xs_err photon_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                 struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    return xs_parts_write(&photon, msg, data, out);
}

static const char *const photon_beginnings[] = { "PhotonProtocol", NULL };

static const struct xs_protocol_ops photon_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "photon",
    .state_size = sizeof(struct xs_frames),
    .beginnings = photon_beginnings,
    .view = XS_VIEW_JSON,
    .match = photon_match,
    .open = photon_open,
    .decode = photon_decode,
    .encode = photon_encode,
};

XS_PLUGIN(.name = "photon", .version = "1.0.0", .protocols = { &photon_ops })
