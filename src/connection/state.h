/* state.h - between the files of this room: life.c moves states, input.c reads, api.c is what
 * modules call. */
#ifndef XS_CONNECTION_STATE_H
#define XS_CONNECTION_STATE_H

#include "connection/connection.h"
#include <xsockets/file.h>

/* Moves, asserting that the table allows it. */
void xs_conn_move(struct xs_conn *conn, enum xs_conn_state to);
/* Has the end of the turn look at it. */
void xs_conn_later(struct xs_conn *conn);
/* Sets the timer to the next thing that may be due. */
void xs_conn_arm(struct xs_conn *conn);
/* The socket is of no use any more: no goodbye, nothing flushed. Takes effect at the end of the
 * turn. */
void xs_conn_fail(struct xs_conn *conn, enum xs_close_reason reason);
/* The reason that stands for a module's error. */
enum xs_close_reason xs_conn_reason_of(enum xs_err err);
/* Whether no more may be kept for this client, which would have `bytes`, because all together
 * have too much. Counts it. */
bool xs_conn_is_one_too_many(const struct xs_conn *conn, size_t bytes);
/* Bytes came: sniffs or decodes. False: closing, deliver no more. */
bool xs_conn_received(struct xs_conn *conn, char *at, size_t len);
/* Decodes what was left while the connection was held up. */
void xs_conn_go_on(struct xs_conn *conn);
/* The time of a quiet greeting, or of sniffing at all, is over. */
void xs_conn_sniff_over(struct xs_conn *conn, enum xs_close_reason otherwise);
/* The next request is waited for from now on. */
void xs_conn_rest(struct xs_conn *conn);
/* A request begins: from now on it has the time of a handshake. */
void xs_conn_wake(struct xs_conn *conn);
/* A file is asked for or being sent; when that takes too long (ms, UINT64_MAX if it is not the
 * disk's turn); it has taken too long. */
bool xs_conn_waits_for_file(const struct xs_conn *conn);
uint64_t xs_conn_file_deadline(const struct xs_conn *conn);
void xs_conn_file_time(struct xs_conn *conn);
/* The queue is empty: the next piece of a file may come. */
void xs_conn_piece_taken(struct xs_conn *conn);
/* No file any more, whatever was asked for. */
void xs_conn_drop_file(struct xs_conn *conn);
/* Gives the protocol's state back. */
void xs_conn_drop_protocol(struct xs_conn *conn);

#endif
