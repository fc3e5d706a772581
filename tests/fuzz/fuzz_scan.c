/* fuzz_scan - the scanner against the grammar, its view through escapes against unescaping
 * first, and the walk against cJSON's tree.
 *
 * rooms: base message   libs: cjson */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "json_reference.h"
#include "message/json.h"

#define DEPTH 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(claim)                                                                           \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%d: %s\n", __LINE__, #claim);                                     \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

static void same_string(struct xs_slice inside, const char *wanted)
{
    char *plain = malloc(inside.len + 1);
    size_t len = xs_json_unescape(inside, plain);

    CHECK(len == strlen(wanted) && memcmp(plain, wanted, len) == 0);
    free(plain);
}

static void same_number(struct xs_slice text, double wanted)
{
    char terminated[80];

    memcpy(terminated, text.at, text.len);
    terminated[text.len] = '\0';
    CHECK(memcmp(&wanted, &(double){ strtod(terminated, NULL) }, sizeof wanted) == 0);
}

static void same_value(const struct xs_json_value *value, const cJSON *tree)
{
    bool object = value->kind == XS_JSON_OBJECT;
    struct xs_json_value member;
    struct xs_json_walk walk;
    struct xs_slice key;

    switch (value->kind) {
    case XS_JSON_NULL:
        CHECK(cJSON_IsNull(tree));
        return;
    case XS_JSON_BOOL:
        CHECK(cJSON_IsBool(tree) && cJSON_IsTrue(tree) == (*value->text.at == 't'));
        return;
    case XS_JSON_NUMBER:
        CHECK(cJSON_IsNumber(tree));
        same_number(value->text, tree->valuedouble);
        return;
    case XS_JSON_STRING:
        CHECK(cJSON_IsString(tree));
        same_string(value->text, tree->valuestring);
        return;
    default:
        break;
    }
    CHECK(object ? cJSON_IsObject(tree) : cJSON_IsArray(tree));
    CHECK(object ? xs_json_walk_object(&walk, value->text)
                 : xs_json_walk_array(&walk, value->text));
    tree = tree->child;
    while (xs_json_next(&walk, object ? &key : NULL, &member)) {
        CHECK(tree != NULL);
        if (object) {
            same_string(key, tree->string);
            CHECK(xs_json_key_is(key, xs_slice_of(tree->string)));
        }
        same_value(&member, tree);
        tree = tree->next;
    }
    CHECK(tree == NULL);
}

/* cJSON cuts strings at \u0000, refuses lone surrogates, and cuts numbers of more than 63
 * characters. */
static bool cjson_reads_otherwise(struct xs_slice text)
{
    size_t run = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len && text.at[i + 1] == 'u')
            return true;
        run = strchr("0123456789+-.eE", text.at[i]) != NULL ? run + 1 : 0;
        if (run > 60)
            return true;
    }
    return false;
}

static void compare_trees(struct xs_slice text)
{
    struct xs_json_value value;
    cJSON *tree;

    if (cjson_reads_otherwise(text))
        return;
    tree = cJSON_ParseWithLength(text.at, text.len);
    CHECK(tree != NULL);
    CHECK(xs_json_value_of(text, &value));
    same_value(&value, tree);
    cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xs_slice text = { (const char *)data, size };
    bool valid = xs_json_valid(text, DEPTH);
    bool inside = size > 0 && ref_inside(text);

    CHECK(valid == ref_valid(text, DEPTH));
    if (valid)
        compare_trees(text);
    if (!inside) {
        CHECK(!xs_json_valid_escaped(text, DEPTH));
    } else {
        struct xs_slice plain = ref_unescape(text);
        char *own = malloc(size);

        CHECK(xs_json_valid_escaped(text, DEPTH) == ref_valid(plain, DEPTH));
        memcpy(own, data, size);
        CHECK(xs_json_unescape((struct xs_slice){ own, size }, own) == plain.len);
        CHECK(memcmp(own, plain.at, plain.len) == 0);
        free(own);
        free((char *)(uintptr_t)plain.at);
    }
    return 0;
}
