/* daemon.h - the life of the process: start, signals, reload, drain. */
#ifndef XS_SERVER_DAEMON_H
#define XS_SERVER_DAEMON_H

#include <stddef.h>

/* Exit codes, as in sysexits.h where one fits. */
enum xs_exit {
    XS_EXIT_OK = 0,
    XS_EXIT_FAULT = 1,
    XS_EXIT_USAGE = 64,
    XS_EXIT_NO_FILE = 66,
    XS_EXIT_UNAVAILABLE = 69,
    XS_EXIT_CANNOT_BIND = 73,
    XS_EXIT_CONFIG = 78,
};

/* What the command line says. */
struct xs_command {
    const char *config;
    const char *const *overrides;
    size_t override_count;
};

/* -t: reads the file, loads the modules, binds nothing, says what it found. [main] */
int xs_daemon_test(const struct xs_command *command);
/* --help-config: the table, and the settings of the modules the file loads (or of the shipped
 * ones). [main] */
int xs_daemon_help_config(const struct xs_command *command);
/* Runs until it is told to stop; the exit code. [main] */
int xs_daemon_run(const struct xs_command *command);

#endif
