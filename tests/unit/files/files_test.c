/* files - asked for by many and opened once, kept within the bound, looked at again, never the
 * wrong state; and the thread behind, with a real folder. */
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/stats.h"
#include "files/files.h"

/* ---- the worker's box: what the thread posts lies there until turn() ---- */

static struct xs_letter *box[4 * XS_FILES_WAITING];
static size_t box_count;
static pthread_mutex_t box_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t arrived;
static sem_t gate; /* taken before anything is posted, if `gated` */
static sem_t at_gate;
static atomic_bool gated;

static bool post(struct xs_mail *mail, unsigned to, struct xs_letter *letter)
{
    (void)mail;
    assert_int_equal(to, 0);
    if (atomic_load(&gated)) {
        (void)sem_post(&at_gate);
        (void)sem_wait(&gate);
    }
    (void)pthread_mutex_lock(&box_lock);
    box[box_count++] = letter;
    (void)pthread_mutex_unlock(&box_lock);
    (void)sem_post(&arrived);
    return true;
}

static struct xs_mail mail = { post };
static struct xs_file_thread thread;
static struct xs_files files;
static atomic_uint fds;
static char root[64];
static struct xs_folder folder = { root };

/* Waits for n answers and has the worker read them. */
static void turn(size_t n)
{
    while (n-- > 0) {
        struct xs_letter *letter;

        while (sem_wait(&arrived) != 0)
            ;
        (void)pthread_mutex_lock(&box_lock);
        letter = box[0];
        memmove(box, box + 1, --box_count * sizeof box[0]);
        (void)pthread_mutex_unlock(&box_lock);
        letter->read(letter, &files);
    }
}

/* ---- a user ---- */

struct asker {
    struct xs_file_user user;
    unsigned told;
    enum xs_err err;
    struct xs_file *file;
    char piece[64];
    size_t len;
};

static void on_opened(struct xs_file_user *user, enum xs_err err, struct xs_file *file)
{
    struct asker *asker = XS_CONTAINER(user, struct asker, user);

    asker->told++;
    asker->err = err;
    asker->file = file;
}

static void on_read(struct xs_file_user *user, enum xs_err err, struct xs_slice bytes)
{
    struct asker *asker = XS_CONTAINER(user, struct asker, user);

    asker->told++;
    asker->err = err;
    asker->len = bytes.len;
    if (bytes.len > 0)
        memcpy(asker->piece, bytes.at, bytes.len);
}

static struct asker asker_of(void)
{
    return (struct asker){ .user = { .opened = on_opened, .read = on_read } };
}

static enum xs_err open_now(struct asker *asker, const char *path)
{
    asker->told = 0;
    asker->file = NULL;
    asker->err = xs_files_open(&files, &folder, xs_slice_of(path), &asker->user, &asker->file);
    return asker->err;
}

/* Asks the disk. */
static enum xs_err open_it(struct asker *asker, const char *path)
{
    assert_int_equal(open_now(asker, path), XS_EAGAIN);
    turn(1);
    assert_int_equal(asker->told, 1);
    return asker->err;
}

static void let_go(struct asker *asker)
{
    xs_file_unref(&files, asker->file);
    asker->file = NULL;
}

static void holds(const struct asker *asker, const char *text)
{
    struct xs_slice bytes;

    assert_true(xs_file_bytes(asker->file, &bytes));
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.at, text, bytes.len);
}

/* ---- the folder ---- */

