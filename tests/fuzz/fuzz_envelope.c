/* fuzz_envelope - what is read can be written, and reads back as the same message; what one
 * client wrote never makes another client's message anything but one envelope.
 *
 * rooms: base message */
#include <stdio.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "json_reference.h"
#include "message/message.h"

#define DEPTH 40
#define NAME  64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(claim)                                                                           \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%d: %s\n", __LINE__, #claim);                                     \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

static void is_as_its_form_says(struct xs_data data)
{
    struct xs_slice plain;

    switch (data.form) {
    case XS_JSON:
        CHECK(ref_valid(data.bytes, DEPTH));
        break;
    case XS_JSON_ESCAPED:
        CHECK(ref_inside(data.bytes));
        plain = ref_unescape(data.bytes);
        CHECK(ref_valid(plain, DEPTH));
        free((char *)(uintptr_t)plain.at);
        break;
    case XS_TEXT:
        CHECK(xs_utf8_valid(data.bytes.at, data.bytes.len));
        CHECK(!ref_valid(data.bytes, DEPTH));
        break;
    }
}

static struct xs_slice view(struct xs_data data, enum xs_view view_of, struct xs_buf *scratch)
{
    struct xs_slice out;

    CHECK(xs_data_view(data, view_of, scratch, 0, &out) == XS_OK);
    return out;
}

/* The data of what was written and read again says the same, as JSON. */
static void reads_back(struct xs_buf *written, const struct xs_message *msg,
                       bool none_is_object)
{
    struct xs_data data = { msg->data, (enum xs_form)msg->form };
    struct xs_buf mine = { 0 }, theirs = { 0 };
    struct xs_incoming again;
    struct xs_slice before, after;
    const char *why;

    CHECK(!written->failed);
    CHECK(ref_valid((struct xs_slice){ written->at, written->len }, DEPTH));
    CHECK(memchr(written->at, '\n', written->len) == NULL);
    CHECK(xs_envelope_read(written->at, written->len, &again, &why) == XS_OK);
    CHECK(xs_slice_equal(again.controller, msg->controller));
    CHECK(xs_slice_equal(again.topic, msg->topic));
    CHECK(again.data.form == XS_JSON_ESCAPED);
    before = view(data, XS_VIEW_JSON, &mine);
    after = view(again.data, XS_VIEW_JSON, &theirs);
    if (none_is_object &&
        (xs_slice_equal(before, XS_SLICE("null")) || xs_slice_equal(before, XS_SLICE("\"\""))))
        before = XS_SLICE("{}");
    CHECK(xs_slice_equal(before, after));
    xs_free(mine.at);
    xs_free(theirs.at);
}

static void write_both(const struct xs_message *msg)
{
    struct xs_data data = { msg->data, (enum xs_form)msg->form };
    struct xs_buf scratch = { 0 }, out = { 0 }, ascii = { 0 };
    struct xs_slice escaped = view(data, XS_VIEW_ESCAPED, &scratch);

    CHECK(ref_inside(escaped));
    xs_envelope_write(&out, msg, escaped);
    xs_envelope_write_ascii(&ascii, msg, escaped);
    for (size_t i = 0; i < ascii.len; i++)
        CHECK((unsigned char)ascii.at[i] < 0x80);
    reads_back(&out, msg, false);
    reads_back(&ascii, msg, true);
    xs_free(scratch.at);
    xs_free(out.at);
    xs_free(ascii.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xs_message_limits limits = { NAME, DEPTH };
    char *own = malloc(size > 0 ? size : 1);
    const char *why = NULL;
    struct xs_incoming in;
    enum xs_err err;

    xs_message_limits_set(&limits);
    if (size > 0)
        memcpy(own, data, size);
    err = xs_envelope_read(own, size, &in, &why);
    if (err == XS_OK) {
        struct xs_message borrowed = { .controller = in.controller,
                                       .topic = in.topic,
                                       .data = in.data.bytes,
                                       .form = (uint8_t)in.data.form,
                                       .qos = (uint8_t)in.qos,
                                       .qos_id = (uint16_t)in.qos_id };
        struct xs_message *msg = xs_message_copy(&borrowed);

        CHECK(in.topic.len > 0 && in.topic.len <= NAME && in.controller.len <= NAME);
        CHECK(xs_utf8_valid(in.topic.at, in.topic.len));
        CHECK(xs_utf8_valid(in.controller.at, in.controller.len));
        CHECK(in.qos <= 1 && in.qos_id <= UINT16_MAX && !in.has_blob);
        is_as_its_form_says(in.data);
        write_both(msg);
        xs_message_unref(msg);
    } else {
        CHECK(err == XS_EINVAL || err == XS_ETOOBIG);
        CHECK(why != NULL && *why != '\0');
    }
    free(own);
    xs_message_thread_end();
    return 0;
}
