/* websocket.h - what the three files of this module share. */
#ifndef XS_WEBSOCKET_H
#define XS_WEBSOCKET_H

#include <xsockets/http.h>
#include <xsockets/subprotocol.h>

#include "unmask.h"

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
};

/* One worker: readers that lie free. */
struct xs_websocket_worker {
    struct xs_websocket_reader *free;
    unsigned free_count;
    xs_unmask *unmask; /* chosen at the first frame */
};

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
