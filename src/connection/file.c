/* file - a connection asks for a file, and sends it piece by piece as its peer takes them. */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/thread.h"
#include "connection/state.h"
#include "files/files.h"

/* What is read at once, and queued before the next is read. */
#define PIECE ((size_t)65536)
/* How often a disk that does not answer is worth a line of the log. */
#define SAY_MS 10000

enum step {
    ASKED,   /* for a file */
    TOLD,    /* the module has not heard it yet */
    OPEN,    /* it has the file */
    READING, /* a piece is asked for */
    QUEUED   /* the peer takes a piece */
};

/* Made when a file is asked for, gone when it is sent or let go. */
struct xs_conn_file {
    struct xs_file_user user;
    struct xs_conn *conn;
    struct xs_file *file;
    enum step step;
    enum xs_err err;
    uint64_t until; /* ms; the disk's answer */
    uint64_t offset, left;
    xs_file_sent_cb sent;
    const struct xs_folder *folder;
    size_t path_len;
    char path[];
};

static void let_go(struct xs_conn *conn)
{
    struct xs_conn_file *here = conn->file;

    conn->file = NULL;
    xs_files_forget(&here->user);
    if (here->file != NULL)
        xs_file_unref(conn->home->files, here->file);
    xs_free(here);
}

void xs_conn_drop_file(struct xs_conn *conn)
{
    if (conn->file != NULL)
        let_go(conn);
}

bool xs_conn_waits_for_file(const struct xs_conn *conn)
{
    return conn->file != NULL && conn->file->step != OPEN;
}

static bool is_sending(const struct xs_conn *conn)
{
    return conn->file != NULL && conn->file->step >= READING;
}

/* ---- opening ---- */

static uint64_t disk_deadline(const struct xs_conn *conn)
{
    return xs_now() + conn->offer->config->handshake_timeout;
}

/* The module is to hear it: its request is offered again. */
static void tell(struct xs_conn_file *here, enum xs_err err)
{
    here->err = err;
    here->step = TOLD;
    xs_conn_hold(here->conn, XS_HOLD_FILE, false);
    xs_conn_arm(here->conn);
}

static void on_opened(struct xs_file_user *user, enum xs_err err, struct xs_file *file)
{
    struct xs_conn_file *here = XS_CONTAINER(user, struct xs_conn_file, user);

    here->file = file;
    tell(here, err);
}

/* Parts that are names; the kernel keeps the rest below the folder. */
static bool is_good_path(struct xs_slice path)
{
    size_t begin = 0;

    if (path.len == 0 || memchr(path.at, '\0', path.len) != NULL)
        return false;
    for (size_t i = 0; i <= path.len; i++) {
        size_t len = i - begin;

        if (i < path.len && path.at[i] != '/')
            continue;
        if (len == 0 || (len == 1 && path.at[begin] == '.') ||
            (len == 2 && memcmp(path.at + begin, "..", 2) == 0))
            return false;
        begin = i + 1;
    }
    return true;
}

static enum xs_err facts_of(const struct xs_file *file, struct xs_file_facts *facts)
{
    const struct xs_file_version *version = xs_file_version(file);
    struct xs_file_facts known = { .size = facts->size,
                                   .is_folder = version->is_folder,
                                   .length = version->length,
                                   .modified = version->modified.tv_sec,
                                   .modified_ns = (uint32_t)version->modified.tv_nsec };

    memcpy(facts, &known, known.size < sizeof known ? known.size : sizeof known);
    return XS_OK;
}

static enum xs_err refused(struct xs_conn *conn)
{
    xs_conn_drop_file(conn);
    XS_COUNT(files_refused);
    return XS_EBUSY;
}

/* The answer that the module has waited for. */
static enum xs_err hear(struct xs_conn *conn, struct xs_file_facts *facts)
{
    enum xs_err err = conn->file->err;

    if (err == XS_EBUSY)
        return refused(conn);
    if (err != XS_OK) {
        let_go(conn);
        return err;
    }
    conn->file->step = OPEN;
    return facts_of(conn->file->file, facts);
}

enum xs_err xs_conn_open_file(struct xs_conn *conn, const struct xs_folder *folder,
                              struct xs_slice path, struct xs_file_facts *facts)
{
    XS_ON_WORKER(conn->home->worker);
    const struct xs_outbound *out = conn->home->out;
    struct xs_conn_file *here = conn->file;
    enum xs_err err;

