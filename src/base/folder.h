/* folder.h - a folder of the configuration, and how a file below it is opened so that it is
 * surely below. */
#ifndef XS_BASE_FOLDER_H
#define XS_BASE_FOLDER_H

#include <xsockets/file.h>

struct xs_folder {
    const char *path;
};

/* What is wrong with it, as a static text that continues a sentence ("there is ..."), or NULL.
 * [main] */
const char *xs_folder_fault(const struct xs_folder *folder);

/* Opens what lies at a relative path, for reading and without waiting for a peer (a pipe). The
 * kernel resolves the whole path below the folder (openat2, RESOLVE_BENEATH): neither "..", an
 * absolute path nor a link leads out. The descriptor, or -errno. Waits for the disk. */
int xs_folder_open(const struct xs_folder *folder, const char *path);

#endif