static const char *at(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

/* Put in one move in the place of what was there, as editors and deployments do. */
static void replace(const char *name, const char *text)
{
    char there[128];

    put("new", text);
    (void)snprintf(there, sizeof there, "%s", at(name));
    assert_int_equal(rename(at("new"), there), 0);
}

static int make(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/xsockets-files-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    (void)xs_clock_tick();
    (void)sem_init(&arrived, 0, 0);
    (void)sem_init(&gate, 0, 0);
    (void)sem_init(&at_gate, 0, 0);
    atomic_store(&fds, 0);
    memset(&thread, 0, sizeof thread);
    xs_files_init(&files, &thread, 0);
    xs_files_here = &files;
    return xs_file_thread_start(&thread, &mail, &fds, 100) == XS_OK ? 0 : -1;
}

static int clear(void **state)
{
    char command[128];

    (void)state;
    if (!xs_file_thread_stop(&thread))
        return -1;
    xs_files_fini(&files);
    assert_int_equal(box_count, 0);
    assert_int_equal(atomic_load(&fds), 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

/* ---- opening ---- */

static void what_is_there_is_told_with_its_facts(void **state)
{
    struct asker asker = asker_of();
    const struct xs_file_version *version;
    struct stat now;

    (void)state;
    put("page", "hello");
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    version = xs_file_version(asker.file);
    assert_int_equal(stat(at("page"), &now), 0);
    assert_false(version->is_folder);
    assert_int_equal(version->length, 5);
    assert_int_equal(version->modified.tv_sec, now.st_mtim.tv_sec);
    assert_int_equal(version->modified.tv_nsec, now.st_mtim.tv_nsec);
    let_go(&asker);
    assert_int_equal(mkdir(at("sub"), 0755), 0);
    assert_int_equal(open_it(&asker, "sub"), XS_OK);
    assert_true(xs_file_version(asker.file)->is_folder);
    let_go(&asker);
}

static void what_is_no_file_is_not_there(void **state)
{
    struct asker asker = asker_of();

    (void)state;
    assert_int_equal(mkfifo(at("pipe"), 0644), 0);
    assert_int_equal(symlink("/etc/passwd", at("out")), 0);
    assert_int_equal(open_it(&asker, "nothing"), XS_ENOTFOUND);
    assert_int_equal(open_it(&asker, "pipe"), XS_ENOTFOUND);
    assert_int_equal(open_it(&asker, "out"), XS_ENOTFOUND);
    assert_null(asker.file);
    put("hidden", "x");
    assert_int_equal(chmod(at("hidden"), 0), 0);
    /* Who is root may read it nevertheless. */
    if (open_it(&asker, "hidden") == XS_OK)
        let_go(&asker);
    else
        assert_int_equal(asker.err, XS_EREFUSED);
}

static void many_who_ask_at_once_share_one_look(void **state)
{
    struct asker askers[50];
    const struct xs_file *first;

    (void)state;
    put("page", "hello");
    for (size_t i = 0; i < 50; i++) {
        askers[i] = asker_of();
        assert_int_equal(open_now(&askers[i], "page"), XS_EAGAIN);
    }
    turn(1);
    first = askers[0].file;
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(askers[i].told, 1);
        assert_ptr_equal(askers[i].file, first);
    }
    assert_int_equal(atomic_load(&fds), 1);
    for (size_t i = 0; i < 50; i++)
        let_go(&askers[i]);
}

static void who_has_gone_is_not_told(void **state)
{
    struct asker gone = asker_of(), stays = asker_of();

    (void)state;
    put("page", "hello");
    assert_int_equal(open_now(&gone, "page"), XS_EAGAIN);
    assert_int_equal(open_now(&stays, "page"), XS_EAGAIN);
    xs_files_forget(&gone.user);
    turn(1);
    assert_int_equal(gone.told, 0);
    assert_int_equal(stays.told, 1);
    xs_files_read(&files, stays.file, 0, 5, &stays.user);
    xs_files_forget(&stays.user);
    let_go(&stays);
    turn(1);
    assert_int_equal(stays.told, 1);
    assert_int_equal(open_now(&gone, "page"), XS_EAGAIN);
    xs_files_forget(&gone.user);
    turn(1);
    assert_int_equal(gone.told, 0);
}

static void one_too_many_is_told_so_and_is_served_later(void **state)
{
    static struct asker askers[XS_FILES_WAITING + 1];
    struct asker late = asker_of();
    char name[16];
    size_t asked = 0;

    (void)state;
    put("page", "hello");
    atomic_store(&gated, true);
    /* The first is taken from the box and stops at the gate. */
    for (size_t i = 0; i <= XS_FILES_WAITING; i++) {
        askers[i] = asker_of();
        (void)snprintf(name, sizeof name, "no%zu", i);
        if (open_now(&askers[i], name) == XS_EAGAIN)
            asked++;
    }
    assert_in_range(asked, XS_FILES_WAITING, XS_FILES_WAITING + 1);
    while (open_now(&late, "page") == XS_EAGAIN) {
        assert_int_equal(asked, XS_FILES_WAITING);
        xs_files_forget(&late.user);
        asked++;
    }
    assert_int_equal(late.err, XS_EBUSY);
    /* Who waits for the same as another needs no room. */
    assert_int_equal(open_now(&late, "no5"), XS_EAGAIN);
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    turn(asked);
    for (size_t i = 0; i < XS_FILES_WAITING; i++)
        assert_int_equal(askers[i].err, XS_ENOTFOUND);
    assert_int_equal(late.err, XS_ENOTFOUND);
    assert_int_equal(open_it(&late, "page"), XS_OK);
    let_go(&late);
}

static void without_a_descriptor_nothing_is_opened(void **state)
{
    struct asker asker = asker_of();

    (void)state;
    put("page", "hello");
    (void)atomic_fetch_add(&fds, 100);
    assert_int_equal(open_it(&asker, "page"), XS_EBUSY);
    assert_int_equal(atomic_load(&fds), 100);
    (void)atomic_fetch_sub(&fds, 100);
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    let_go(&asker);
}

/* ---- pieces ---- */

static void pieces_are_read_from_where_they_are_asked(void **state)
{
    struct asker asker = asker_of();

    (void)state;
    put("page", "hello world");
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    xs_files_read(&files, asker.file, 6, 3, &asker.user);
    turn(1);
    assert_int_equal(asker.err, XS_OK);
    assert_int_equal(asker.len, 3);
    assert_memory_equal(asker.piece, "wor", 3);
    /* Beyond the end there is nothing. */
    xs_files_read(&files, asker.file, 9, 10, &asker.user);
    turn(1);
    assert_int_equal(asker.len, 2);
    xs_files_read(&files, asker.file, 100, 10, &asker.user);
    turn(1);
    assert_int_equal(asker.err, XS_OK);
    assert_int_equal(asker.len, 0);
    let_go(&asker);
}

static void who_reads_goes_on_in_the_state_it_has(void **state)
{
    struct asker old = asker_of(), young = asker_of();

    (void)state;
    files.fresh = 0;
    put("page", "first");
    assert_int_equal(open_it(&old, "page"), XS_OK);
    replace("page", "the second");
    assert_int_equal(open_it(&young, "page"), XS_OK);
    assert_ptr_not_equal(old.file, young.file);
    xs_files_read(&files, old.file, 0, 20, &old.user);
    xs_files_read(&files, young.file, 0, 20, &young.user);
    turn(2);
    assert_memory_equal(old.piece, "first", old.len);
    assert_memory_equal(young.piece, "the second", young.len);
    let_go(&old);
    assert_int_equal(unlink(at("page")), 0);
    assert_int_equal(open_it(&old, "page"), XS_ENOTFOUND);
    xs_files_read(&files, young.file, 4, 6, &young.user);
    turn(1);
    assert_memory_equal(young.piece, "second", young.len);
    let_go(&young);
}

static void what_has_not_changed_stays_open_for_all(void **state)
{
    struct asker first = asker_of(), second = asker_of();

    (void)state;
    files.fresh = 0;
    thread.settle = 0;
    put("page", "hello");
    assert_int_equal(open_it(&first, "page"), XS_OK);
    assert_int_equal(open_it(&second, "page"), XS_OK);
    assert_ptr_equal(first.file, second.file);
    assert_int_equal(atomic_load(&fds), 1);
    let_go(&first);
    let_go(&second);
}

/* ---- keeping ---- */

static void a_small_file_is_kept_and_a_large_one_is_not(void **state)
{
    struct asker asker = asker_of();

    (void)state;
    xs_folder_keep(&folder, 100000, 5);
    put("small", "hello");
    put("large", "hello!");
    put("empty", "");
    assert_int_equal(open_it(&asker, "small"), XS_OK);
    holds(&asker, "hello");
    let_go(&asker);
    assert_int_equal(open_now(&asker, "small"), XS_OK);
    holds(&asker, "hello");
    let_go(&asker);
    assert_int_equal(open_it(&asker, "empty"), XS_OK);
    holds(&asker, "");
    let_go(&asker);
    assert_int_equal(open_now(&asker, "empty"), XS_OK);
    let_go(&asker);
    assert_int_equal(atomic_load(&fds), 0);
    assert_int_equal(open_it(&asker, "large"), XS_OK);
    assert_int_equal(atomic_load(&fds), 1);
    let_go(&asker);
    assert_int_equal(open_now(&asker, "large"), XS_EAGAIN);
    turn(1);
    let_go(&asker);
}

static void what_is_kept_is_compared_with_the_disk(void **state)
{
    struct asker asker = asker_of();
    struct timespec times[2];
    struct stat now;

    (void)state;
    xs_folder_keep(&folder, 100000, 100);
    put("page", "hello");
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    let_go(&asker);
    put("page", "other");
    assert_int_equal(open_now(&asker, "page"), XS_OK);
    holds(&asker, "hello"); /* for a second */
    let_go(&asker);
    files.fresh = 0;
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    holds(&asker, "other");
    let_go(&asker);
    /* Of the same length and time: a copy that keeps times. */
    assert_int_equal(stat(at("page"), &now), 0);
    times[0] = now.st_atim;
    times[1] = now.st_mtim;
    replace("page", "again");
    assert_int_equal(utimensat(AT_FDCWD, at("page"), times, 0), 0);
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    holds(&asker, "again");
    let_go(&asker);
    assert_int_equal(unlink(at("page")), 0);
    assert_int_equal(open_it(&asker, "page"), XS_ENOTFOUND);
    files.fresh = 60000;
    assert_int_equal(open_it(&asker, "page"), XS_ENOTFOUND);
}

/* The times of a file are coarse: a page that was written through a mapping has them once, as
 * two changes within one tick have on most kernels. */
static void a_change_that_leaves_the_times_alone_is_seen(void **state)
{
    struct asker asker = asker_of();
    char *page;
    int fd;

    (void)state;
    xs_folder_keep(&folder, 100000, 100);
    files.fresh = 0;
    put("page", "hello");
    fd = open(at("page"), O_RDWR);
    page = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    page[0] = 'h';
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    holds(&asker, "hello");
    let_go(&asker);
    page[0] = 'j';
    assert_int_equal(open_it(&asker, "page"), XS_OK);
    holds(&asker, "jello");
    let_go(&asker);
    (void)munmap(page, 5);
    (void)close(fd);
}

static void what_is_kept_is_bounded_and_what_was_not_asked_for_goes_first(void **state)
{
    struct asker asker = asker_of();
    char name[16];
    size_t kept = 0;

    (void)state;
    xs_folder_keep(&folder, 8000, 1000);
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "f%02u", i);
        put(name, i % 2 == 0 ? "content" : "");
        assert_int_equal(open_it(&asker, name), XS_OK);
        let_go(&asker);
        assert_true(files.shelves->used <= 8000);
        /* The first is asked for again and again. */
        assert_int_equal(open_now(&asker, "f00"), XS_OK);
        let_go(&asker);
    }
    assert_true(files.shelves->used > 6000);
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "f%02u", i);
        if (xs_files_open(&files, &folder, xs_slice_of(name), &asker.user, &asker.file) ==
            XS_OK)
            kept++;
        else
            turn(1);
        let_go(&asker);
    }
    assert_in_range(kept, 1, 60);
}

