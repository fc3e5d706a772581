/* file.h - files below a folder that the configuration names, for protocols that send them. One
 * thread of the host reads: no worker ever waits for a disk, and nobody for somebody else's
 * file.
 *
 * The module's table of settings has a row of type "folder". Then, in decode():
 *
 *   struct xs_file_facts facts = { .size = sizeof facts };
 *   enum xs_err err = xs_conn_open_file(conn, folder, path, &facts);
 *
 *   if (err == XS_EAGAIN)
 *       return XS_OK; // the request stays in `in`; decode() is called again with it
 *   ...             // another error: answer it
 *   xs_conn_write(conn, a head that tells facts.length);
 *   xs_conn_send_file(conn, 0, facts.length, sent);
 */
#ifndef XSOCKETS_FILE_H
#define XSOCKETS_FILE_H

#include <xsockets/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A folder of the configuration. Lives as long as the daemon. */
struct xs_folder;

/* The folder of a setting of type "folder", NULL if it is empty. The value is a path, relative
 * to the folder of the ini file; that there is such a folder was checked at start and by -t.
 * The path is followed anew for each request, so that a link can be turned to a new release.
 * [any] */
XS_API const struct xs_folder *xs_setting_folder(const struct xs_settings *settings,
                                                 const char *key);

/* Keeps files of this folder up to `each` bytes in this worker's memory, `all` bytes together,
 * those that were asked for last. What is kept is compared with the disk when it is asked for
 * and a second has passed. Called from worker_start(); without it nothing is kept. [worker] */
XS_API void xs_folder_keep(const struct xs_folder *folder, size_t all, size_t each);

/* What is known of a file or folder. */
struct xs_file_facts {
    size_t size;    /* of this struct, set by the caller */
    bool is_folder; /* it has no length and cannot be sent */
    uint64_t length;
    int64_t modified; /* seconds since 1970, UTC */
    uint32_t modified_ns;
};

/* Opens a file for this connection, in place of the one it had open. `path` is relative,
 * without an empty, "." or ".." part; a link that leads out of the folder leads nowhere. Only
 * regular files and folders are found.
 *
 * XS_EAGAIN: it is asked for. The connection is busy: leave the request in the input and
 * return; decode() is called again with it, and the same call then has the answer.
 * XS_ENOTFOUND: there is nothing to send. XS_EREFUSED: the daemon may not read it. XS_EBUSY:
 * too many ask, or the disk does not answer within handshake_timeout; later it may work.
 * XS_EINVAL: not such a path. XS_EIO: the disk has failed. XS_EGONE: the connection is closing.
 * [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_open_file(struct xs_conn *conn,
                                                   const struct xs_folder *folder,
                                                   struct xs_slice path,
                                                   struct xs_file_facts *facts);

/* Sends `length` bytes of the open file from `offset` on, behind what was written before, and
 * closes it. The connection is busy meanwhile: pieces are read as the peer takes them, and the
 * connection ends if it does not (slow_timeout), or if the file has become shorter than it was.
 * `sent` is called when the last piece is queued, before this returns if that is at once; never
 * if the connection ends before. It may write and close; it may be NULL. [worker] */
typedef void (*xs_file_sent_cb)(void *self, struct xs_conn *conn);
XS_API void xs_conn_send_file(struct xs_conn *conn, uint64_t offset, uint64_t length,
                              xs_file_sent_cb sent);

/* Closes the open file without sending it; nothing happens if there is none, or if it is being
 * sent. [worker] */
XS_API void xs_conn_close_file(struct xs_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
