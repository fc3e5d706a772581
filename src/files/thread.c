/* thread - opens, reads and closes, one job after the other. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/stats.h"
#include "files/thread.h"

/* How long the end waits for a disk that does not answer. */
#define STOP_SECONDS 1
/* How often a file that changes while it is read is begun again. */
#define TRIES 3
/* How coarse the times of a file are: 2 s (FAT) at worst, and a tick of the kernel at best
 * before Linux 6.13. */
#define SETTLE_MS 2000

/* ---- descriptors: the budget is that of the clients ---- */

static bool take_fd(struct xs_file_thread *thread)
{
    if (atomic_fetch_add_explicit(thread->fds, 1, memory_order_relaxed) >= thread->fds_cap) {
        (void)atomic_fetch_sub_explicit(thread->fds, 1, memory_order_relaxed);
        return false;
    }
    XS_COUNT(files_open);
    return true;
}

static void give_fd(struct xs_file_thread *thread)
{
    XS_COUNT_BY(files_open, -1);
    (void)atomic_fetch_sub_explicit(thread->fds, 1, memory_order_relaxed);
}

void xs_file_thread_close(struct xs_file_thread *thread, int fd)
{
    if (fd < 0)
        return;
    (void)close(fd);
    give_fd(thread);
}

/* ---- jobs ---- */

struct xs_file_job *xs_file_job_new(struct xs_file_thread *thread, enum xs_file_work work,
                                    unsigned worker)
{
    struct xs_file_job *job = xs_alloc(sizeof *job);

    job->letter.owed = true;
    job->thread = thread;
    job->work = work;
    job->worker = worker;
    job->fd = -1;
    return job;
}

void xs_file_job_free(struct xs_file_job *job)
{
    /* The descriptor of a file that is read is the asker's. */
    if (job->work != XS_FILE_READ)
        xs_file_thread_close(job->thread, job->fd);
    xs_free(job->bytes);
    xs_free(job);
}

static enum xs_err unexpected(int error)
{
    XS_LOG(WARNING, "a file cannot be read", XS_F("why", "%s", strerror(error)));
    return XS_EIO;
}

static enum xs_err err_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EXDEV: /* it would lie outside */
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO: /* a socket, a device that is not there */
    case ENODEV:
        return XS_ENOTFOUND;
    case EACCES:
    case EPERM:
        return XS_EREFUSED;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: /* somebody holds a lease on it */
    case EINTR:
        return XS_EBUSY;
    default:
        return unexpected(error);
    }
}

static bool look(int fd, struct xs_file_version *version, enum xs_err *err)
{
    struct stat now;

    *err = XS_OK;
    if (fstat(fd, &now) != 0)
        *err = err_of(errno);
    else if (!S_ISREG(now.st_mode) && !S_ISDIR(now.st_mode))
        *err = XS_ENOTFOUND;
    if (*err != XS_OK)
        return false;
    memset(version, 0, sizeof *version);
    version->is_folder = S_ISDIR(now.st_mode);
    version->length = version->is_folder ? 0 : (uint64_t)now.st_size;
    version->modified = now.st_mtim;
    version->changed = now.st_ctim;
    version->device = now.st_dev;
    version->inode = now.st_ino;
    return true;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct xs_file_version *a, const struct xs_file_version *b)
{
    return a->is_folder == b->is_folder && a->length == b->length && a->inode == b->inode &&
           a->device == b->device && same_time(a->modified, b->modified) &&
           same_time(a->changed, b->changed);
}

/* Whether what is read from now on belongs to this version and no other. */
static bool is_settled(const struct xs_file_thread *thread,
                       const struct xs_file_version *version)
{
    int64_t settle = (int64_t)thread->settle, since;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    since = (now.tv_sec - version->changed.tv_sec) * 1000 +
            (now.tv_nsec - version->changed.tv_nsec) / 1000000;
    return since >= settle;
}

/* As much as there is, up to `len`. */
static enum xs_err read_piece(int fd, uint64_t offset, char *to, size_t *len)
{
    size_t got = 0;

