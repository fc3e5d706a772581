/* thread.h - the one thread that waits for disks, and the box in front of it. A worker puts a
 * job in; the answer comes back as a letter to its own box. */
#ifndef XS_FILES_THREAD_H
#define XS_FILES_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/folder.h"
#include "router/letter.h"

/* Files that may wait to be opened; who asks for one more is told so. Pieces of files that are
 * being sent come on top: one a connection. */
#define XS_FILES_WAITING 1024U

/* What tells one state of a file from the next. */
struct xs_file_version {
    bool is_folder;
    uint64_t length;
    struct timespec modified, changed;
    uint64_t device, inode;
    bool settled; /* a change since then would show in the times */
};

enum xs_file_work { XS_FILE_OPEN, XS_FILE_READ, XS_FILE_CLOSE };

struct xs_file_thread;

/* Made by xs_file_job_new(), filled by who asks, freed by who reads the answer; a job to close
 * has none. */
struct xs_file_job {
    struct xs_letter letter; /* first: how the answer travels; `read` is set by who asks */
    struct xs_file_job *next;
    struct xs_file_thread *thread;
    enum xs_file_work work;
    unsigned worker;           /* who asks */
    void *asker, *file, *user; /* the asker's own */
    enum xs_err err;

    /* opening */
    const struct xs_folder *folder;
    const char *path; /* must live until the answer has been read */
    size_t keep;      /* up to so many bytes it is read whole, and closed again */
    bool known;       /* `version` is what the asker has: if that is surely it still, */
    bool same;        /* no more is done */
    struct xs_file_version version;

    /* reading; both tell the bytes */
    uint64_t offset;
    size_t len; /* wanted; what came may be less at the end of the file */
    char *bytes;

    int fd; /* of the file; -1 for none */
};

struct xs_file_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct xs_file_job *first, **last; /* guarded by lock */
    unsigned waiting;                  /* to be opened; guarded by lock */
    bool stopping;                     /* guarded by lock */
    bool started;
    struct xs_mail *mail;
    atomic_uint *fds; /* descriptors in use by clients and files, */
    unsigned fds_cap; /* at most */
    uint64_t settle;  /* ms; so long after a change another one may have the same times */
};

/* XS_EIO: no thread could be had. [main] */
enum xs_err xs_file_thread_start(struct xs_file_thread *thread, struct xs_mail *mail,
                                 atomic_uint *fds, unsigned fds_cap);
/* Ends it, without what is still in the box. False: a disk holds it up; whatever it may touch
 * must stay. After the workers have ended. [main] */
bool xs_file_thread_stop(struct xs_file_thread *thread);

struct xs_file_job *xs_file_job_new(struct xs_file_thread *thread, enum xs_file_work work,
                                    unsigned worker);
/* With the bytes and the descriptor that it may hold. [any] */
void xs_file_job_free(struct xs_file_job *job);
/* Never waits. False: too many files wait to be opened; the job stays the caller's. [any] */
bool xs_file_thread_post(struct xs_file_thread *thread, struct xs_file_job *job);
/* Closes a descriptor that an answer brought. May wait for a disk. [any] */
void xs_file_thread_close(struct xs_file_thread *thread, int fd);

#endif
