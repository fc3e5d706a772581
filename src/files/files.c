/* files - asked for once however many wait, kept when small, looked at again every second. */
#include "files/files.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/stats.h"
#include "base/thread.h"

#define FRESH_MS 1000

_Thread_local struct xs_files *xs_files_here;

struct xs_file {
    struct xs_list node;    /* in files->all */
    struct xs_list waiting; /* users */
    struct xs_list kept;    /* in shelf->files */
    struct xs_shelf *shelf; /* NULL: not kept */
    const struct xs_folder *folder;
    uint64_t seen; /* ms; on the disk */
    unsigned refs; /* users that have it, pieces under way */
    bool named;    /* in files->named */
    bool asked;    /* a job is under way */
    bool known;    /* `version`, and `bytes` or `fd` unless it is a folder */
    struct xs_file_version version;
    int fd;
    char *bytes;
    struct xs_slice key; /* the folder's address and the path, terminated */
    char memory[];
};

static const char *path_of(const struct xs_file *file)
{
    return file->memory + sizeof file->folder;
}

static void name_it(struct xs_files *files, struct xs_file *file)
{
    xs_map_put(&files->named, file->key, file);
    file->named = true;
}

static struct xs_file *file_new(struct xs_files *files, struct xs_slice key)
{
    struct xs_file *file = xs_alloc(sizeof *file + key.len + 1);

    memcpy(file->memory, key.at, key.len);
    memcpy(&file->folder, key.at, sizeof file->folder);
    file->key = (struct xs_slice){ file->memory, key.len };
    file->fd = -1;
    xs_list_init(&file->waiting);
    xs_list_append(&files->all, &file->node);
    return file;
}

static void file_free(struct xs_file *file)
{
    xs_list_remove(&file->node);
    xs_free(file->bytes);
    xs_free(file);
}

/* What keeping it costs. */
static size_t cost_of(const struct xs_file *file)
{
    return (size_t)file->version.length + sizeof *file + file->key.len;
}

static void take_from_shelf(struct xs_file *file)
{
    if (file->shelf == NULL)
        return;
    file->shelf->used -= cost_of(file);
    xs_list_remove(&file->kept);
    file->shelf = NULL;
}

/* It is not the newest any more, or not there. */
static void unname(struct xs_files *files, struct xs_file *file)
{
    take_from_shelf(file);
    if (file->named)
        (void)xs_map_remove(&files->named, file->key);
    file->named = false;
}

/* Frees it if nobody has it, waits for it or keeps it. */
static void release(struct xs_files *files, struct xs_file *file)
{
    struct xs_file_job *job;

    if (file->refs > 0 || file->asked || file->shelf != NULL)
        return;
    XS_ASSERT(xs_list_empty(&file->waiting));
    unname(files, file);
    if (file->fd >= 0) {
        /* Closing may wait for a disk too. */
        job = xs_file_job_new(files->thread, XS_FILE_CLOSE, files->worker);
        job->fd = file->fd;
        (void)xs_file_thread_post(files->thread, job);
    }
    file_free(file);
}

void xs_file_unref(struct xs_files *files, struct xs_file *file)
{
    file->refs--;
    release(files, file);
}

/* ---- shelves ---- */

static struct xs_shelf *shelf_of(const struct xs_files *files, const struct xs_folder *folder)
{
    struct xs_shelf *shelf = files->shelves;

    while (shelf != NULL && shelf->folder != folder)
        shelf = shelf->next;
    return shelf;
}

void xs_folder_keep(const struct xs_folder *folder, size_t all, size_t each)
{
    XS_ON_SOME_WORKER();
    struct xs_files *files = xs_files_here;
    struct xs_shelf *shelf = folder != NULL ? shelf_of(files, folder) : NULL;

    if (folder == NULL)
        return;
    if (shelf == NULL) {
        shelf = xs_alloc(sizeof *shelf);
        shelf->folder = folder;
        shelf->next = files->shelves;
        xs_list_init(&shelf->files);
        files->shelves = shelf;
    }
    shelf->all = all;
    shelf->each = each < all ? each : all;
}

static void put_on_shelf(struct xs_files *files, struct xs_file *file)
{
    struct xs_shelf *shelf = shelf_of(files, file->folder);

    if (file->bytes == NULL || file->shelf != NULL || shelf == NULL ||
        file->version.length > shelf->each)
        return;
    file->shelf = shelf;
    shelf->used += cost_of(file);
    xs_list_append(&shelf->files, &file->kept);
    while (shelf->used > shelf->all) {
        struct xs_file *oldest = XS_CONTAINER(shelf->files.next, struct xs_file, kept);

        take_from_shelf(oldest);
        release(files, oldest);
    }
}

/* ---- asking ---- */

/* `still`: it was in memory before it was asked for. */
static void use(struct xs_file *file, bool still)
{
    file->refs++;
    if (still && file->bytes != NULL)
        XS_COUNT(file_hits);
    if (file->shelf == NULL)
        return;
    xs_list_remove(&file->kept);
    xs_list_append(&file->shelf->files, &file->kept);
}

/* The file that an answer speaks of: the one that was asked for if it is as it was or was not
 * known, else a new one in its place. */
static struct xs_file *renew(struct xs_files *files, struct xs_file *file,
                             struct xs_file_job *job)
{
    struct xs_file *old = file;
    struct xs_list *node;

