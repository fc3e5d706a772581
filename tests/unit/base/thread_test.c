/* Debug builds end at once where a function is called on a thread that it is not for. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/thread.h"

static void *ask_some(void *unused)
{
    (void)unused;
    XS_ON_SOME_WORKER();
    return NULL;
}

static void *ask_other(void *unused)
{
    (void)unused;
    xs_thread_here = 3; /* worker 2 */
    XS_ON_WORKER(1);
    return NULL;
}

static void *ask_own(void *unused)
{
    (void)unused;
    xs_thread_here = 3;
    XS_ON_WORKER(2);
    XS_ON_SOME_WORKER();
    return NULL;
}

/* How a process ends in which another thread runs `call`. */
static int end_of(void *(*call)(void *))
{
    struct rlimit no_core = { 0, 0 };
    int status = 0;
    pthread_t thread;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        if (pthread_create(&thread, NULL, call, NULL) != 0)
            _exit(2);
        (void)pthread_join(thread, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_thread_that_is_no_worker_is_noticed(void **state)
{
    int status = end_of(ask_some);

    (void)state;
#ifdef XS_DEBUG
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
#else
    assert_int_equal(status, 0);
#endif
}

static void another_worker_is_noticed(void **state)
{
    int status = end_of(ask_other);

    (void)state;
#ifdef XS_DEBUG
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
#else
    assert_int_equal(status, 0);
#endif
}

static void the_own_worker_is_fine(void **state)
{
    (void)state;
    assert_int_equal(end_of(ask_own), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_is_no_worker_is_noticed),
        cmocka_unit_test(another_worker_is_noticed),
        cmocka_unit_test(the_own_worker_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
