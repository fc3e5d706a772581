/* expand - values from elsewhere: ${NAME} of the environment, ${file:PATH} from a file, so that
 * secrets need not stand in the ini file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "config/ini.h"
#include "config/value.h"

#define SECRET_BYTES 4096

char *xs_path_in(const char *folder, const char *path)
{
    if (folder == NULL || path[0] == '/')
        return xs_strdup(path);
    return xs_sentence("%s/%s", folder, path);
}

char *xs_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;

    if (slash == NULL)
        return xs_strdup(".");
    folder = xs_strdup(path);
    folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

/* What came from outside must be one line of text, as if it stood in the file. */
static bool is_line(struct xs_slice text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (((unsigned char)text.at[i] < 0x20 && text.at[i] != '\t') || text.at[i] == 0x7f)
            return false;
    return xs_utf8_valid(text.at, text.len);
}

/* Reads at most `size` bytes; -1 and errno. Never waits: a FIFO is no secret. */
static ssize_t read_small(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat about;
    size_t len = 0;
    ssize_t n = -1;

    if (fd < 0)
        return -1;
    if (fstat(fd, &about) == 0 && !S_ISREG(about.st_mode)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    while (len < size && (n = read(fd, to + len, size - len)) > 0)
        len += (size_t)n;
    close(fd);
    return n < 0 ? -1 : (ssize_t)len;
}

static bool append_file(struct xs_buf *out, const char *folder, const char *name, char **why)
{
    char text[SECRET_BYTES + 1];
    char *path = xs_path_in(folder, name);
    ssize_t len = read_small(path, text, sizeof text);
    struct xs_slice secret = { text, len > 0 ? (size_t)len : 0 };

    if (len < 0)
        *why = xs_sentence("the file %s cannot be read: %s", path,
                           errno == EINVAL ? "it is no regular file" : strerror(errno));
    xs_free(path);
    if (len < 0)
        return false;
    if (secret.len > 0 && secret.at[secret.len - 1] == '\n')
        secret.len--;
    if (secret.len > 0 && secret.at[secret.len - 1] == '\r')
        secret.len--;
    if (len > SECRET_BYTES || !is_line(secret)) {
        *why = xs_sentence("the file %s must be one line of text of at most %d bytes", name,
                           SECRET_BYTES);
        return false;
    }
    xs_buf_append(out, secret);
    return true;
}

static bool append_environment(struct xs_buf *out, const char *name, char **why)
{
    const char *value = getenv(name);

    if (value == NULL) {
        *why = xs_sentence("there is no \"%s\" in the environment", name);
        return false;
    }
    if (strlen(value) > SECRET_BYTES || !is_line(xs_slice_of(value))) {
        *why = xs_sentence("\"%s\" in the environment must be one line of text of at most %d "
                           "bytes",
                           name, SECRET_BYTES);
        return false;
    }
    xs_buf_append(out, xs_slice_of(value));
    return true;
}

/* What stands between "${" and "}". */
static bool append_named(struct xs_buf *out, const char *folder, struct xs_slice inside,
                         char **why)
{
    static const struct xs_slice file = { "file:", 5 };
    char *name = xs_alloc(inside.len + 1);
    bool done;

    memcpy(name, inside.at, inside.len);
    if (inside.len > file.len && memcmp(inside.at, file.at, file.len) == 0)
        done = append_file(out, folder, name + file.len, why);
    else
        done = append_environment(out, name, why);
    xs_free(name);
    return done;
}

char *xs_value_expand(const char *written, const char *folder, char **why)
{
    struct xs_buf out = { NULL, 0, 0, 0, false };
    const char *at = written, *dollar;

    *why = NULL;
    xs_buf_reserve(&out, strlen(written) + 1);
    while (*why == NULL && (dollar = strstr(at, "${")) != NULL) {
        const char *end = strchr(dollar, '}');
        bool plain = dollar > at && dollar[-1] == '$';

        xs_buf_append(&out, (struct xs_slice){ at, (size_t)(dollar - at) });
        at = dollar + 2;
        if (plain)
            xs_buf_append_byte(&out, '{'); /* behind the first of the two '$' */
        else if (end == NULL)
            *why = xs_sentence("\"${\" without \"}\"");
        else if (append_named(&out, folder, (struct xs_slice){ at, (size_t)(end - at) }, why))
            at = end + 1;
    }
    xs_buf_append(&out, xs_slice_of(at));
    xs_buf_append_byte(&out, '\0');
    if (*why == NULL && out.failed)
        *why = xs_sentence("there is not enough memory");
    if (*why == NULL)
        return out.at;
    xs_free(out.at);
    return NULL;
}
