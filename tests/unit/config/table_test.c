/* table - what the one list of settings must be, so that everything made from it is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/table.h"

static char *shown(void (*show)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    show(out);
    fclose(out);
    return text;
}

static void help(FILE *out)
{
    xs_config_help(out, false);
}

static void coloured_help(FILE *out)
{
    xs_config_help(out, true);
}

static void every_default_is_a_value_that_the_file_may_have(void **state)
{
    size_t t, i;

    (void)state;
    for (t = 0; t < XS_CONFIG_TABLES; t++) {
        for (i = 0; i < xs_config_tables[t].count; i++) {
            const struct xs_config_row *row = &xs_config_tables[t].rows[i];
            char text[512], *error = NULL;
            struct xs_config *config;

            snprintf(text, sizeof text, "[%s]\n%s = %s\n",
                     xs_config_tables[t].place == XS_PLACE_CONFIG ? xs_config_tables[t].section
                     : xs_config_tables[t].place == XS_PLACE_ENDPOINT ? "endpoint x"
                                                                      : "subprotocol x",
                     row->key, row->standard);
            config = xs_config_read_text("x.ini", xs_slice_of(text), NULL, 0, &error);
            if (error != NULL)
                fail_msg("%s", error);
            xs_config_free(config);
        }
    }
}

static void members_are_as_wide_as_their_kind_needs(void **state)
{
    size_t t, i;

    (void)state;
    for (t = 0; t < XS_CONFIG_TABLES; t++) {
        for (i = 0; i < xs_config_tables[t].count; i++) {
            const struct xs_config_row *row = &xs_config_tables[t].rows[i];

            if (!xs_kind_is_number(row->kind))
                assert_int_equal(row->size, sizeof(char *));
            else if (row->kind == XS_KIND_BOOL)
                assert_int_equal(row->size, sizeof(bool));
            else if (row->range.max > UINT32_MAX)
                assert_int_equal(row->size, 8);
            else
                assert_true(row->size == 4 || row->size == 8);
        }
    }
}

static void sentences_are_sentences(void **state)
{
    size_t t, i;

    (void)state;
    for (t = 0; t < XS_CONFIG_TABLES; t++) {
        for (i = 0; i < xs_config_tables[t].count; i++) {
            const char *sentence = xs_config_tables[t].rows[i].sentence;
            size_t len = strlen(sentence);

            assert_true(len > 10);
            assert_true(sentence[0] >= 'A' && sentence[0] <= 'Z');
            assert_int_equal(sentence[len - 1], '.');
        }
    }
}

static void help_sample_and_markdown_have_every_setting(void **state)
{
    char *texts[4] = { shown(help), shown(coloured_help), shown(xs_config_sample),
                       shown(xs_config_markdown) };
    size_t t, i;

    (void)state;
    for (t = 0; t < XS_CONFIG_TABLES; t++) {
        for (i = 0; i < xs_config_tables[t].count; i++) {
            const struct xs_config_row *row = &xs_config_tables[t].rows[i];
            const char *space = row->standard[0] != '\0' ? " " : "";
            char line[256];

            snprintf(line, sizeof line, "\n  %s =%s%s\n", row->key, space, row->standard);
            assert_non_null(strstr(texts[0], line));
            snprintf(line, sizeof line, "\n  \033[36m%s\033[0m =%s%s\n", row->key, space,
                     row->standard);
            assert_non_null(strstr(texts[1], line));
            snprintf(line, sizeof line, "\n#%s =%s%s\n", row->key, space, row->standard);
            assert_non_null(strstr(texts[2], line));
            snprintf(line, sizeof line, "\n| `%s` | ", row->key);
            assert_non_null(strstr(texts[3], line));
        }
    }
    for (i = 0; i < 4; i++)
        free(texts[i]);
}

static void the_sample_and_the_sample_with_all_set_are_the_defaults(void **state)
{
    char *sample = shown(xs_config_sample), *at, *error = NULL;
    struct xs_config *plain, *set;
    char named[64] = "";

    (void)state;
    plain = xs_config_read_text("x.ini", xs_slice_of(sample), NULL, 0, &error);
    if (error != NULL)
        fail_msg("%s", error);
    /* "#key = value" is a setting, "# text" is not. */
    for (at = sample; (at = strstr(at, "\n#")) != NULL; at += 2)
        if (at[2] >= 'a' && at[2] <= 'z')
            memmove(at + 1, at + 2, strlen(at + 1));
    assert_non_null(strstr(sample, "\nport = 4502\n"));
    set = xs_config_read_text("x.ini", xs_slice_of(sample), NULL, 0, &error);
    if (error != NULL)
        fail_msg("%s", error);
    assert_int_equal(set->endpoint_count, 1);
    assert_int_equal(set->endpoints[0].port, plain->endpoints[0].port);
    assert_int_equal(set->section_count, 1);
    assert_string_equal(set->sections[0].kind, "controller");
    assert_string_equal(set->sections[0].name, "generic");
    assert_int_equal(set->sections[0].pair_count, 0);
    for (size_t t = 0; t < XS_CONFIG_TABLES; t++) {
        const struct xs_config_table *table = &xs_config_tables[t];
        const void *a = table->place == XS_PLACE_CONFIG     ? (const void *)plain
                        : table->place == XS_PLACE_ENDPOINT ? (const void *)plain->endpoints
                                                            : (const void *)plain->sections;
        const void *b = table->place == XS_PLACE_CONFIG     ? (const void *)set
                        : table->place == XS_PLACE_ENDPOINT ? (const void *)set->endpoints
                                                            : (const void *)set->sections;

        for (size_t i = 0; i < table->count && named[0] == '\0'; i++)
            if (strcmp(table->rows[i].key, "subprotocol_alias") != 0 &&
                xs_row_differs(&table->rows[i], a, b))
                snprintf(named, sizeof named, "%s", table->rows[i].key);
    }
    assert_string_equal(named, "");
    xs_config_free(plain);
    xs_config_free(set);
    free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_a_value_that_the_file_may_have),
        cmocka_unit_test(members_are_as_wide_as_their_kind_needs),
        cmocka_unit_test(sentences_are_sentences),
        cmocka_unit_test(help_sample_and_markdown_have_every_setting),
        cmocka_unit_test(the_sample_and_the_sample_with_all_set_are_the_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
