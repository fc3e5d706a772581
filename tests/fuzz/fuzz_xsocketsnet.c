/* host: fake
 * needs: modules/subprotocols/xsocketsnet/xsocketsnet.c */
/* fuzz_xsocketsnet - payloads of the original clients.
 *
 * The first byte says what comes: bit 0 a binary payload; bit 1 one whose length of the header
 * is given by the second byte, so that it often fits. What is delivered must be UTF-8 and, said
 * again, must be read as the same message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "host.h"
#include "message/json.h"
#include "message/message.h"

const struct xs_plugin *xs_plugin_entry(void);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(claim) ((claim) ? (void)0 : failed(__LINE__, #claim))

static _Noreturn void failed(int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", __FILE__, line, claim);
    abort();
}

static void check_incoming(const struct xs_incoming *got, bool binary)
{
    DEMAND(got->has_blob == binary);
    DEMAND(got->qos <= 1 && got->qos_id <= 65535);
    DEMAND(got->controller.len <= 255 && got->topic.len <= 255);
    DEMAND(xs_utf8_valid(got->controller.at, got->controller.len));
    DEMAND(xs_utf8_valid(got->topic.at, got->topic.len));
    DEMAND(xs_utf8_valid(got->data.bytes.at, got->data.bytes.len));
    DEMAND(got->data.form != XS_JSON || xs_json_valid(got->data.bytes, 64));
    DEMAND(got->data.form != XS_JSON_ESCAPED || xs_json_valid_escaped(got->data.bytes, 64));
}

/* The message encoded, with everything personal that the payload takes, and read back. */
static void check_round(struct xt_host *host, const struct xs_incoming *got)
{
    const struct xs_personal who = { sizeof who, true, -7, 65535, NULL };
    struct xs_conn *conn = xt_conn_new_sub(host, "XSocketsNET", NULL);
    const struct xs_incoming *again;
    struct xt_bytes out = { NULL, 0, 0 };
    struct xs_message msg;
    bool binary = false;

    memset(&msg, 0, sizeof msg);
    msg.controller = got->controller;
    msg.topic = got->topic;
    msg.data = got->data.bytes;
    msg.form = (uint8_t)got->data.form;
    msg.blob = got->blob;
    msg.has_blob = got->has_blob;
    DEMAND(xt_encode(conn, &msg, &who, &out, &binary) == XS_OK);
    DEMAND(binary == got->has_blob);
    DEMAND(binary || xs_json_valid(xt_slice(&out), 2));
    DEMAND(xt_payload(conn, xt_slice(&out), binary) == XS_OK);
    DEMAND(conn->delivered_count == 1);
    again = &conn->delivered[0].incoming;
    DEMAND(xs_slice_equal(again->controller, got->controller));
    DEMAND(xs_slice_equal(again->topic, got->topic));
    DEMAND(xs_slice_equal(again->blob, got->blob));
    DEMAND(again->has_correlation && again->correlation == who.correlation);
    DEMAND(again->qos_id == (binary ? 0 : 65535));
    xt_bytes_free(&out);
    xt_conn_free(conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xt_bytes payload = { NULL, 0, 0 };
    struct xt_host *host;
    struct xs_conn *conn;
    bool binary;

    if (size < 2)
        return 0;
    binary = (data[0] & 3) != 0;
    if ((data[0] & 2) != 0) {
        xt_append(&payload, (struct xs_slice){ (const char *)data + 1, 1 });
        xt_append(&payload, XS_SLICE("\0\0\0\0\0\0\0"));
        data++;
        size--;
    }
    xt_append(&payload, (struct xs_slice){ (const char *)data + 1, size - 1 });
    if (!binary && !xs_utf8_valid(payload.at, payload.len)) {
        xt_bytes_free(&payload);
        return 0; /* never gets past the frames */
    }
    host = xt_host_new();
    xt_host_subprotocol(host, xt_plugin_subprotocol(xs_plugin_entry(), "xsocketsnet"), NULL);
    conn = xt_conn_new_sub(host, "XSocketsNET", NULL);
    (void)xt_payload(conn, xt_slice(&payload), binary);
    DEMAND(conn->delivered_count + conn->errors.count == 1);
    if (conn->delivered_count == 1) {
        check_incoming(&conn->delivered[0].incoming, binary);
        check_round(host, &conn->delivered[0].incoming);
    }
    xt_bytes_free(&payload);
    xt_conn_free(conn);
    xt_host_free(host);
    return 0;
}
