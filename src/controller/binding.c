/* binding - a message's JSON into members of a C struct, as a table says.
 *
 * No tree is built. The JSON is walked once per struct, each row remembers the last member of
 * its name, and then the rows are filled in their order. Integers are read from their text. */
#include "controller/binding.h"

#include <float.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "message/json.h"
#include "message/message.h"

static _Thread_local char sentence_here[256];

/* Where a value stands, from the inside out: user.items[3].name */
struct place {
    const struct place *around; /* NULL: the outermost */
    const char *name;           /* NULL: an element */
    size_t index;
};

/* What stays the same for all values of one message. */
struct binding {
    size_t row_size;      /* of one row of the module's tables */
    size_t text_len;      /* of the JSON; what its strings say is never longer */
    struct xs_buf *texts; /* strings without their escapes; NULL until there is one */
};

/* What a row found. */
struct found {
    struct xs_slice name;
    struct xs_json_value value;
    bool given;
};

#define FEW_ROWS 16

const char *xs_bind_error(void)
{
    return sentence_here;
}

void xs_bind_failed(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(sentence_here, sizeof sentence_here, format, args);
    va_end(args);
}

void xs_bind_forget(void)
{
    sentence_here[0] = '\0';
}

static size_t put_place(const struct place *place, char *at, size_t room)
{
    size_t len = 0;
    int n;

    if (place->around != NULL)
        len = put_place(place->around, at, room);
    if (place->name == NULL)
        n = snprintf(at + len, room - len, "[%zu]", place->index);
    else
        n = snprintf(at + len, room - len, "%s%s", len > 0 ? "." : "", place->name);
    len += n > 0 ? (size_t)n : 0;
    return len < room ? len : room - 1;
}

/* Says what is wrong with the value at a place; what to return then. */
__attribute__((format(printf, 2, 3))) static enum xs_err wrong(const struct place *place,
                                                               const char *format, ...)
{
    char where[128];
    char what[112];
    va_list args;

    put_place(place, where, sizeof where);
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    xs_bind_failed("\"%s\" %s", where, what);
    return XS_EINVAL;
}

/* A fault of the module's table, not of the client. */
static enum xs_err wrong_row(const struct place *place)
{
    wrong(place, "is described by a row that cannot be");
    return XS_EINTERNAL;
}

/* A row as this host knows it, from a table that may have been built with a shorter or longer
 * one. */
static struct xs_property row_at(const void *rows, size_t i, size_t row_size)
{
    struct xs_property row;

    memset(&row, 0, sizeof row);
    memcpy(&row, (const char *)rows + i * row_size,
           row_size < sizeof row ? row_size : sizeof row);
    return row;
}

static bool is_textual(const struct xs_property *row)
{
    return row->type == XS_TYPE_STRING || row->type == XS_TYPE_SLICE ||
           row->type == XS_TYPE_JSON;
}

/* ---- numbers ---- */

/* The text of a number, or of a string that should hold one, without escapes. */
static struct xs_slice number_text(const struct xs_json_value *value, char *room, size_t size)
{
    if (value->kind != XS_JSON_NUMBER && value->kind != XS_JSON_STRING)
        return XS_SLICE("");
    if (!value->escaped)
        return value->text;
    if (value->text.len > size)
        return XS_SLICE("");
    return (struct xs_slice){ room, xs_json_unescape(value->text, room) };
}

