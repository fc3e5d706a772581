/* show - config/server.ini and docs/CONFIG.md are what the daemon and the shipped modules say
 * of themselves. With XS_WRITE_DOCS=1 in the environment this test writes the two files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plugin/plugin.h"

static struct xs_registry *shipped(struct xs_config **config)
{
    static const char text[] = "[controller generic]\n[controller chat]\n[controller echo]\n"
                               "[controller demo]\nmodule = foo\n"
                               "[controller clock]\n[controller online]\n";
    static const char *const folder = "server.module_path=" XS_BUILD_DIR "/modules";
    char *error = NULL;
    struct xs_registry *registry;
    int code;

    *config = xs_config_read_text("shipped", xs_slice_of(text), &folder, 1, &error);
    if (error != NULL)
        fail_msg("%s", error);
    registry = xs_registry_load(*config, &error, &code);
    if (error != NULL)
        fail_msg("%s", error);
    return registry;
}

/* The text of a file; with XS_WRITE_DOCS the text that it has from now on. */
static char *file_text(const char *path, const char *made)
{
    FILE *file;
    char *text = NULL;
    size_t size = 0;
    ssize_t len;

    if (made != NULL && getenv("XS_WRITE_DOCS") != NULL) {
        file = fopen(path, "w");
        assert_non_null(file);
        fputs(made, file);
        fclose(file);
    }
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is not there", path);
    len = getdelim(&text, &size, '\0', file);
    assert_true(len > 0);
    fclose(file);
    return text;
}

static void same(const char *path, void (*own)(FILE *out),
                 void (*modules)(const struct xs_registry *registry, FILE *out))
{
    struct xs_config *config;
    struct xs_registry *registry = shipped(&config);
    char *made = NULL, *text;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);

    assert_non_null(out);
    own(out);
    modules(registry, out);
    fclose(out);
    text = file_text(path, made);
    if (strcmp(text, made) != 0)
        print_error("%s is out of date: run this test with XS_WRITE_DOCS=1\n", path);
    assert_string_equal(text, made);
    free(text);
    free(made);
    xs_registry_free(registry);
    xs_config_free(config);
}

static void the_sample_is_what_the_tables_say(void **state)
{
    (void)state;
    same(XS_SOURCE_DIR "/config/server.ini", xs_config_sample, xs_plugin_sample);
}

static void the_documentation_is_what_the_tables_say(void **state)
{
    (void)state;
    same(XS_SOURCE_DIR "/docs/CONFIG.md", xs_config_markdown, xs_plugin_markdown);
}

static void note(void *context, const char *sentence)
{
    strcat(context, sentence);
}

static void check_file(const char *path)
{
    static const char *const folder = "server.module_path=" XS_BUILD_DIR "/modules";
    char *error = NULL, said[1024] = "";
    struct xs_registry *registry;
    struct xs_config *config;
    int code;

    config = xs_config_read(path, &folder, 1, &error, &code);
    if (error != NULL)
        fail_msg("%s", error);
    registry = xs_registry_load(config, &error, &code);
    if (error != NULL)
        fail_msg("%s", error);
    xs_registry_check(registry, config, note, said, &error);
    if (error != NULL)
        fail_msg("%s", error);
    assert_string_equal(said, "");
    xs_registry_free(registry);
    xs_config_free(config);
}

static void the_shipped_files_load_and_nobody_claims_what_another_does(void **state)
{
    (void)state;
    check_file(XS_SOURCE_DIR "/config/server.ini");
    check_file(XS_SOURCE_DIR "/config/demo.ini");
}

/* Every setting of daemon and shipped modules, each with its default, is taken as it stands. */
static void the_sample_with_everything_set_loads(void **state)
{
    char *text = file_text(XS_SOURCE_DIR "/config/server.ini", NULL), *at;
    char path[] = "/tmp/xs_show_test_XXXXXX";
    int fd = mkstemp(path);
    size_t len;

    (void)state;
    assert_true(fd >= 0);
    for (at = text; (at = strstr(at, "\n#")) != NULL; at += 2)
        if (((at[2] >= 'a' && at[2] <= 'z') || at[2] == '[') &&
            strncmp(at + 2, "subprotocol_alias", 17) != 0)
            memmove(at + 1, at + 2, strlen(at + 1));
    len = strlen(text);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
    check_file(path);
    unlink(path);
    free(text);
}

static void help_names_every_setting_of_modules(void **state)
{
    struct xs_config *config;
    struct xs_registry *registry = shipped(&config);
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);

    (void)state;
    assert_non_null(out);
    xs_plugin_help(registry, out, false);
    fclose(out);
    assert_non_null(strstr(made, "[subprotocol native]\n"));
    assert_non_null(strstr(made, "\n  subscribe =\n"));
    assert_null(strstr(made, "[controller echo]"));
    free(made);
    xs_registry_free(registry);
    xs_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_what_the_tables_say),
        cmocka_unit_test(the_documentation_is_what_the_tables_say),
        cmocka_unit_test(the_shipped_files_load_and_nobody_claims_what_another_does),
        cmocka_unit_test(the_sample_with_everything_set_loads),
        cmocka_unit_test(help_names_every_setting_of_modules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
