/* fuzz_bind - whatever the data, nothing outside the struct is written, strings end, counts
 * fit, and a refusal has its sentence. The first byte chooses form and table.
 *
 * rooms: base message   needs: src/controller/binding.c */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "controller/binding.h"
#include "json_reference.h"
#include "message/message.h"

#define DEPTH 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(claim)                                                                           \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%d: %s\n", __LINE__, #claim);                                     \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

struct user {
    char name[8];
    uint8_t age;
};

struct all {
    bool b;
    int8_t i8;
    int32_t i;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint64_t u64;
    double d;
    char s[8];
    struct xs_slice text;
    struct xs_slice json;
    struct user user;
    int16_t numbers[3];
    uint32_t number_count;
    char words[2][4];
    uint32_t word_count;
    struct user items[2];
    uint32_t item_count;
};

struct guarded {
    unsigned char before[32];
    struct all all;
    unsigned char after[32];
};

#define O            XS_OPTIONAL
#define ON           (XS_OPTIONAL | XS_NULLABLE)
#define PART(member) offsetof(struct all, member), sizeof(((struct all *)0)->member)
static const struct xs_property user_rows[] = {
    XS_STRING(struct user, name, O),
    XS_UINT(struct user, age, 0),
};
static const struct xs_property number_row = { "", XS_TYPE_INT, 0,    2, XS_NULLABLE,
                                               0,  0,           NULL, 0, 0 };
static const struct xs_property word_row = { "", XS_TYPE_STRING, 0, 4, 0, 0, 0, NULL, 0, 0 };
static const struct xs_property item_row = {
    "", XS_TYPE_OBJECT, 0, sizeof(struct user), 0, 0, 0, user_rows, 2, 0
};
static const struct xs_property rows[] = {
    XS_BOOL(struct all, b, O),
    XS_INT(struct all, i8, O),
    XS_INT(struct all, i, ON),
    XS_INT(struct all, i64, O),
    XS_UINT(struct all, u8, O),
    { "u16", XS_TYPE_UINT, PART(u16), O | XS_RANGE, 9.5, 1000.5, NULL, 0, 0 },
    XS_UINT(struct all, u64, O),
    XS_DOUBLE(struct all, d, O),
    XS_STRING(struct all, s, O),
    XS_TEXT_SLICE(struct all, text, O),
    XS_JSON_SLICE(struct all, json, O),
    { "user", XS_TYPE_OBJECT, PART(user), O, 0, 0, user_rows, 2, 0 },
    { "numbers", XS_TYPE_ARRAY, PART(numbers), O, 0, 0, &number_row, 1,
      offsetof(struct all, number_count) },
    { "words", XS_TYPE_ARRAY, PART(words), O, 0, 0, &word_row, 1,
      offsetof(struct all, word_count) },
    { "items", XS_TYPE_ARRAY, PART(items), O, 0, 0, &item_row, 1,
      offsetof(struct all, item_count) },
};
#define ROWS (sizeof rows / sizeof rows[0])

/* Nothing around the struct was touched; everything in it can be used. */
static void is_sound(const struct guarded *guarded)
{
    const struct all *all = &guarded->all;

    for (size_t i = 0; i < sizeof guarded->before; i++)
        CHECK(guarded->before[i] == 0x55 && guarded->after[i] == 0xAA);
    CHECK(memchr(all->s, '\0', sizeof all->s) != NULL);
    CHECK(xs_utf8_valid(all->s, strlen(all->s)));
    CHECK(memchr(all->user.name, '\0', sizeof all->user.name) != NULL);
    CHECK(all->number_count <= 3 && all->word_count <= 2 && all->item_count <= 2);
    for (size_t i = 0; i < 2; i++)
        CHECK(memchr(all->words[i], '\0', sizeof all->words[i]) != NULL);
    CHECK(*(const unsigned char *)&all->b <= 1);
    CHECK(all->u16 == 0 || (all->u16 >= 10 && all->u16 <= 1000));
    CHECK(xs_utf8_valid(all->text.at, all->text.len));
    if (all->json.len > 0)
        CHECK(ref_valid(all->json, DEPTH + 1));
}

/* What is shown of a property can be set to it again. */
static void shows_what_was_set(const struct xs_property *row, struct guarded *guarded)
{
    struct xs_buf first = { 0 }, second = { 0 };
    struct xs_message msg;

    if (row->type > XS_TYPE_STRING)
        return;
    xs_property_get(row, &guarded->all, &first);
    CHECK(ref_valid((struct xs_slice){ first.at, first.len }, 0));
    msg = (struct xs_message){ .data = { first.at, first.len }, .form = XS_JSON };
    if (xs_property_set(row, &guarded->all, &msg) == XS_OK) {
        xs_property_get(row, &guarded->all, &second);
        CHECK(first.len == second.len && memcmp(first.at, second.at, first.len) == 0);
    } else {
        CHECK((row->flags & XS_RANGE) != 0); /* it begins as zero */
    }
    xs_free(first.at);
    xs_free(second.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xs_message_limits limits = { 255, DEPTH };
    struct xs_slice text = { (const char *)data + 1, size - 1 };
    struct xs_data given;
    struct xs_message msg;
    struct xs_table table = XS_TABLE(rows);
    struct guarded guarded;
    const struct xs_property *row;
    enum xs_err err;

    if (size == 0)
        return 0;
    xs_message_limits_set(&limits);
    given = xs_data_of(text);
    if (data[0] % 3 == 1 && ref_inside(text) && xs_json_valid_escaped(text, DEPTH))
        given.form = XS_JSON_ESCAPED;
    else if (data[0] % 3 == 2)
        given.form = XS_TEXT;
    msg = (struct xs_message){ .data = given.bytes, .form = (uint8_t)given.form };
    memset(&guarded, 0, sizeof guarded);
    memset(guarded.before, 0x55, sizeof guarded.before);
    memset(guarded.after, 0xAA, sizeof guarded.after);
    row = &rows[data[0] / 9 % ROWS];
    if (data[0] / 3 % 3 == 1)
        table = (struct xs_table){ row, 1, sizeof *row };
    if (data[0] / 3 % 3 == 2 && row->type <= XS_TYPE_STRING)
        err = xs_property_set(row, &guarded.all, &msg);
    else
        err = xs_bind(&msg, table, &guarded.all);
    CHECK(err == XS_OK || err == XS_EINVAL);
    CHECK((err == XS_OK) == (*xs_bind_error() == '\0'));
    is_sound(&guarded);
    shows_what_was_set(row, &guarded);
    is_sound(&guarded);
    xs_message_thread_end();
    return 0;
}
