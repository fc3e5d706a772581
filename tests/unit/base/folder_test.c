/* folder - what lies below a folder is opened, what does not is not, however it is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/folder.h"

static char root[64], inside[80];

static void put(const char *name, const char *text)
{
    char path[128];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static void put_link(const char *name, const char *target)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(symlink(target, path), 0);
}

static void put_folder(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* root/outside is next to root/in, which is the folder that is served. */
static int make(void **state)
{
    char absolute[128];

    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/xsockets-folder-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    (void)snprintf(inside, sizeof inside, "%s/in", root);
    put_folder("in");
    put_folder("in/sub");
    put_folder("in-too");
    put("outside", "secret");
    put("in-too/file", "secret");
    put("in/file", "hello");
    put("in/sub/deep", "deep");
    put_link("in/good", "sub/deep");
    put_link("in/sub/back", "../file");
    put_link("in/folder", "sub");
    put_link("in/out", "../outside");
    put_link("in/out-too", "../in-too/file");
    put_link("in/further", "out");
    put_link("in/out-folder", "..");
    put_link("in/out-and-in", "../in/file");
    put_link("in/loop", "loop");
    put_link("in/magic", "/proc/self/root");
    put_link("in/own", "/proc/self/fd/0");
    (void)snprintf(absolute, sizeof absolute, "%s/in/file", root);
    put_link("in/absolute", absolute);
    (void)snprintf(absolute, sizeof absolute, "%s/in/pipe", root);
    return mkfifo(absolute, 0644);
}

static int clear(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static int open_it(const char *path)
{
    struct xs_folder folder = { inside };

    return xs_folder_open(&folder, path);
}

static void holds(const char *path, const char *text)
{
    char bytes[32];
    int fd = open_it(path);
    ssize_t n;

    if (fd < 0)
        fail_msg("%s: %s", path, strerror(-fd));
    n = read(fd, bytes, sizeof bytes);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
    (void)close(fd);
}

static void fails(const char *path, int error)
{
    int fd = open_it(path);

    if (fd >= 0)
        fail_msg("%s was opened", path);
    if (-fd != error)
        fail_msg("%s: %s", path, strerror(-fd));
}

static void what_lies_below_is_opened(void **state)
{
    (void)state;
    holds("file", "hello");
    holds("sub/deep", "deep");
    fails("nothing", ENOENT);
    fails("file/x", ENOTDIR);
    fails("", ENOENT);
}

static void links_are_followed_as_long_as_they_stay_below(void **state)
{
    (void)state;
    holds("good", "deep");
    holds("sub/back", "hello");
    holds("folder/deep", "deep");
    holds("folder/back", "hello");
    fails("loop", ELOOP);
}

static void nothing_leads_out(void **state)
{
    char absolute[128];

    (void)state;
    (void)snprintf(absolute, sizeof absolute, "%s/file", inside);
    fails("..", EXDEV);
    fails("../outside", EXDEV);
    fails("sub/../../outside", EXDEV);
    fails("../in/file", EXDEV);
    fails("/", EXDEV);
    fails("/etc/passwd", EXDEV);
    fails(absolute, EXDEV);
    fails("out", EXDEV);
    fails("out-too", EXDEV);
    fails("further", EXDEV);
    fails("out-folder/outside", EXDEV);
    fails("out-and-in", EXDEV);
    fails("absolute", EXDEV);
    fails("magic/etc/passwd", EXDEV);
    fails("own", EXDEV);
}

static void a_pipe_that_nobody_writes_to_does_not_make_anybody_wait(void **state)
{
    int fd = open_it("pipe");

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
}

static void the_folder_may_be_a_link_that_is_turned_to_another(void **state)
{
    char path[128];
    struct xs_folder folder = { path };
    int fd;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/current", root);
    put_link("current", "in-too");
    fd = xs_folder_open(&folder, "file");
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    put_link("current", "in");
    fd = xs_folder_open(&folder, "sub/deep");
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(xs_folder_open(&folder, "file"), -ENOENT);
}

static void a_folder_that_cannot_serve_is_told_apart(void **state)
{
    char path[128];
    struct xs_folder good = { inside }, none = { "/tmp/there/is/none" }, file = { path };

    (void)state;
    (void)snprintf(path, sizeof path, "%s/file", inside);
    assert_null(xs_folder_fault(&good));
    assert_string_equal(xs_folder_fault(&none), "there is no such folder");
    assert_string_equal(xs_folder_fault(&file), "there is no such folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_below_is_opened),
        cmocka_unit_test(links_are_followed_as_long_as_they_stay_below),
        cmocka_unit_test(nothing_leads_out),
        cmocka_unit_test(a_pipe_that_nobody_writes_to_does_not_make_anybody_wait),
        cmocka_unit_test(the_folder_may_be_a_link_that_is_turned_to_another),
        cmocka_unit_test(a_folder_that_cannot_serve_is_told_apart),
    };

    return cmocka_run_group_tests(tests, make, clear);
}
