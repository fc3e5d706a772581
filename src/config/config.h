/* config.h - server.ini as one typed struct, frozen once it is made. */
#ifndef XS_CONFIG_CONFIG_H
#define XS_CONFIG_CONFIG_H

#include <stdio.h>

#include "base/log.h"
#include <xsockets/connection.h>
#include <xsockets/plugin.h>

/* A section [endpoint NAME]. Times in ms, sizes in bytes; 0 = off where the table says so.
 * Lines are those of the file, 0 for what comes from -D or is a default. */
struct xs_config_endpoint {
    char *name;
    unsigned line;           /* of the section */
    unsigned protocols_line; /* of the keys of these names */
    unsigned transport_line;
    /* "127.0.0.1", "::1" (never in brackets), "*" (all, both families), "unix:/run/x/sock" */
    char *address;
    uint32_t port; /* 0 only with a unix address */
    char *scope;
    char *transport;
    /* Names of protocols and subprotocols in order, NULL-terminated; NULL for "all". */
    char **protocols;
    uint32_t max_connections; /* of the process */
    uint32_t backlog;
    uint32_t unix_mode; /* permission bits of a UNIX socket */
    bool nodelay;
    bool keepalive;
    uint64_t handshake_timeout;
    uint64_t sniff_timeout;
    uint64_t sniff_quiet;
    uint64_t idle_timeout; /* for protocols that ping */
    uint64_t idle_timeout_without_ping;
    uint64_t slow_timeout;
    uint64_t heartbeat;
};

/* A setting that belongs to a module: checked when the module is loaded. */
struct xs_config_pair {
    char *key;
    char *value;   /* with ${...} replaced: never for a message, it may be a secret */
    char *written; /* as it stands in the file */
    unsigned line;
};

/* A section [protocol X], [subprotocol X], [controller X] or [transport X]. */
struct xs_config_section {
    char *kind; /* "protocol", "subprotocol", "controller", "transport" */
    char *name;
    unsigned line;
    char
        *module; /* a path with '/', or the name of a file NAME.so in module_path; NULL: name */
    char *use;   /* the module's own name for it, when `name` is another; NULL: name */
    /* Further tokens for it in a handshake, NULL-terminated; NULL for none. */
    char **subprotocol_alias;
    struct xs_config_pair *pairs;
    size_t pair_count;
};

/* What workers know of each other is kept in the bits of one number. */
#define XS_WORKERS_MAX 64

struct xs_config {
    /* Of the file. Relative paths in it were made relative to its folder, those of -D not. */
    char *path;
    /* [server] */
    uint32_t workers; /* the resolved number, never 0 */
    uint32_t node;
    char *module_path;
    char **modules; /* loaded besides those that sections name; NULL-terminated */
    uint64_t drain_timeout;
    uint64_t max_queued_bytes; /* of the process */
    uint64_t max_held_bytes;   /* of the process */
    uint64_t queue_bytes;      /* per connection */
    uint64_t queue_messages;
    uint64_t mailbox_letters; /* per pair of workers */
    uint64_t mailbox_bytes;
    uint64_t slow_callback; /* ms, logged above */
    uint64_t remember_away; /* persistent ids remembered after they left */
    bool test_hooks;        /* place=<worker> in a query puts a connection on that worker */
    /* [limits] */
    struct xs_limits limits;
    /* [log]: level and format. with_time is true, fd 2, colour false until main() decides. */
    struct xs_log_options log;

    struct xs_config_endpoint *endpoints;
    size_t endpoint_count;
    struct xs_config_section *sections;
    size_t section_count;
};

/* Reads a file and then the `-D` overrides ("endpoint public.port=4503"; the last dot before
 * '=' separates). On failure *error is one sentence that names file, line and what would have
 * been right, to be freed; the result is NULL. *error_code: 66 no such file, 78 anything else.
 * All settings are checked that can be without loading modules. [main] */
struct xs_config *xs_config_read(const char *path, const char *const *overrides,
                                 size_t override_count, char **error, int *error_code);
void xs_config_free(struct xs_config *config);

/* The same from text that is already in memory; `path` names it in sentences. [main] */
struct xs_config *xs_config_read_text(const char *path, struct xs_slice text,
                                      const char *const *overrides, size_t override_count,
                                      char **error);

/* Compares two; for every setting that is not reloadable and differs, calls back with
 * "[section] key" (or "[section]" that came or went) and puts the old value into `next`, so
 * that `next` can take over. [main] */
void xs_config_keep_fixed(const struct xs_config *old, struct xs_config *next,
                          void (*kept)(void *context, const char *what), void *context);

/* --help-config: every setting of the table with type, default, range, whether a reload takes
 * it, and its sentence; `colour` for a terminal. Sections of modules are printed by
 * xs_plugin_help(). [main] */
void xs_config_help(FILE *out, bool colour);
/* The same as a commented ini file, and as Markdown for docs/CONFIG.md. [main] */
void xs_config_sample(FILE *out);
void xs_config_markdown(FILE *out);

#endif
