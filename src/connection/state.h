/* state.h - between the files of this room: life.c moves states, input.c reads, api.c is what
 * modules call. */
#ifndef XS_CONNECTION_STATE_H
#define XS_CONNECTION_STATE_H

#include "connection/connection.h"

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
/* Bytes came: sniffs or decodes. False: closing, deliver no more. */
bool xs_conn_received(struct xs_conn *conn, char *at, size_t len);
/* Decodes what was left while the connection was held up. */
void xs_conn_go_on(struct xs_conn *conn);
/* The time of a quiet greeting, or of sniffing at all, is over. */
void xs_conn_sniff_over(struct xs_conn *conn, enum xs_close_reason otherwise);
/* Gives the protocol's state back. */
void xs_conn_drop_protocol(struct xs_conn *conn);

#endif