    while (got < *len) {
        ssize_t n = pread(fd, to + got, *len - got, (off_t)(offset + got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_of(errno);
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *len = got;
    return XS_OK;
}

/* The whole of a small file, as it was at one time. False: it does not stand still, or there is
 * no memory: it is sent piece by piece. */
static bool read_whole(struct xs_file_job *job, int fd)
{
    enum xs_err err;

    for (int i = 0; i < TRIES && job->version.length <= job->keep; i++) {
        struct xs_file_version after;
        size_t len = (size_t)job->version.length;
        char *bytes = xs_try_alloc(len + 1);

        if (bytes == NULL)
            return false;
        if (read_piece(fd, 0, bytes, &len) == XS_OK && look(fd, &after, &err) &&
            is_same(&job->version, &after) && len == after.length) {
            job->bytes = bytes;
            job->len = len;
            return true;
        }
        xs_free(bytes);
        if (!look(fd, &job->version, &err))
            return false;
    }
    return false;
}

static void open_file(struct xs_file_thread *thread, struct xs_file_job *job)
{
    struct xs_file_version version;
    int fd;

    if (!take_fd(thread)) {
        job->err = XS_EBUSY;
        return;
    }
    fd = xs_folder_open(job->folder, job->path);
    if (fd < 0) {
        give_fd(thread);
        job->err = err_of(-fd);
        return;
    }
    if (look(fd, &version, &job->err)) {
        version.settled = is_settled(thread, &version);
        job->same = job->known && job->version.settled && is_same(&version, &job->version);
        job->version = version;
        if (!job->same && !version.is_folder && !read_whole(job, fd)) {
            job->fd = fd;
            return;
        }
    }
    xs_file_thread_close(thread, fd);
}

static void read_file(struct xs_file_job *job)
{
    job->bytes = xs_try_alloc(job->len + 1);
    job->err = XS_ENOMEM;
    if (job->bytes != NULL)
        job->err = read_piece(job->fd, job->offset, job->bytes, &job->len);
}

static void carry_out(struct xs_file_thread *thread, struct xs_file_job *job)
{
    if (job->work == XS_FILE_CLOSE) {
        xs_file_job_free(job);
        return;
    }
    if (job->work == XS_FILE_OPEN)
        open_file(thread, job);
    else
        read_file(job);
    (void)thread->mail->post(thread->mail, job->worker, &job->letter);
}

/* ---- the box ---- */

bool xs_file_thread_post(struct xs_file_thread *thread, struct xs_file_job *job)
{
    bool taken;

    (void)pthread_mutex_lock(&thread->lock);
    taken = job->work != XS_FILE_OPEN || thread->waiting < XS_FILES_WAITING;
    if (taken) {
        if (job->work == XS_FILE_OPEN)
            thread->waiting++;
        job->next = NULL;
        *thread->last = job;
        thread->last = &job->next;
        (void)pthread_cond_signal(&thread->wake);
    }
    (void)pthread_mutex_unlock(&thread->lock);
    return taken;
}

/* The next job, NULL at the end. */
static struct xs_file_job *next_job(struct xs_file_thread *thread)
{
    struct xs_file_job *job = NULL;

    (void)pthread_mutex_lock(&thread->lock);
    while (thread->first == NULL && !thread->stopping)
        (void)pthread_cond_wait(&thread->wake, &thread->lock);
    if (!thread->stopping) {
        job = thread->first;
        thread->first = job->next;
        if (thread->first == NULL)
            thread->last = &thread->first;
        if (job->work == XS_FILE_OPEN)
            thread->waiting--;
    }
    (void)pthread_mutex_unlock(&thread->lock);
    return job;
}

static void *run(void *at)
{
    struct xs_file_thread *thread = at;
    struct xs_file_job *job;

    while ((job = next_job(thread)) != NULL)
        carry_out(thread, job);
    return NULL;
}

enum xs_err xs_file_thread_start(struct xs_file_thread *thread, struct xs_mail *mail,
                                 atomic_uint *fds, unsigned fds_cap)
{
    (void)pthread_mutex_init(&thread->lock, NULL);
    (void)pthread_cond_init(&thread->wake, NULL);
    thread->last = &thread->first;
    thread->mail = mail;
    thread->fds = fds;
    thread->fds_cap = fds_cap;
    thread->settle = SETTLE_MS;
    if (pthread_create(&thread->thread, NULL, run, thread) != 0)
        return XS_EIO;
    (void)pthread_setname_np(thread->thread, "files");
    thread->started = true;
    return XS_OK;
}

bool xs_file_thread_stop(struct xs_file_thread *thread)
{
    struct timespec until;

    if (!thread->started)
        return true;
    (void)pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    (void)pthread_cond_signal(&thread->wake);
    (void)pthread_mutex_unlock(&thread->lock);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_SECONDS;
    if (pthread_timedjoin_np(thread->thread, NULL, &until) != 0)
        return false;
    while (thread->first != NULL) {
        struct xs_file_job *job = thread->first;

        thread->first = job->next;
        /* Nobody has a box any more. */
        if (job->work == XS_FILE_CLOSE)
            xs_file_job_free(job);
        else
            job->letter.read(&job->letter, NULL);
    }
    (void)pthread_cond_destroy(&thread->wake);
    (void)pthread_mutex_destroy(&thread->lock);
    thread->started = false;
    return true;
}
