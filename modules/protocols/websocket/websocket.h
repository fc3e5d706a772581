/* websocket.h - what the files of this module share. */
#ifndef XS_WEBSOCKET_H
#define XS_WEBSOCKET_H

#include <xsockets/http.h>
#include <xsockets/subprotocol.h>

#include "unmask.h"

#include "deflate.h"

struct xs_websocket_reader;
struct xs_websocket_pong;

/* One connection. Kept small: an idle client costs this. */
struct xs_websocket {
    struct xs_websocket_reader *reader; /* borrowed while a message is incomplete */
    struct xs_websocket_pong
        *late;           /* the answer to the latest ping of a peer that does not read */
    uint64_t frame_left; /* payload bytes of the current frame that have not come yet */
    bool open;           /* the 101 is written */
    bool spoke;          /* the client has begun a frame */
    bool close_sent;
    bool finished; /* close frames went both ways */
    bool deflates; /* permessage-deflate was agreed on */
};

/* One worker. */
struct xs_websocket_worker {
    struct xs_websocket_reader *free; /* lying free */
    unsigned free_count;
    xs_unmask *unmask;        /* chosen at the first frame */
    struct xs_packer *packer; /* NULL: permessage-deflate is off */
    size_t deflate_min;       /* bytes of a payload */
};

/* Beside XS_VARIANT_PACKED: by how many bits the window of what we pack is smaller than
 * XS_DEFLATE_WINDOW. */
#define XS_WEBSOCKET_WINDOW_SHIFT 28
#define XS_WEBSOCKET_WINDOW_MASK  7u

enum { XS_WEBSOCKET_RSV1 = 0x40 }; /* of a frame's first byte */

/* handshake.c: RFC 6455 section 4.2. [worker] */
enum xs_err xs_websocket_handshake(struct xs_websocket *ws, struct xs_conn *conn,
                                   const struct xs_http_head *head);

/* frames.c: RFC 6455 section 5. [worker] */
enum xs_err xs_websocket_decode(void *self, struct xs_conn *conn, struct xs_input *in);
void xs_websocket_ping(void *self, struct xs_conn *conn);
bool xs_websocket_goodbye(void *self, struct xs_conn *conn, enum xs_close_reason reason,
                          const char *detail);
void xs_websocket_close(void *self, struct xs_conn *conn);
void xs_websocket_worker_stop(void *worker_state);

#endif