    if (!job->same && file->known) {
        file = file_new(files, old->key);
        while ((node = xs_list_shift(&old->waiting)) != NULL)
            xs_list_append(&file->waiting, node);
        unname(files, old);
        name_it(files, file);
    }
    file->seen = xs_now();
    file->refs++;
    if (!job->same) {
        file->known = true;
        file->version = job->version;
        file->fd = job->fd;
        file->bytes = job->bytes;
        job->fd = -1;
        job->bytes = NULL;
    }
    put_on_shelf(files, file);
    if (file != old)
        release(files, old);
    return file;
}

static void on_opened(struct xs_letter *letter, void *at)
{
    struct xs_file_job *job = (struct xs_file_job *)letter;
    struct xs_files *files = job->asker;
    struct xs_file *file = job->file;
    struct xs_list *node;

    if (at == NULL) { /* nobody is here any more */
        xs_file_job_free(job);
        return;
    }
    XS_COUNT_BY(file_requests, -1);
    file->asked = false;
    if (job->err == XS_OK) {
        file = renew(files, file, job);
    } else {
        file->refs++;
        unname(files, file);
    }
    while ((node = xs_list_shift(&file->waiting)) != NULL) {
        struct xs_file_user *user = XS_CONTAINER(node, struct xs_file_user, node);

        if (job->err == XS_OK)
            use(file, job->same);
        user->opened(user, job->err, job->err == XS_OK ? file : NULL);
    }
    xs_file_unref(files, file);
    xs_file_job_free(job);
}

static bool ask(struct xs_files *files, struct xs_file *file)
{
    const struct xs_shelf *shelf = shelf_of(files, file->folder);
    struct xs_file_job *job = xs_file_job_new(files->thread, XS_FILE_OPEN, files->worker);

    job->letter.read = on_opened;
    job->asker = files;
    job->file = file;
    job->folder = file->folder;
    job->path = path_of(file);
    job->keep = shelf != NULL ? shelf->each : 0;
    job->known = file->known;
    job->version = file->version;
    file->asked = xs_file_thread_post(files->thread, job);
    if (file->asked)
        XS_COUNT(file_requests);
    else
        xs_file_job_free(job);
    return file->asked;
}

/* Everything that names a file, in one run of bytes. */
static struct xs_slice key_of(const struct xs_folder *folder, struct xs_slice path, char *to)
{
    memcpy(to, &folder, sizeof folder);
    memcpy(to + sizeof folder, path.at, path.len);
    return (struct xs_slice){ to, sizeof folder + path.len };
}

enum xs_err xs_files_open(struct xs_files *files, const struct xs_folder *folder,
                          struct xs_slice path, struct xs_file_user *user,
                          struct xs_file **found)
{
    char *memory = xs_alloc(sizeof folder + path.len);
    struct xs_slice key = key_of(folder, path, memory);
    struct xs_file *file = xs_map_get(&files->named, key);

    if (file == NULL) {
        file = file_new(files, key);
        name_it(files, file);
    }
    xs_free(memory);
    if (file->known && !file->asked && xs_now() - file->seen < files->fresh) {
        use(file, true);
        *found = file;
        return XS_OK;
    }
    if (!file->asked && !ask(files, file)) {
        release(files, file);
        return XS_EBUSY;
    }
    xs_list_append(&file->waiting, &user->node);
    return XS_EAGAIN;
}

/* ---- pieces ---- */

static void on_read(struct xs_letter *letter, void *at)
{
    struct xs_file_job *job = (struct xs_file_job *)letter;
    struct xs_files *files = job->asker;
    struct xs_file_user *user = job->user;

    if (at != NULL) {
        XS_COUNT_BY(file_requests, -1);
        if (user != NULL) {
            user->job = NULL;
            user->read(user, job->err,
                       (struct xs_slice){ job->bytes, job->err == XS_OK ? job->len : 0 });
        }
        xs_file_unref(files, job->file);
    }
    xs_file_job_free(job);
}

void xs_files_read(struct xs_files *files, struct xs_file *file, uint64_t offset, size_t len,
                   struct xs_file_user *user)
{
    struct xs_file_job *job = xs_file_job_new(files->thread, XS_FILE_READ, files->worker);

    job->letter.read = on_read;
    job->asker = files;
    job->user = user;
    job->file = file;
    job->fd = file->fd;
    job->offset = offset;
    job->len = len;
    file->refs++;
    user->job = job;
    XS_COUNT(file_requests);
    (void)xs_file_thread_post(files->thread, job);
}

void xs_files_forget(struct xs_file_user *user)
{
    xs_list_remove(&user->node);
    if (user->job != NULL)
        user->job->user = NULL;
    user->job = NULL;
}

const struct xs_file_version *xs_file_version(const struct xs_file *file)
{
    return &file->version;
}

bool xs_file_bytes(const struct xs_file *file, struct xs_slice *bytes)
{
    *bytes = (struct xs_slice){ file->bytes, (size_t)file->version.length };
    return file->bytes != NULL;
}

/* ---- life ---- */

void xs_files_init(struct xs_files *files, struct xs_file_thread *thread, unsigned worker)
{
    memset(files, 0, sizeof *files);
    files->thread = thread;
    files->worker = worker;
    files->fresh = FRESH_MS;
    xs_list_init(&files->all);
}

void xs_files_fini(struct xs_files *files)
{
    struct xs_list *node;

    while ((node = xs_list_shift(&files->all)) != NULL) {
        struct xs_file *file = XS_CONTAINER(node, struct xs_file, node);

        xs_file_thread_close(files->thread, file->fd);
        file_free(file);
    }
    xs_map_fini(&files->named);
    while (files->shelves != NULL) {
        struct xs_shelf *shelf = files->shelves;

        files->shelves = shelf->next;
        xs_free(shelf);
    }
}
