/* config - from the lines of a file, and what -D changes in them, to one frozen struct.
 *
 * First everything is collected as it is written, section by section; then -D takes away and
 * adds; then each value is read as the table of settings says. So a file and -D pass the same
 * checks. */
#include "config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/ini.h"
#include "config/table.h"

#define FILE_BYTES    ((size_t)1 << 20)
#define SECTIONS_MOST 1000
#define KEYS_MOST     1000 /* in a section */
#define LIST_BYTES    16384

#ifndef XS_MODULE_PATH
#error "XS_MODULE_PATH must be the folder into which modules are installed"
#endif

enum { EXIT_NO_INPUT = 66, EXIT_CONFIG = 78 }; /* sysexits.h */

/* A key as it is written; line 0 is -D. */
struct pair {
    char *key, *written;
    unsigned line;
};

struct section {
    const struct xs_config_table *table;
    char *kind, *name; /* name "": the kind has none */
    unsigned line;
    struct pair *pairs;
    size_t count;
};

struct job {
    const char *path;
    char *folder;
    struct section *sections;
    size_t count;
    struct section *at; /* where the file's reader stands; NULL before any section */
    struct xs_config *config;
    char *error; /* of what was done last; complete */
};

/* ---- sentences ---- */

static char *place(const struct job *job, unsigned line)
{
    return line > 0 ? xs_sentence("%s:%u", job->path, line) : xs_strdup("-D");
}

/* Keeps `why` (taken) as the job's error, with the place in front. Always false. */
static bool fail_take(struct job *job, const struct section *section, unsigned line, char *why)
{
    char *where = place(job, line);

    if (section == NULL)
        job->error = xs_sentence("%s: %s", where, why);
    else
        job->error = xs_sentence("%s: [%s%s%s] %s", where, section->kind,
                                 section->name[0] != '\0' ? " " : "", section->name, why);
    xs_free(where);
    xs_free(why);
    return false;
}

/* The same for a value that is wrong. */
static bool fail_value(struct job *job, const struct section *section, const struct pair *pair,
                       char *why)
{
    char *whole = pair->written[0] == '\0'
                      ? xs_sentence("%s is empty: %s", pair->key, why)
                      : xs_sentence("%s = %s: %s", pair->key, pair->written, why);

    xs_free(why);
    return fail_take(job, section, pair->line, whole);
}

/* ---- collecting ---- */

static struct section *find_section(struct job *job, const char *kind, const char *name)
{
    size_t i;

    for (i = 0; i < job->count; i++)
        if (strcmp(job->sections[i].kind, kind) == 0 &&
            strcmp(job->sections[i].name, name) == 0)
            return &job->sections[i];
    return NULL;
}

static char *unknown_section(const char *header, const char *kind)
{
    static const char *const known[] = { "server",   "limits",      "log",        "endpoint",
                                         "protocol", "subprotocol", "controller", "transport" };
    const char *near = xs_nearest(kind, known, sizeof known / sizeof known[0]);

    if (near != NULL)
        return xs_sentence("unknown section [%s] (did you mean [%s%s]?)", header, near,
                           xs_config_table(near)->place != XS_PLACE_CONFIG ? " NAME" : "");
    return xs_sentence("unknown section [%s]; there are [server], [limits], [log], "
                       "[endpoint NAME], [protocol NAME], [subprotocol NAME], "
                       "[controller NAME] and [transport NAME]",
                       header);
}

/* Cuts "endpoint public" into kind and name. What is wrong with it, or NULL. */
static char *cut_header(const char *header, char **kind, char **name)
{
    size_t len = strcspn(header, " \t");
    const struct xs_config_table *table;
    char *why = NULL, *form;

    *kind = xs_alloc(len + 1);
    memcpy(*kind, header, len);
    *name = xs_strdup(header + len + strspn(header + len, " \t"));
    table = xs_config_table(*kind);
    if (table == NULL)
        why = unknown_section(header, *kind);
    else if (table->place == XS_PLACE_CONFIG && **name != '\0')
        why = xs_sentence("unknown section [%s]: [%s] has no name", header, *kind);
    else if (table->place != XS_PLACE_CONFIG && **name == '\0')
        why = xs_sentence("the section has no name: write [%s NAME]", *kind);
    else if (table->place != XS_PLACE_CONFIG && !xs_value_check(XS_KIND_NAME, *name, &form)) {
        why = xs_sentence("the section's name \"%s\" is wrong, it %s", *name, form);
        xs_free(form);
    }
    if (why == NULL)
        return NULL;
    xs_free(*kind);
    xs_free(*name);
    return why;
}