static void what_was_kept_may_go_while_somebody_has_it(void **state)
{
    struct asker asker = asker_of(), other = asker_of();

    (void)state;
    xs_folder_keep(&folder, 400, 200);
    put("one", "first");
    put("two", "second");
    assert_int_equal(open_it(&asker, "one"), XS_OK);
    assert_int_equal(open_it(&other, "two"), XS_OK);
    holds(&asker, "first");
    holds(&other, "second");
    let_go(&asker);
    let_go(&other);
}

/* ---- the end ---- */

static void the_end_comes_while_answers_are_awaited(void **state)
{
    struct asker waits = asker_of(), reads = asker_of();

    (void)state;
    put("page", "hello");
    assert_int_equal(open_it(&reads, "page"), XS_OK);
    atomic_store(&gated, true);
    assert_int_equal(open_now(&waits, "other"), XS_EAGAIN);
    xs_files_read(&files, reads.file, 0, 5, &reads.user);
    xs_files_forget(&waits.user);
    xs_files_forget(&reads.user);
    let_go(&reads);
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    assert_true(xs_file_thread_stop(&thread));
    while (box_count > 0) {
        box_count--;
        box[box_count]->read(box[box_count], NULL);
    }
}

static void a_disk_that_does_not_answer_does_not_hold_up_the_end(void **state)
{
    struct asker asker = asker_of();

    (void)state;
    atomic_store(&gated, true);
    assert_int_equal(open_now(&asker, "page"), XS_EAGAIN);
    (void)sem_wait(&at_gate);
    assert_false(xs_file_thread_stop(&thread));
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    xs_files_forget(&asker.user);
    turn(1);
    assert_true(xs_file_thread_stop(&thread));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)
    const struct CMUnitTest tests[] = {
        TEST(what_is_there_is_told_with_its_facts),
        TEST(what_is_no_file_is_not_there),
        TEST(many_who_ask_at_once_share_one_look),
        TEST(who_has_gone_is_not_told),
        TEST(one_too_many_is_told_so_and_is_served_later),
        TEST(without_a_descriptor_nothing_is_opened),
        TEST(pieces_are_read_from_where_they_are_asked),
        TEST(who_reads_goes_on_in_the_state_it_has),
        TEST(what_has_not_changed_stays_open_for_all),
        TEST(a_small_file_is_kept_and_a_large_one_is_not),
        TEST(what_is_kept_is_compared_with_the_disk),
        TEST(a_change_that_leaves_the_times_alone_is_seen),
        TEST(what_is_kept_is_bounded_and_what_was_not_asked_for_goes_first),
        TEST(what_was_kept_may_go_while_somebody_has_it),
        TEST(the_end_comes_while_answers_are_awaited),
        TEST(a_disk_that_does_not_answer_does_not_hold_up_the_end),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
