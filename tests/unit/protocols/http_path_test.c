/* needs: modules/protocols/http/path.c
 * rooms: base */
/* Paths of requests: which file is meant, and that nothing that is not a plain name passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../../modules/protocols/http/http.h"

static void reads(const char *path, const char *file, bool is_folder)
{
    struct xs_http_path to;
    struct xs_http_fault fault = xs_http_path_read(xs_slice_of(path), &to);

    if (fault.status != 0 || to.len != strlen(file) || memcmp(to.at, file, to.len) != 0 ||
        to.is_folder != is_folder)
        fail_msg("%s: %u, %.*s%s", path, fault.status, (int)to.len, to.at,
                 to.is_folder ? " (folder)" : "");
}

static void fails_bytes(struct xs_slice path, unsigned status)
{
    struct xs_http_path to;
    struct xs_http_fault fault = xs_http_path_read(path, &to);

    if (fault.status != status)
        fail_msg("%.*s: %u and not %u", (int)path.len, path.at, fault.status, status);
    assert_non_null(fault.sentence);
}

#define fails(path, status) fails_bytes(XS_SLICE(path), (status))

static void plain_paths_are_what_they_say(void **state)
{
    (void)state;
    reads("/", "", true);
    reads("/a", "a", false);
    reads("/a/", "a", true);
    reads("/a/b.html", "a/b.html", false);
    reads("/a/b/c/", "a/b/c", true);
    reads("/a.b-c_d~e", "a.b-c_d~e", false);
    reads("/a...b", "a...b", false);
    reads("/a..", "a..", false);
    reads("/a.", "a.", false);
}

static void what_is_encoded_is_decoded_once(void **state)
{
    (void)state;
    reads("/%61", "a", false);
    reads("/a%20b", "a b", false);
    reads("/a+b", "a+b", false);
    reads("/%C3%A4", "\xc3\xa4", false);
    reads("/%c3%a4/", "\xc3\xa4", true);
    reads("/100%25", "100%", false);
    reads("/%2561", "%61", false);
    reads("/a%3Fb", "a?b", false);
    reads("/a%23b", "a#b", false);
    /* Twice encoded it is a name with a percent sign. */
    reads("/%252e%252e/x", "%2e%2e/x", false);
    reads("/a%252Fb", "a%2Fb", false);
}

static void half_a_percent_is_malformed(void **state)
{
    (void)state;
    fails("/%", 400);
    fails("/%4", 400);
    fails("/a%", 400);
    fails("/%4g", 400);
    fails("/%g4", 400);
    fails("/% 41", 400);
    fails("/%%41", 400);
    fails("/%u0041", 400);
    fails("/%-1", 400);
}

static void dots_that_lead_elsewhere_are_malformed_however_they_are_written(void **state)
{
    static const char *const dots[] = { "..",   "%2e%2e", "%2E%2E", ".%2e",
                                        "%2e.", ".",      "%2e",    "%2E" };
    char path[64];

    (void)state;
    for (size_t i = 0; i < sizeof dots / sizeof dots[0]; i++) {
        static const char *const around[] = { "/%s",     "/%s/",      "/%s/etc/passwd",
                                              "/a/%s",   "/a/%s/",    "/a/%s/b",
                                              "/a/b/%s", "/.git/%s/", "//%s/x" };

        for (size_t j = 0; j < sizeof around / sizeof around[0]; j++) {
            const char *mark = strstr(around[j], "%s");

            (void)snprintf(path, sizeof path, "%.*s%s%s", (int)(mark - around[j]), around[j],
                           dots[i], mark + 2);
            fails_bytes(xs_slice_of(path), 400);
        }
    }
}

static void bytes_that_others_read_differently_are_malformed(void **state)
{
    (void)state;
    fails("/a%00b", 400);
    fails("/%00", 400);
    fails("/a.html%00.png", 400);
    fails("/a%2fb", 400);
    fails("/a%2Fb", 400);
    fails("/%2F", 400);
    fails("/..%2fetc", 400);
    fails("/..%2Fetc%2Fpasswd", 400);
    fails("/a%5cb", 400);
    fails("/a%5Cb", 400);
    fails("/a\\b", 400);
    fails("/..%5c..%5cboot.ini", 400);
    fails("/..\\x", 400);
    fails("/a%0d%0aSet-Cookie:x", 400);
    fails("/a%09b", 400);
    fails("/a%1bb", 400);
    fails("/a%7Fb", 400);
    /* Two bytes for a dot, three for a slash, half a character, a surrogate. */
    fails("/%c0%ae%c0%ae/etc/passwd", 400);
    fails("/%e0%80%af", 400);
    fails("/%c0%af", 400);
    fails("/%ff", 400);
    fails("/%c3", 400);
    fails("/%ed%a0%80", 400);
    fails("/%f8%80%80%80%ae", 400);
}

static void what_has_no_name_or_is_hidden_is_not_there(void **state)
{
    (void)state;
    fails("//", 404);
    fails("///", 404);
    fails("/a//", 404);
    fails("/a//b", 404);
    fails("//etc/passwd", 404);
    fails("//host/x", 404);
    fails("/.git", 404);
    fails("/.git/config", 404);
    fails("/a/.htaccess", 404);
    fails("/%2egit", 404);
    fails("/...", 404);
    fails("/..a", 404);
    fails("/.%20.", 404);
}

static void only_paths_are_paths(void **state)
{
    (void)state;
    fails("", 400);
    fails("*", 400);
    fails("a", 400);
    fails("%2Fa", 400);
}

static void paths_are_as_long_as_the_system_takes_them(void **state)
{
    static char path[XS_HTTP_PATH + 2];
    struct xs_http_path to;

    (void)state;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    assert_int_equal(xs_http_path_read((struct xs_slice){ path, XS_HTTP_PATH + 1 }, &to).status,
                     0);
    assert_int_equal(to.len, XS_HTTP_PATH);
    assert_false(xs_http_path_add(&to, "i"));
    fails_bytes((struct xs_slice){ path, XS_HTTP_PATH + 2 }, 404);
    path[XS_HTTP_PATH + 1] = '/';
    fails_bytes((struct xs_slice){ path, XS_HTTP_PATH + 2 }, 404);
}

static void a_name_is_added_behind_a_slash(void **state)
{
    struct xs_http_path to;

    (void)state;
    assert_int_equal(xs_http_path_read(XS_SLICE("/"), &to).status, 0);
    assert_true(xs_http_path_add(&to, "index.html"));
    assert_memory_equal(to.at, "index.html", to.len);
    assert_int_equal(xs_http_path_read(XS_SLICE("/a/b/"), &to).status, 0);
    assert_true(xs_http_path_add(&to, "index.html"));
    assert_int_equal(to.len, 14);
    assert_memory_equal(to.at, "a/b/index.html", to.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_paths_are_what_they_say),
        cmocka_unit_test(what_is_encoded_is_decoded_once),
        cmocka_unit_test(half_a_percent_is_malformed),
        cmocka_unit_test(dots_that_lead_elsewhere_are_malformed_however_they_are_written),
        cmocka_unit_test(bytes_that_others_read_differently_are_malformed),
        cmocka_unit_test(what_has_no_name_or_is_hidden_is_not_there),
        cmocka_unit_test(only_paths_are_paths),
        cmocka_unit_test(paths_are_as_long_as_the_system_takes_them),
        cmocka_unit_test(a_name_is_added_behind_a_slash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