/* The section of a header that is in order; takes kind and name. */
static struct section *add_section(struct job *job, char *kind, char *name, unsigned line)
{
    struct section *section;

    job->sections = xs_realloc(job->sections, (job->count + 1) * sizeof *job->sections);
    section = &job->sections[job->count++];
    memset(section, 0, sizeof *section);
    section->table = xs_config_table(kind);
    section->kind = kind;
    section->name = name;
    section->line = line;
    return section;
}

static char *on_section(void *context, const char *header, unsigned line)
{
    struct job *job = context;
    const struct section *before;
    char *kind, *name, *why = cut_header(header, &kind, &name);

    if (why != NULL)
        return why;
    before = find_section(job, kind, name);
    if (before == NULL && job->count < SECTIONS_MOST) {
        job->at = add_section(job, kind, name, line);
        return NULL;
    }
    xs_free(kind);
    xs_free(name);
    if (before != NULL)
        return xs_sentence("the section [%s] stands here again, it began in line %u", header,
                           before->line);
    return xs_sentence("there are more than %d sections", SECTIONS_MOST);
}

static struct pair *find_pair(struct section *section, const char *key)
{
    size_t i;

    for (i = 0; i < section->count; i++)
        if (strcmp(section->pairs[i].key, key) == 0)
            return &section->pairs[i];
    return NULL;
}

