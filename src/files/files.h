/* files.h - what one worker knows of files: who waits for which, what is open, what is kept in
 * memory. The disk is the thread's (thread.h). Everything here belongs to one worker. */
#ifndef XS_FILES_FILES_H
#define XS_FILES_FILES_H

#include "base/list.h"
#include "base/map.h"
#include "files/thread.h"

/* One state of one file, shared by all of this worker who asked for it, until it has changed on
 * the disk and the last of them has gone. */
struct xs_file;

/* Who asks. Zeroed, and the functions set; lies in memory of the asker. */
struct xs_file_user {
    struct xs_list node;     /* waits for a file to be opened */
    struct xs_file_job *job; /* waits for a piece */
    /* The answer of xs_files_open(). XS_OK: the file is to be given back with xs_file_unref().
     */
    void (*opened)(struct xs_file_user *user, enum xs_err err, struct xs_file *file);
    /* The answer of xs_files_read(); borrowed for the call. */
    void (*read)(struct xs_file_user *user, enum xs_err err, struct xs_slice bytes);
};

/* The files of a folder that are kept, those that nobody asked for longest first. */
struct xs_shelf {
    struct xs_shelf *next;
    const struct xs_folder *folder;
    size_t all, each, used; /* bytes */
    struct xs_list files;
};

struct xs_files {
    struct xs_file_thread *thread;
    unsigned worker;
    struct xs_map named; /* the newest state of each */
    struct xs_list all;
    struct xs_shelf *shelves;
    uint64_t fresh; /* ms; how long the disk is believed to be as it was seen: a second */
};

/* This worker's, for xs_folder_keep(). Set once by the worker. */
extern _Thread_local struct xs_files *xs_files_here;

void xs_files_init(struct xs_files *files, struct xs_file_thread *thread, unsigned worker);
/* After the thread has ended; closes what is open. [main] */
void xs_files_fini(struct xs_files *files);

/* XS_OK: *file, to be given back. XS_EAGAIN: user->opened() is called later. XS_EBUSY: too many
 * wait. */
enum xs_err xs_files_open(struct xs_files *files, const struct xs_folder *folder,
                          struct xs_slice path, struct xs_file_user *user,
                          struct xs_file **file);
/* Asks for a piece of an open file that is not in memory. */
void xs_files_read(struct xs_files *files, struct xs_file *file, uint64_t offset, size_t len,
                   struct xs_file_user *user);
/* Whatever the user waits for: it is not called any more. */
void xs_files_forget(struct xs_file_user *user);
void xs_file_unref(struct xs_files *files, struct xs_file *file);

const struct xs_file_version *xs_file_version(const struct xs_file *file);
/* True: the whole of it is in memory. */
bool xs_file_bytes(const struct xs_file *file, struct xs_slice *bytes);

#endif