    if (conn->state >= XS_CONN_DRAINING)
        return XS_EGONE;
    if (is_sending(conn)) /* what was promised of it comes first */
        return XS_EAGAIN;
    if (here != NULL && here->step <= TOLD && here->folder == folder &&
        xs_slice_equal(path, (struct xs_slice){ here->path, here->path_len }))
        return here->step == TOLD ? hear(conn, facts) : XS_EAGAIN;
    xs_conn_close_file(conn);
    if (folder == NULL || !is_good_path(path))
        return XS_EINVAL;
    if (out->process_is_full != NULL && out->process_is_full(out->context))
        return refused(conn);
    conn->file = here = xs_alloc(sizeof *here + path.len);
    here->conn = conn;
    here->user.opened = on_opened;
    here->folder = folder;
    here->path_len = path.len;
    memcpy(here->path, path.at, path.len);
    err = xs_files_open(conn->home->files, folder, path, &here->user, &here->file);
    if (err == XS_EBUSY)
        return refused(conn);
    if (err == XS_OK) {
        here->step = OPEN;
        return facts_of(here->file, facts);
    }
    here->until = disk_deadline(conn);
    xs_conn_hold(conn, XS_HOLD_FILE, true);
    xs_conn_arm(conn);
    return XS_EAGAIN;
}

void xs_conn_close_file(struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->file == NULL || is_sending(conn))
        return;
    let_go(conn);
    xs_conn_hold(conn, XS_HOLD_FILE, false);
}

/* ---- sending ---- */

static void sent(struct xs_conn *conn)
{
    xs_file_sent_cb call = conn->file->sent;

    XS_COUNT(files_sent);
    let_go(conn);
    conn->last_in = xs_now(); /* it was not idle until now */
    xs_conn_hold(conn, XS_HOLD_FILE, false);
    xs_conn_arm(conn);
    if (call != NULL)
        call(conn->self, conn);
}

static void next_piece(struct xs_conn *conn)
{
    struct xs_conn_file *here = conn->file;
    size_t len = here->left < PIECE ? (size_t)here->left : PIECE;

    here->step = READING;
    here->until = disk_deadline(conn);
    xs_files_read(conn->home->files, here->file, here->offset, len, &here->user);
    xs_conn_arm(conn);
}

static void on_read(struct xs_file_user *user, enum xs_err err, struct xs_slice bytes)
{
    struct xs_conn_file *here = XS_CONTAINER(user, struct xs_conn_file, user);
    struct xs_conn *conn = here->conn;

    if (err != XS_OK || bytes.len == 0) {
        /* Its length was promised: an early end tells the peer that this is not all. */
        xs_log(XS_LOG_INFO, "a file ended before it was sent");
        xs_conn_close(conn, XS_CLOSE_FAULT, NULL);
        return;
    }
    xs_conn_write(conn, bytes);
    here->offset += bytes.len;
    here->left -= bytes.len;
    here->step = QUEUED;
    if (conn->state >= XS_CONN_DRAINING)
        return;
    if (here->left == 0)
        sent(conn);
}

void xs_conn_piece_taken(struct xs_conn *conn)
{
    if (conn->file != NULL && conn->file->step == QUEUED && conn->state < XS_CONN_DRAINING)
        next_piece(conn);
}

void xs_conn_send_file(struct xs_conn *conn, uint64_t offset, uint64_t length,
                       xs_file_sent_cb call)
{
    XS_ON_WORKER(conn->home->worker);
    struct xs_conn_file *here = conn->file;
    struct xs_slice bytes;

    if (here == NULL || here->step != OPEN || conn->state >= XS_CONN_DRAINING)
        return;
    here->sent = call;
    conn->answers = true;
    if (length == 0) {
        sent(conn);
        return;
    }
    if (xs_file_bytes(here->file, &bytes)) {
        size_t from = offset < bytes.len ? (size_t)offset : bytes.len;
        size_t len = length < bytes.len - from ? (size_t)length : bytes.len - from;

        here->left = length;
        on_read(&here->user, XS_OK, (struct xs_slice){ bytes.at + from, len });
        return;
    }
    here->offset = offset;
    here->left = length;
    here->user.read = on_read;
    xs_conn_hold(conn, XS_HOLD_FILE, true);
    next_piece(conn);
}

/* ---- time ---- */

uint64_t xs_conn_file_deadline(const struct xs_conn *conn)
{
    const struct xs_conn_file *here = conn->file;

    return here->step == ASKED || here->step == READING ? here->until : UINT64_MAX;
}

void xs_conn_file_time(struct xs_conn *conn)
{
    struct xs_conn_file *here = conn->file;

    if (xs_now() >= conn->home->disk_quiet_until) {
        conn->home->disk_quiet_until = xs_now() + SAY_MS;
        xs_log(XS_LOG_WARNING, "a disk does not answer: files are asked for in vain");
    }
    if (here->step == READING) {
        xs_conn_close(conn, XS_CLOSE_FAULT, NULL);
        return;
    }
    xs_files_forget(&here->user);
    tell(here, XS_EBUSY);
}