static bool is_width(uint32_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

/* A bound given as a double, as an integer inside it. */
static int64_t signed_bound(double bound, bool low)
{
    int64_t whole;

    if (bound >= 0x1p63)
        return INT64_MAX;
    if (bound <= -0x1p63)
        return INT64_MIN;
    whole = (int64_t)bound;
    if (low && (double)whole < bound)
        whole++;
    if (!low && (double)whole > bound)
        whole--;
    return whole;
}

static uint64_t unsigned_bound(double bound, bool low)
{
    uint64_t whole;

    if (bound >= 0x1p64)
        return UINT64_MAX;
    if (bound <= 0)
        return 0;
    whole = (uint64_t)bound;
    return low && (double)whole < bound ? whole + 1 : whole;
}

/* The lowest bytes of `bits`: also for what is signed, the bits are the same. */
static void store(void *to, uint32_t size, uint64_t bits)
{
    uint8_t one = (uint8_t)bits;
    uint16_t two = (uint16_t)bits;
    uint32_t four = (uint32_t)bits;

    switch (size) {
    case 1:
        memcpy(to, &one, size);
        break;
    case 2:
        memcpy(to, &two, size);
        break;
    case 4:
        memcpy(to, &four, size);
        break;
    default:
        memcpy(to, &bits, size);
        break;
    }
}

static enum xs_err bind_signed(const struct xs_property *row, const struct xs_json_value *value,
                               void *to, const struct place *place)
{
    int64_t high = (int64_t)(UINT64_MAX >> (65 - 8 * row->size));
    int64_t low = -high - 1;
    char room[128];
    uint64_t magnitude;
    bool negative;
    enum xs_err err =
        xs_json_integer(number_text(value, room, sizeof room), &negative, &magnitude);

    if (err == XS_EINVAL)
        return wrong(place, "must be an integer");
    if ((row->flags & XS_RANGE) != 0) {
        int64_t min = signed_bound(row->min, true);
        int64_t max = signed_bound(row->max, false);

        low = min > low ? min : low;
        high = max < high ? max : high;
    }
    if (err == XS_OK && magnitude <= (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        int64_t number = (int64_t)(negative ? ~magnitude + 1 : magnitude);

        if (number >= low && number <= high) {
            store(to, row->size, (uint64_t)number);
            return XS_OK;
        }
    }
    return wrong(place, "is out of range (%" PRId64 " to %" PRId64 ")", low, high);
}

static enum xs_err bind_unsigned(const struct xs_property *row,
                                 const struct xs_json_value *value, void *to,
                                 const struct place *place)
{
    uint64_t high = UINT64_MAX >> (64 - 8 * row->size);
    uint64_t low = 0;
    char room[128];
    uint64_t number;
    bool negative;
    enum xs_err err =
        xs_json_integer(number_text(value, room, sizeof room), &negative, &number);

    if (err == XS_EINVAL)
        return wrong(place, "must be an integer");
    if ((row->flags & XS_RANGE) != 0) {
        uint64_t max = unsigned_bound(row->max, false);

        low = unsigned_bound(row->min, true);
        high = max < high ? max : high;
    }
    if (err != XS_OK || negative || number < low || number > high)
        return wrong(place, "is out of range (%" PRIu64 " to %" PRIu64 ")", low, high);
    store(to, row->size, number);
    return XS_OK;
}

/* Whether all of a text is one JSON number, no white space around it. */
static bool is_number(struct xs_slice text)
{
    if (text.len == 0 || (*text.at != '-' && (*text.at < '0' || *text.at > '9')))
        return false;
    return text.at[text.len - 1] > ' ' && xs_json_valid(text, 0);
}

static enum xs_err bind_double(const struct xs_property *row, const struct xs_json_value *value,
                               void *to, const struct place *place)
{
    char room[128], few[128];
    struct xs_slice text = number_text(value, room, sizeof room);
    char *terminated = few;
    double number;

    if (!is_number(text))
        return wrong(place, "must be a number");
    if (text.len >= sizeof few)
        terminated = xs_try_alloc(text.len + 1);
    if (terminated == NULL)
        return XS_ENOMEM;
    memcpy(terminated, text.at, text.len);
    terminated[text.len] = '\0';
    /* The daemon never sets a locale, so the decimal point is one. */
    number = strtod(terminated, NULL);
    if (terminated != few)
        xs_free(terminated);
    if (number > DBL_MAX || number < -DBL_MAX)
        return wrong(place, "is out of range");
    if ((row->flags & XS_RANGE) != 0 && (number < row->min || number > row->max))
        return wrong(place, "is out of range (%.15g to %.15g)", row->min, row->max);
    memcpy(to, &number, sizeof number);
    return XS_OK;
}

/* ---- the other kinds ---- */

static enum xs_err bind_bool(const struct xs_json_value *value, void *to,
                             const struct place *place)
{
    bool truth = xs_slice_equal_nocase(value->text, XS_SLICE("true"));

    if ((value->kind != XS_JSON_BOOL && value->kind != XS_JSON_STRING) ||
        (!truth && !xs_slice_equal_nocase(value->text, XS_SLICE("false"))))
        return wrong(place, "must be true or false");
    memcpy(to, &truth, sizeof truth);
    return XS_OK;
}

/* The text of a string; of a number or a literal what was sent, since a client that sends the
 * string "42" may have sent it bare. */
static enum xs_err text_of(struct binding *binding, const struct xs_json_value *value,
                           const struct place *place, struct xs_slice *text)
{
    if (value->kind != XS_JSON_STRING && value->kind != XS_JSON_NUMBER &&
        value->kind != XS_JSON_BOOL)
        return wrong(place, "must be a string");
    *text = value->text;
    if (!value->escaped)
        return XS_OK;
    if (binding->texts == NULL || binding->texts->cap - binding->texts->len < text->len) {
        /* Room for all at once, since what was handed out must not move: all strings together
         * are no longer than the JSON, unless two rows have the same name. */
        binding->texts = xs_message_scratch();
        if (!xs_buf_reserve(binding->texts, binding->text_len))
            return XS_ENOMEM;
    }
    text->at = binding->texts->at + binding->texts->len;
    text->len = xs_json_unescape(value->text, binding->texts->at + binding->texts->len);
    return XS_OK;
}

static enum xs_err bind_string(struct binding *binding, const struct xs_property *row,
                               const struct xs_json_value *value, char *to,
                               const struct place *place)
{
    struct xs_slice text = { NULL, 0 };
    enum xs_err err = text_of(binding, value, place, &text);

    if (err != XS_OK)
        return err;
    if (text.len >= row->size)
        return wrong(place, "is too long (at most %u bytes)", row->size - 1);
    if (text.len > 0 && memchr(text.at, '\0', text.len) != NULL)
        return wrong(place, "must not hold a NUL character");
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return XS_OK;
}

static enum xs_err bind_slice(struct binding *binding, const struct xs_json_value *value,
                              void *to, const struct place *place)
{
    struct xs_slice text = { NULL, 0 };
    enum xs_err err = text_of(binding, value, place, &text);

    if (err != XS_OK)
        return err;
    if (value->escaped)
        binding->texts->len += text.len; /* it stays */
    memcpy(to, &text, sizeof text);
    return XS_OK;
}

static void bind_json(const struct xs_json_value *value, void *to)
{
    struct xs_slice text = value->text;

    if (value->kind == XS_JSON_STRING) /* with its quotes */
        text = (struct xs_slice){ text.at - 1, text.len + 2 };
    memcpy(to, &text, sizeof text);
}

/* Whether a member of this type can have this size. */
static bool is_possible(const struct xs_property *row)
{
    switch (row->type) {
    case XS_TYPE_BOOL:
        return row->size == sizeof(bool);
    case XS_TYPE_INT:
    case XS_TYPE_UINT:
        return is_width(row->size);
    case XS_TYPE_DOUBLE:
        return row->size == sizeof(double);
    case XS_TYPE_STRING:
        return row->size > 0;
    case XS_TYPE_SLICE:
    case XS_TYPE_JSON:
        return row->size == sizeof(struct xs_slice);
    case XS_TYPE_OBJECT:
        return row->inner != NULL || row->inner_count == 0;
    case XS_TYPE_ARRAY:
        return row->inner != NULL && row->inner_count == 1;
    }
    return false;
}

static enum xs_err bind_object(struct binding *binding, struct xs_table rows,
                               struct xs_slice object, void *target,
                               const struct place *around);
static enum xs_err bind_array(struct binding *binding, const struct xs_property *row,
                              const struct xs_json_value *value, char *base,
                              const struct place *place);

/* Fills the row's member of the struct at `base`. */
static enum xs_err bind_value(struct binding *binding, const struct xs_property *row,
                              const struct xs_json_value *value, char *base,
                              const struct place *place)
{
    struct xs_table inner = { row->inner, row->inner_count, binding->row_size };
    char *to = base + row->offset;

    if (!is_possible(row))
        return wrong_row(place);
    if (value->kind == XS_JSON_NULL && (row->flags & XS_NULLABLE) != 0)
        return XS_OK;
    if (value->kind == XS_JSON_NULL && row->type != XS_TYPE_JSON)
        return wrong(place, "must not be null");
    switch (row->type) {
    case XS_TYPE_BOOL:
        return bind_bool(value, to, place);
    case XS_TYPE_INT:
        return bind_signed(row, value, to, place);
    case XS_TYPE_UINT:
        return bind_unsigned(row, value, to, place);
    case XS_TYPE_DOUBLE:
        return bind_double(row, value, to, place);
    case XS_TYPE_STRING:
        return bind_string(binding, row, value, to, place);
    case XS_TYPE_SLICE:
        return bind_slice(binding, value, to, place);
    case XS_TYPE_JSON:
        bind_json(value, to);
        return XS_OK;
    case XS_TYPE_OBJECT:
        if (value->kind != XS_JSON_OBJECT)
            return wrong(place, "must be an object");
        return bind_object(binding, inner, value->text, to, place);
    case XS_TYPE_ARRAY:
        return bind_array(binding, row, value, base, place);
    }
    return wrong_row(place);
}

static enum xs_err bind_array(struct binding *binding, const struct xs_property *row,
                              const struct xs_json_value *value, char *base,
                              const struct place *place)
{
    struct xs_property inner = row_at(row->inner, 0, binding->row_size);
    uint32_t room = inner.size > 0 ? row->size / inner.size : 0;
    struct xs_json_value element;
    struct xs_json_walk walk;
    uint32_t count = 0;

    if (inner.size == 0)
        return wrong_row(place);
    if (value->kind != XS_JSON_ARRAY || !xs_json_walk_array(&walk, value->text))
        return wrong(place, "must be an array");
    for (; xs_json_next(&walk, NULL, &element); count++) {
        struct place at = { place, NULL, count };
        enum xs_err err;

        if (count == room)
            return wrong(place, "has too many elements (at most %u)", room);
        err = bind_value(binding, &inner, &element,
                         base + row->offset + (size_t)count * inner.size, &at);
        if (err != XS_OK)
            return err;
    }
    memcpy(base + row->count_offset, &count, sizeof count);
    return XS_OK;
}

/* For each row the last member of its name. */
static void find_members(struct xs_table rows, struct xs_slice object, struct found *found)
{
    struct xs_json_value value;
    struct xs_json_walk walk;
    struct xs_slice key;
    size_t i;

    for (i = 0; i < rows.count; i++) {
        found[i].name = xs_slice_of(row_at(rows.at, i, rows.element).name);
        found[i].given = false;
    }
    if (!xs_json_walk_object(&walk, object))
        return;
    while (xs_json_next(&walk, &key, &value)) {
        for (i = 0; i < rows.count; i++) {
            if (!xs_json_key_is(key, found[i].name))
                continue;
            found[i].value = value;
            found[i].given = true;
        }
    }
}

static enum xs_err missing(const struct xs_property *row, const struct place *place)
{
    return (row->flags & XS_OPTIONAL) != 0 ? XS_OK : wrong(place, "is missing");
}

static enum xs_err bind_object(struct binding *binding, struct xs_table rows,
                               struct xs_slice object, void *target, const struct place *around)
{
    struct found few[FEW_ROWS];
    struct found *found = few;
    enum xs_err err = XS_OK;
    size_t i;

    if (rows.count > FEW_ROWS)
        found = xs_alloc(rows.count * sizeof *found);
    find_members(rows, object, found);
    for (i = 0; i < rows.count && err == XS_OK; i++) {
        struct xs_property row = row_at(rows.at, i, rows.element);
        struct place place = { around, row.name, 0 };

        err = found[i].given ? bind_value(binding, &row, &found[i].value, target, &place)
                             : missing(&row, &place);
    }
    if (found != few)
        xs_free(found);
    return err;
}

/* ---- the message's data ---- */

/* The data as JSON and the value that it is. */
static enum xs_err read_data(const struct xs_message *msg, struct binding *binding,
                             struct xs_json_value *value)
{
    struct xs_slice text = xs_message_view(msg, XS_VIEW_JSON);

    binding->text_len = text.len;
    binding->texts = NULL;
    if (msg->data.len == 0 && msg->form == XS_JSON)
        text = XS_SLICE("null");
    if (xs_json_value_of(text, value))
        return XS_OK;
    xs_bind_failed("there is no memory for the data");
    return XS_ENOMEM;
}

/* If a string holds JSON of this kind, strict or lenient, it becomes the value: clients send
 * objects so, and what is lenient JSON has travelled as text. */
static bool look_inside(struct binding *binding, struct xs_json_value *value,
                        enum xs_json_kind kind)
{
    unsigned depth = xs_message_limits()->json_depth;
    struct xs_json_value inner;
    struct xs_buf *text, *strict;

    if (value->kind != XS_JSON_STRING || value->text.len < 2)
        return false;
    text = xs_message_scratch();
    if (!xs_buf_reserve(text, value->text.len))
        return false;
    text->len = xs_json_unescape(value->text, text->at);
    if (!xs_json_value_of((struct xs_slice){ text->at, text->len }, &inner) ||
        inner.kind != kind)
        return false;
    if (!xs_json_valid((struct xs_slice){ text->at, text->len }, depth)) {
        strict = xs_message_scratch();
        if (xs_json_from_lenient((struct xs_slice){ text->at, text->len }, depth, strict) !=
            XS_OK)
            return false;
        xs_json_value_of((struct xs_slice){ strict->at, strict->len }, &inner);
        if (strict->len > binding->text_len)
            binding->text_len = strict->len;
    }
    *value = inner;
    return true;
}

/* null, nothing, or what the clients send for nothing. */
static bool is_nothing(const struct xs_json_value *value)
{
    return value->kind == XS_JSON_NULL ||
           (value->kind == XS_JSON_STRING && value->text.len == 0);
}

/* Whether an object has what a table of one row asks for by name. */
static bool has_member(struct xs_slice object, const struct xs_property *row)
{
    struct found found;
    struct xs_table rows = { row, 1, sizeof *row };

    find_members(rows, object, &found);
    if (row->type != XS_TYPE_OBJECT)
        return found.given;
    return found.given &&
           (found.value.kind == XS_JSON_OBJECT || found.value.kind == XS_JSON_NULL);
}

/* A table of one row: the member of an object, or the value itself. */
static enum xs_err bind_one(struct binding *binding, struct xs_table rows,
                            struct xs_json_value *value, void *target)
{
    struct xs_property row = row_at(rows.at, 0, rows.element);
    struct place place = { NULL, row.name, 0 };
    struct xs_json_value inside = *value;

    /* A string for a string is the value, unless it is an object that has the member. */
    if (look_inside(binding, &inside,
                    row.type == XS_TYPE_ARRAY ? XS_JSON_ARRAY : XS_JSON_OBJECT) &&
        (!is_textual(&row) || has_member(inside.text, &row)))
        *value = inside;
    if (value->kind == XS_JSON_OBJECT && has_member(value->text, &row))
        return bind_object(binding, rows, value->text, target, NULL);
    if (value->kind == XS_JSON_OBJECT && row.type != XS_TYPE_OBJECT && row.type != XS_TYPE_JSON)
        return missing(&row, &place);
    if (is_nothing(value) && row.type != XS_TYPE_JSON &&
        (value->kind == XS_JSON_NULL || !is_textual(&row)))
        return (row.flags & XS_NULLABLE) != 0 ? XS_OK : missing(&row, &place);
    return bind_value(binding, &row, value, target, &place);
}

enum xs_err xs_bind(const struct xs_message *msg, struct xs_table rows, void *target)
{
    XS_ON_SOME_WORKER();
    struct xs_json_value value;
    struct binding binding;
    enum xs_err err;

    xs_bind_forget();
    binding.row_size = rows.element;
    err = read_data(msg, &binding, &value);
    if (err != XS_OK)
        return err;
    if (rows.count == 1)
        return bind_one(&binding, rows, &value, target);
    look_inside(&binding, &value, XS_JSON_OBJECT);
    if (value.kind != XS_JSON_OBJECT && !is_nothing(&value)) {
        xs_bind_failed("the data must be an object");
        return XS_EINVAL;
    }
    if (value.kind != XS_JSON_OBJECT)
        value.text = XS_SLICE("{}");
    return bind_object(&binding, rows, value.text, target, NULL);
}

/* ---- properties ---- */

/* The value of an object's only member, if that is called `value`. */
static void unwrap(struct xs_json_value *value)
{
    struct xs_json_value member, more;
    struct xs_json_walk walk;
    struct xs_slice key;

    if (xs_json_walk_object(&walk, value->text) && xs_json_next(&walk, &key, &member) &&
        xs_json_key_is(key, XS_SLICE("value")) && !xs_json_next(&walk, &key, &more))
        *value = member;
}

enum xs_err xs_property_set(const struct xs_property *row, void *state,
                            const struct xs_message *msg)
{
    struct place place = { NULL, row->name, 0 };
    struct xs_json_value value;
    struct binding binding;
    enum xs_err err;

    xs_bind_forget();
    binding.row_size = sizeof *row;
    if (row->type > XS_TYPE_STRING)
        return wrong_row(&place);
    err = read_data(msg, &binding, &value);
    if (err != XS_OK)
        return err;
    if (row->type != XS_TYPE_STRING)
        look_inside(&binding, &value, XS_JSON_OBJECT);
    if (value.kind == XS_JSON_OBJECT)
        unwrap(&value);
    return bind_value(&binding, row, &value, state, &place);
}

static int64_t load_signed(const void *from, uint32_t size)
{
    int8_t one;
    int16_t two;
    int32_t four;
    int64_t eight = 0;

    switch (size) {
    case 1:
        memcpy(&one, from, size);
        return one;
    case 2:
        memcpy(&two, from, size);
        return two;
    case 4:
        memcpy(&four, from, size);
        return four;
    default:
        memcpy(&eight, from, size);
        return eight;
    }
}

static uint64_t load_unsigned(const void *from, uint32_t size)
{
    /* The bits above those of the member go again. */
    return (uint64_t)load_signed(from, size) & UINT64_MAX >> (64 - 8 * size);
}

/* The shortest of three that reads back as the same number. */
static int put_double(char *to, size_t room, const void *from)
{
    double number;
    int digits, n = 0;

    memcpy(&number, from, sizeof number);
    if (!(number >= -DBL_MAX && number <= DBL_MAX))
        return snprintf(to, room, "null");
    for (digits = 15; digits <= 17; digits++) {
        n = snprintf(to, room, "%.*g", digits, number);
        if (strtod(to, NULL) == number)
            break;
    }
    return n;
}

void xs_property_get(const struct xs_property *row, const void *state, struct xs_buf *json)
{
    const char *from = (const char *)state + row->offset;
    char text[40];
    unsigned char truth;
    int n = 0;

    if (!is_possible(row) || row->type > XS_TYPE_STRING) {
        xs_buf_append(json, XS_SLICE("null"));
        return;
    }
    switch (row->type) {
    case XS_TYPE_BOOL:
        memcpy(&truth, from, sizeof truth);
        n = snprintf(text, sizeof text, "%s", truth != 0 ? "true" : "false");
        break;
    case XS_TYPE_INT:
        n = snprintf(text, sizeof text, "%" PRId64, load_signed(from, row->size));
        break;
    case XS_TYPE_UINT:
        n = snprintf(text, sizeof text, "%" PRIu64, load_unsigned(from, row->size));
        break;
    case XS_TYPE_DOUBLE:
        n = put_double(text, sizeof text, from);
        break;
    default:
        xs_buf_append_byte(json, '"');
        xs_buf_append_escaped(json, (struct xs_slice){ from, strnlen(from, row->size) });
        xs_buf_append_byte(json, '"');
        break;
    }
    xs_buf_append(json, (struct xs_slice){ text, (size_t)n });
}