static bool is_key(const char *key)
{
    return key[strspn(key, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

/* Why a key may not stand in a section, or NULL. */
static char *check_key(const struct section *section, const char *key)
{
    const char *near;

    if (xs_config_row(section->table, key) != NULL)
        return NULL;
    if (section->table->place == XS_PLACE_MODULE && is_key(key))
        return NULL; /* the module knows */
    near = xs_config_nearest(section->table, key);
    if (near == NULL)
        return xs_sentence("unknown key \"%s\"", key);
    return xs_sentence("unknown key \"%s\" (did you mean \"%s\"?)", key, near);
}

static void add_pair(struct section *section, const char *key, const char *value, unsigned line)
{
    struct pair *pair;

    section->pairs = xs_realloc(section->pairs, (section->count + 1) * sizeof *section->pairs);
    pair = &section->pairs[section->count++];
    pair->key = xs_strdup(key);
    pair->written = xs_strdup(value);
    pair->line = line;
}

/* A key that stands there already: lists go on, others may not. */
static char *again(const struct section *section, struct pair *pair, const char *value,
                   bool continued)
{
    const struct xs_config_row *row = xs_config_row(section->table, pair->key);
    char *whole;

    if (row != NULL && xs_kind_is_list(row->kind)) {
        if (strlen(pair->written) + strlen(value) > LIST_BYTES)
            return xs_sentence("the list \"%s\" is longer than %d bytes", pair->key,
                               LIST_BYTES);
        whole = xs_sentence("%s, %s", pair->written, value);
        xs_free(pair->written);
        pair->written = whole;
        return NULL;
    }
    if (continued)
        return xs_sentence("this line is indented, but \"%s\" above it is no list that could "
                           "go on",
                           pair->key);
    return xs_sentence("\"%s\" stands here again, it has a value from line %u", pair->key,
                       pair->line);
}

static char *in_section(const struct section *section, char *why)
{
    char *whole = xs_sentence("[%s%s%s] %s", section->kind, section->name[0] != '\0' ? " " : "",
                              section->name, why);

    xs_free(why);
    return whole;
}

static char *on_pair(void *context, const char *key, const char *value, bool continued,
                     unsigned line)
{
    struct job *job = context;
    struct pair *pair;
    char *why;

    if (job->at == NULL)
        return xs_sentence("\"%s\" stands before any section", key);
    why = check_key(job->at, key);
    pair = why == NULL ? find_pair(job->at, key) : NULL;
    if (pair != NULL)
        why = again(job->at, pair, value, continued);
    else if (why == NULL && job->at->count == KEYS_MOST)
        why = xs_sentence("there are more than %d keys", KEYS_MOST);
    else if (why == NULL)
        add_pair(job->at, key, value, line);
    return why != NULL ? in_section(job->at, why) : NULL;
}

static bool collect(struct job *job, struct xs_slice text)
{
    const struct xs_ini_handler handler = { job, on_section, on_pair };
    unsigned line;
    char *why;

    if (text.len > FILE_BYTES) {
        job->error = xs_sentence("%s: the file is larger than 1MiB", job->path);
        return false;
    }
    why = xs_ini_read(text, &handler, &line);
    return why == NULL || fail_take(job, NULL, line, why);
}

/* ---- -D ---- */

static bool override_at(struct job *job, char *header, const char *key, const char *value)
{
    struct section *section;
    struct pair *pair;
    char *kind, *name, *why = cut_header(header, &kind, &name);

    if (why != NULL)
        return fail_take(job, NULL, 0, why);
    section = find_section(job, kind, name);
    if (section != NULL) {
        xs_free(kind);
        xs_free(name);
    } else {
        section = add_section(job, kind, name, 0);
    }
    why = check_key(section, key);
    if (why != NULL)
        return fail_take(job, section, 0, why);
    pair = find_pair(section, key);
    if (pair == NULL) {
        add_pair(section, key, value, 0);
        return true;
    }
    xs_free(pair->written);
    pair->written = xs_strdup(value);
    pair->line = 0;
    return true;
}

static bool override(struct job *job, const char *text)
{
    char *copy = xs_strdup(text), *equals = strchr(copy, '='), *dot = NULL;
    bool done = false;

    if (equals != NULL) {
        *equals = '\0';
        dot = strrchr(copy, '.');
    }
    if (dot == NULL || dot == copy || dot[1] == '\0') {
        fail_take(job, NULL, 0,
                  xs_sentence("\"%s\" is no setting, write as in "
                              "\"endpoint public.port=4503\"",
                              text));
    } else {
        *dot = '\0';
        done = override_at(job, copy, dot + 1, equals + 1);
    }
    xs_free(copy);
    return done;
}

/* ---- reading values ---- */

static bool set_value(struct job *job, const struct section *section, const struct pair *pair,
                      const struct xs_config_row *row, void *at, const char *value)
{
    const char *folder = pair->line > 0 ? job->folder : NULL;
    char *why = NULL;
    char **list;
    int64_t number;
    size_t i;

    if (xs_kind_is_number(row->kind)) {
        if (!xs_value_number(row->kind, row->range, value, &number, &why))
            return fail_value(job, section, pair, why);
        xs_row_set_number(row, at, number);
        return true;
    }
    xs_row_free(row, at);
    if (!xs_kind_is_list(row->kind)) {
        bool file = row->kind == XS_KIND_FILE && strchr(value, '/') != NULL;

        if (value[0] == '\0' && row->standard[0] == '\0')
            return true;
        if (!xs_value_check(row->kind, value, &why))
            return fail_value(job, section, pair, why);
        *xs_row_string(row, at) =
            file || row->kind == XS_KIND_PATH ? xs_path_in(folder, value) : xs_strdup(value);
        return true;
    }
    list = xs_value_list(row->kind, value, &why);
    if (list == NULL)
        return fail_value(job, section, pair, why);
    for (i = 0; row->kind == XS_KIND_FILES && list[i] != NULL; i++) {
        char *name = list[i];

        if (strchr(name, '/') == NULL)
            continue;
        list[i] = xs_path_in(folder, name);
        xs_free(name);
    }
    if (row->kind == XS_KIND_PROTOCOLS && strcmp(list[0], "all") == 0) {
        xs_list_free(list);
        list = NULL;
    }
    *xs_row_list(row, at) = list;
    return true;
}

static void add_module_pair(struct xs_config_section *to, const struct pair *pair,
                            char *value_take)
{
    struct xs_config_pair *added;

    to->pairs = xs_realloc(to->pairs, (to->pair_count + 1) * sizeof *to->pairs);
    added = &to->pairs[to->pair_count++];
    added->key = xs_strdup(pair->key);
    added->value = value_take;
    added->written = xs_strdup(pair->written);
    added->line = pair->line;
}

/* Reads all values of a section into the struct of its place. */
static bool fill(struct job *job, const struct section *section, void *at)
{
    size_t i;

    for (i = 0; i < section->count; i++) {
        const struct pair *pair = &section->pairs[i];
        const struct xs_config_row *row = xs_config_row(section->table, pair->key);
        char *why,
            *value = xs_value_expand(pair->written, pair->line > 0 ? job->folder : NULL, &why);
        bool done;

        if (value == NULL)
            return fail_value(job, section, pair, why);
        if (row == NULL) {
            add_module_pair(at, pair, value);
            continue;
        }
        done = set_value(job, section, pair, row, at, value);
        xs_free(value);
        if (!done)
            return false;
    }
    return true;
}

static void set_standards(const struct xs_config_table *table, void *at)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        xs_row_set_standard(&table->rows[i], at);
}

/* ---- endpoints ---- */

/* "[::1]" and "0:0:0:0:0:0:0:1" become "::1": equal addresses are equal texts, and libuv takes
 * them. */
static void plain_address(char *address)
{
    size_t len = strlen(address);
    struct in6_addr binary;
    char text[INET6_ADDRSTRLEN];

    if (address[0] == '[') {
        memmove(address, address + 1, len - 2);
        address[len - 2] = '\0';
    }
    /* The shortest form is never longer than the one that was written. */
    if (inet_pton(AF_INET6, address, &binary) == 1 &&
        inet_ntop(AF_INET6, &binary, text, sizeof text) != NULL &&
        strlen(text) <= strlen(address))
        memcpy(address, text, strlen(text) + 1);
}

static bool is_unix(const struct xs_config_endpoint *endpoint)
{
    return strncmp(endpoint->address, "unix:", 5) == 0;
}

static bool check_endpoint(struct job *job, struct section *section,
                           struct xs_config_endpoint *endpoint)
{
    const struct pair *idle = find_pair(section, "idle_timeout");
    const struct pair *port = find_pair(section, "port");
    const struct pair *beat = find_pair(section, "heartbeat");

    if (is_unix(endpoint)) {
        if (port != NULL)
            return fail_value(job, section, port, xs_sentence("a UNIX socket has no port"));
        endpoint->port = 0;
    }
    if (endpoint->idle_timeout == 0 || endpoint->heartbeat == 0 ||
        endpoint->idle_timeout > endpoint->heartbeat)
        return true;
    if (idle == NULL)
        idle = beat;
    return fail_value(job, section, idle,
                      xs_sentence("idle_timeout must be longer than heartbeat, or clients that "
                                  "answer every ping are dropped"));
}

static bool build_endpoint(struct job *job, struct section *section)
{
    struct xs_config *config = job->config;
    struct xs_config_endpoint *endpoint;
    const struct pair *protocols = find_pair(section, "protocols");
    const struct pair *transport = find_pair(section, "transport");

    config->endpoints =
        xs_realloc(config->endpoints, (config->endpoint_count + 1) * sizeof *config->endpoints);
    endpoint = &config->endpoints[config->endpoint_count++];
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->name = xs_strdup(section->name);
    endpoint->line = section->line;
    endpoint->protocols_line = protocols != NULL ? protocols->line : 0;
    endpoint->transport_line = transport != NULL ? transport->line : 0;
    set_standards(section->table, endpoint);
    if (!fill(job, section, endpoint))
        return false;
    plain_address(endpoint->address);
    return check_endpoint(job, section, endpoint);
}

/* Whether one address is, or takes in, the other. */
static bool covers(const char *wide, const char *narrow)
{
    bool six = strchr(narrow, ':') != NULL;

    if (strcmp(wide, narrow) == 0)
        return true;
    if (strncmp(narrow, "unix:", 5) == 0)
        return false;
    return strcmp(wide, "*") == 0 || (strcmp(wide, "0.0.0.0") == 0 && !six) ||
           (strcmp(wide, "::") == 0 && six);
}

static bool check_addresses(struct job *job)
{
    const struct xs_config *config = job->config;
    size_t i, j;

    for (i = 1; i < config->endpoint_count; i++) {
        const struct xs_config_endpoint *b = &config->endpoints[i];
        struct section *section = find_section(job, "endpoint", b->name);

        for (j = 0; j < i; j++) {
            const struct xs_config_endpoint *a = &config->endpoints[j];

            if (a->port != b->port ||
                (!covers(a->address, b->address) && !covers(b->address, a->address)))
                continue;
            if (is_unix(b))
                return fail_take(job, section, section->line,
                                 xs_sentence("%s is the address of [endpoint %s] already",
                                             b->address, a->name));
            return fail_take(job, section, section->line,
                             xs_sentence("%s port %u is taken by [endpoint %s] already",
                                         b->address, b->port, a->name));
        }
    }
    return true;
}

/* ---- all of it ---- */

static bool build_section(struct job *job, struct section *section)
{
    struct xs_config *config = job->config;
    struct xs_config_section *to;

    if (section->table->place == XS_PLACE_CONFIG)
        return fill(job, section, config);
    if (section->table->place == XS_PLACE_ENDPOINT)
        return build_endpoint(job, section);
    config->sections =
        xs_realloc(config->sections, (config->section_count + 1) * sizeof *config->sections);
    to = &config->sections[config->section_count++];
    memset(to, 0, sizeof *to);
    to->kind = xs_strdup(section->kind);
    to->name = xs_strdup(section->name);
    to->line = section->line;
    return fill(job, section, to);
}

/* The cores that this process may run on. */
static uint32_t cores(void)
{
    cpu_set_t set;
    int count;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > XS_WORKERS_MAX ? XS_WORKERS_MAX : (uint32_t)count;
}

static bool build(struct job *job)
{
    struct xs_config *config = job->config;
    size_t i;

    config->path = xs_strdup(job->path);
    config->log.with_time = true;
    config->log.fd = STDERR_FILENO;
    for (i = 0; i < XS_CONFIG_TABLES; i++)
        if (xs_config_tables[i].place == XS_PLACE_CONFIG)
            set_standards(&xs_config_tables[i], config);
    for (i = 0; i < job->count; i++)
        if (!build_section(job, &job->sections[i]))
            return false;
    if (config->endpoint_count == 0 &&
        !build_endpoint(job, add_section(job, xs_strdup("endpoint"), xs_strdup("default"), 0)))
        return false;
    if (config->workers == 0)
        config->workers = cores();
    if (config->module_path == NULL)
        config->module_path = xs_strdup(XS_MODULE_PATH);
    return check_addresses(job);
}

static void job_fini(struct job *job)
{
    size_t i, j;

    for (i = 0; i < job->count; i++) {
        struct section *section = &job->sections[i];

        for (j = 0; j < section->count; j++) {
            xs_free(section->pairs[j].key);
            xs_free(section->pairs[j].written);
        }
        xs_free(section->pairs);
        xs_free(section->kind);
        xs_free(section->name);
    }
    xs_free(job->sections);
    xs_free(job->folder);
}

struct xs_config *xs_config_read_text(const char *path, struct xs_slice text,
                                      const char *const *overrides, size_t override_count,
                                      char **error)
{
    struct job job = { .path = path };
    bool done;
    size_t i;

    *error = NULL;
    job.folder = xs_folder_of(path);
    job.config = xs_alloc(sizeof *job.config);
    done = collect(&job, text);
    for (i = 0; i < override_count && done; i++)
        done = override(&job, overrides[i]);
    done = done && build(&job);
    job_fini(&job);
    if (done)
        return job.config;
    *error = job.error;
    xs_config_free(job.config);
    return NULL;
}

/* The whole file, at most one byte more than allowed. NULL and errno. */
static char *read_file(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *text;
    ssize_t n = 1;

    if (fd < 0)
        return NULL;
    text = xs_alloc(FILE_BYTES + 1);
    *len = 0;
    while (n > 0 && *len < FILE_BYTES + 1) {
        n = read(fd, text + *len, FILE_BYTES + 1 - *len);
        if (n > 0)
            *len += (size_t)n;
    }
    if (n < 0) {
        int failed = errno;

        xs_free(text);
        text = NULL;
        errno = failed;
    }
    close(fd);
    return text;
}

struct xs_config *xs_config_read(const char *path, const char *const *overrides,
                                 size_t override_count, char **error, int *error_code)
{
    struct xs_config *config;
    size_t len;
    char *text = read_file(path, &len);

    if (text == NULL) {
        *error = xs_sentence("%s: the file cannot be read: %s", path, strerror(errno));
        *error_code = EXIT_NO_INPUT;
        return NULL;
    }
    config = xs_config_read_text(path, (struct xs_slice){ text, len }, overrides,
                                 override_count, error);
    *error_code = config != NULL ? 0 : EXIT_CONFIG;
    xs_free(text);
    return config;
}

/* ---- the end ---- */

static void free_rows(const struct xs_config_table *table, void *at)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        xs_row_free(&table->rows[i], at);
}

void xs_config_endpoint_free(struct xs_config_endpoint *endpoint)
{
    free_rows(xs_config_table("endpoint"), endpoint);
    xs_free(endpoint->name);
}

void xs_config_section_free(struct xs_config_section *section)
{
    size_t i;

    free_rows(xs_config_table("protocol"), section);
    for (i = 0; i < section->pair_count; i++) {
        xs_free(section->pairs[i].key);
        xs_free(section->pairs[i].value);
        xs_free(section->pairs[i].written);
    }
    xs_free(section->pairs);
    xs_free(section->kind);
    xs_free(section->name);
}

void xs_config_free(struct xs_config *config)
{
    size_t i;

    if (config == NULL)
        return;
    for (i = 0; i < config->endpoint_count; i++)
        xs_config_endpoint_free(&config->endpoints[i]);
    for (i = 0; i < config->section_count; i++)
        xs_config_section_free(&config->sections[i]);
    for (i = 0; i < XS_CONFIG_TABLES; i++)
        if (xs_config_tables[i].place == XS_PLACE_CONFIG)
            free_rows(&xs_config_tables[i], config);
    xs_free(config->endpoints);
    xs_free(config->sections);
    xs_free(config->path);
    xs_free(config);
}
