/* config - a file and -D become one struct, or one sentence says what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/config.h"

static struct xs_config *try_with(const char *text, const char *override, char **error)
{
    return xs_config_read_text("etc/server.ini", xs_slice_of(text), &override,
                               override != NULL ? 1 : 0, error);
}

static struct xs_config *read_with(const char *text, const char *override)
{
    char *error = NULL;
    struct xs_config *config = try_with(text, override, &error);

    if (error != NULL)
        fail_msg("%s", error);
    assert_non_null(config);
    return config;
}

static struct xs_config *read_text(const char *text)
{
    return read_with(text, NULL);
}

static void refused_with(const char *text, const char *override, const char *sentence)
{
    char *error = NULL;

    assert_null(try_with(text, override, &error));
    assert_string_equal(error, sentence);
    xs_free(error);
}

/* `sentence` is what stands behind "etc/server.ini:". */
static void refused(const char *text, const char *sentence)
{
    char whole[600];

    snprintf(whole, sizeof whole, "etc/server.ini:%s", sentence);
    refused_with(text, NULL, whole);
}

/* ---- what is right ---- */

static void an_empty_file_is_all_defaults_and_one_endpoint(void **state)
{
    struct xs_config *config = read_text("");
    const struct xs_config_endpoint *endpoint = config->endpoints;
    static const char *const modules[] = { "tcp",  "http", "websocket", "xsocketsnet", "native",
                                           "demo", "text", "mcu",       "photon",      "json" };
    size_t i;

    (void)state;
    assert_string_equal(config->path, "etc/server.ini");
    assert_true(config->workers >= 1 && config->workers <= XS_WORKERS_MAX);
    assert_int_equal(config->node, 0);
    assert_int_equal(config->module_path[0], '/');
    for (i = 0; i < sizeof modules / sizeof modules[0]; i++)
        assert_string_equal(config->modules[i], modules[i]);
    assert_null(config->modules[i]);
    assert_int_equal(config->drain_timeout, 10000);
    assert_int_equal(config->max_queued_bytes, 256 << 20);
    assert_int_equal(config->queue_bytes, 1 << 20);
    assert_int_equal(config->queue_messages, 1000);
    assert_int_equal(config->mailbox_letters, 65536);
    assert_int_equal(config->mailbox_bytes, 64 << 20);
    assert_int_equal(config->slow_callback, 50);
    assert_int_equal(config->remember_away, 3600000);
    assert_false(config->test_hooks);
    assert_int_equal(config->limits.message, 1 << 20);
    assert_int_equal(config->limits.name, 255);
    assert_int_equal(config->limits.json_depth, 64);
    assert_int_equal(config->limits.head, 16384);
    assert_int_equal(config->limits.controllers, 128);
    assert_int_equal(config->limits.subscriptions, 1024);
    assert_int_equal(config->log.level, XS_LOG_INFO);
    assert_int_equal(config->log.format, XS_LOG_KEYVALUE);
    assert_true(config->log.with_time);
    assert_int_equal(config->log.fd, 2);
    assert_int_equal(config->section_count, 0);
    assert_int_equal(config->endpoint_count, 1);
    assert_string_equal(endpoint->name, "default");
    assert_string_equal(endpoint->address, "127.0.0.1");
    assert_int_equal(endpoint->port, 4502);
    assert_string_equal(endpoint->scope, "default");
    assert_string_equal(endpoint->transport, "tcp");
    assert_null(endpoint->protocols);
    assert_int_equal(endpoint->max_connections, 0);
    assert_int_equal(endpoint->backlog, 1024);
    assert_int_equal(endpoint->unix_mode, 0660);
    assert_true(endpoint->nodelay);
    assert_true(endpoint->keepalive);
    assert_int_equal(endpoint->handshake_timeout, 30000);
    assert_int_equal(endpoint->sniff_timeout, 10000);
    assert_int_equal(endpoint->sniff_quiet, 75);
    assert_int_equal(endpoint->idle_timeout, 75000);
    assert_int_equal(endpoint->idle_timeout_without_ping, 0);
    assert_int_equal(endpoint->slow_timeout, 10000);
    assert_int_equal(endpoint->heartbeat, 30000);
    xs_config_free(config);
}

static void every_section_is_read(void **state)
{
    struct xs_config *config = read_text("\xef\xbb\xbf# comment ; of any kind\r\n"
                                         "[server]\r\n"
                                         "workers = 3\r\n"
                                         "node=7\n"
                                         "; another\n"
                                         "  # and an indented one\n"
                                         "\n"
                                         "test_hooks : on\n"
                                         "[limits]\n"
                                         "message = 2MiB\n"
                                         "json_depth = 10\n"
                                         "[ log ]\n"
                                         "level = debug\n"
                                         "format = json\n"
                                         "[endpoint   public]\n"
                                         "address = *\n"
                                         "port = 80\n"
                                         "protocols = http, websocket text\n"
                                         "max_connections = 5000\n"
                                         "nodelay = false\n"
                                         "[endpoint local]\n"
                                         "address = unix:/run/x/sock\n"
                                         "unix_mode = 600\n"
                                         "scope = inner\n"
                                         "[controller chat]\n"
                                         "colour = \t blue = green \n"
                                         "[subprotocol foo]\n"
                                         "module = demo\n"
                                         "use = demo");
    const struct xs_config_endpoint *endpoints = config->endpoints;
    const struct xs_config_section *sections = config->sections;

    (void)state;
    assert_int_equal(config->workers, 3);
    assert_int_equal(config->node, 7);
    assert_true(config->test_hooks);
    assert_int_equal(config->limits.message, 2 << 20);
    assert_int_equal(config->limits.json_depth, 10);
    assert_int_equal(config->log.level, XS_LOG_DEBUG);
    assert_int_equal(config->log.format, XS_LOG_JSON);
    assert_int_equal(config->endpoint_count, 2);
    assert_string_equal(endpoints[0].name, "public");
    assert_int_equal(endpoints[0].line, 15);
    assert_int_equal(endpoints[0].protocols_line, 18);
    assert_int_equal(endpoints[0].transport_line, 0);
    assert_string_equal(endpoints[0].address, "*");
    assert_int_equal(endpoints[0].port, 80);
    assert_string_equal(endpoints[0].protocols[0], "http");
    assert_string_equal(endpoints[0].protocols[1], "websocket");
    assert_string_equal(endpoints[0].protocols[2], "text");
    assert_null(endpoints[0].protocols[3]);
    assert_int_equal(endpoints[0].max_connections, 5000);
    assert_false(endpoints[0].nodelay);
    assert_string_equal(endpoints[1].address, "unix:/run/x/sock");
    assert_int_equal(endpoints[1].port, 0);
    assert_int_equal(endpoints[1].unix_mode, 0600);
    assert_string_equal(endpoints[1].scope, "inner");
    assert_int_equal(config->section_count, 2);
    assert_string_equal(sections[0].kind, "controller");
    assert_string_equal(sections[0].name, "chat");
    assert_null(sections[0].module);
    assert_null(sections[0].use);
    assert_int_equal(sections[0].line, 25);
    assert_int_equal(sections[0].pair_count, 1);
    assert_string_equal(sections[0].pairs[0].key, "colour");
    assert_string_equal(sections[0].pairs[0].value, "blue = green");
    assert_int_equal(sections[0].pairs[0].line, 26);
    assert_string_equal(sections[1].kind, "subprotocol");
    assert_string_equal(sections[1].module, "demo");
    assert_string_equal(sections[1].use, "demo");
    assert_null(sections[1].subprotocol_alias);
    xs_config_free(config);
}

static void lists_go_on_in_indented_lines_and_in_further_ones(void **state)
{
    struct xs_config *config = read_text("[server]\n"
                                         "modules = tcp,\n"
                                         "    http websocket\n"
                                         "# between\n"
                                         "\tdemo\n"
                                         "modules = text\n"
                                         "[subprotocol xsocketsnet]\n"
                                         "subprotocol_alias = One\n"
                                         "  Two!\n");

    (void)state;
    assert_string_equal(config->modules[0], "tcp");
    assert_string_equal(config->modules[1], "http");
    assert_string_equal(config->modules[2], "websocket");
    assert_string_equal(config->modules[3], "demo");
    assert_string_equal(config->modules[4], "text");
    assert_null(config->modules[5]);
    assert_string_equal(config->sections[0].subprotocol_alias[0], "One");
    assert_string_equal(config->sections[0].subprotocol_alias[1], "Two!");
    assert_null(config->sections[0].subprotocol_alias[2]);
    xs_config_free(config);
}

static void an_empty_value_is_nothing_where_nothing_is_the_default(void **state)
{
    struct xs_config *config = read_text("[server]\nmodules =\nmodule_path =\n"
                                         "[controller a]\nmodule =\nuse =\ncolour =\n");

    (void)state;
    assert_null(config->modules[0]);
    assert_int_equal(config->module_path[0], '/');
    assert_null(config->sections[0].module);
    assert_null(config->sections[0].use);
    assert_string_equal(config->sections[0].pairs[0].value, "");
    xs_config_free(config);
}

static void addresses_have_one_form(void **state)
{
    struct xs_config *config = read_text("[endpoint a]\naddress = [::1]\n"
                                         "[endpoint b]\naddress = 2001:DB8:0:0:0:0:0:1\n"
                                         "[endpoint c]\naddress = fe80::1%eth0\n"
                                         "[endpoint d]\naddress = 0.0.0.0\n"
                                         "[endpoint e]\naddress = ::\nport=1\n");

    (void)state;
    assert_string_equal(config->endpoints[0].address, "::1");
    assert_string_equal(config->endpoints[1].address, "2001:db8::1");
    assert_string_equal(config->endpoints[2].address, "fe80::1%eth0");
    assert_string_equal(config->endpoints[3].address, "0.0.0.0");
    assert_string_equal(config->endpoints[4].address, "::");
    xs_config_free(config);
}

static void all_protocols_are_no_list(void **state)
{
    struct xs_config *config = read_text("[endpoint a]\nprotocols = all\n");

    (void)state;
    assert_null(config->endpoints[0].protocols);
    xs_config_free(config);
}

static void relative_paths_begin_at_the_folder_of_the_file_and_those_of_d_do_not(void **state)
{
    struct xs_config *config = read_with("[server]\nmodule_path = modules\n"
                                         "modules = text, ./mcu.so, /abs/x.so\n"
                                         "[controller chat]\nmodule = mine/chat.so\n"
                                         "[controller echo]\nmodule = echo\n",
                                         NULL);

    (void)state;
    assert_string_equal(config->module_path, "etc/modules");
    assert_string_equal(config->modules[0], "text");
    assert_string_equal(config->modules[1], "etc/./mcu.so");
    assert_string_equal(config->modules[2], "/abs/x.so");
    assert_string_equal(config->sections[0].module, "etc/mine/chat.so");
    assert_string_equal(config->sections[1].module, "echo");
    xs_config_free(config);
    config = read_with("", "server.module_path=build/modules");
    assert_string_equal(config->module_path, "build/modules");
    xs_config_free(config);
}

/* ---- -D ---- */

static void an_override_wins_over_the_file(void **state)
{
    struct xs_config *config =
        read_with("[endpoint public]\nport = 1\n", "endpoint public.port=4503");

    (void)state;
    assert_int_equal(config->endpoint_count, 1);
    assert_int_equal(config->endpoints[0].port, 4503);
    xs_config_free(config);
    config = read_with("[endpoint v1.2]\nprotocols = http, text\n",
                       "endpoint v1.2.protocols=native");
    assert_string_equal(config->endpoints[0].protocols[0], "native");
    assert_null(config->endpoints[0].protocols[1]);
    assert_int_equal(config->endpoints[0].protocols_line, 0);
    xs_config_free(config);
}

static void an_override_makes_the_section_it_needs(void **state)
{
    struct xs_config *config = read_with("", "controller chat.colour=a=b");

    (void)state;
    assert_string_equal(config->sections[0].kind, "controller");
    assert_string_equal(config->sections[0].name, "chat");
    assert_int_equal(config->sections[0].line, 0);
    assert_string_equal(config->sections[0].pairs[0].key, "colour");
    assert_string_equal(config->sections[0].pairs[0].value, "a=b");
    xs_config_free(config);
    config = read_with("", "endpoint a.port=99");
    assert_int_equal(config->endpoint_count, 1);
    assert_string_equal(config->endpoints[0].name, "a");
    xs_config_free(config);
}

static void the_last_override_of_a_key_counts(void **state)
{
    static const char *const overrides[] = { "server.modules=a", "server.modules=b c",
                                             "limits.name=20", "limits.name=21" };
    char *error;
    struct xs_config *config =
        xs_config_read_text("x.ini", (struct xs_slice){ NULL, 0 }, overrides, 4, &error);

    (void)state;
    assert_non_null(config);
    assert_string_equal(config->modules[0], "b");
    assert_string_equal(config->modules[1], "c");
    assert_int_equal(config->limits.name, 21);
    xs_config_free(config);
}

static void wrong_overrides_are_refused(void **state)
{
    (void)state;
    refused_with("", "nonsense",
                 "-D: \"nonsense\" is no setting, write as in \"endpoint public.port=4503\"");
    refused_with("", "port=1",
                 "-D: \"port=1\" is no setting, write as in \"endpoint public.port=4503\"");
    refused_with("", "server.=1",
                 "-D: \"server.=1\" is no setting, write as in \"endpoint public.port=4503\"");
    refused_with("", "endpoint public.prot=1",
                 "-D: [endpoint public] unknown key \"prot\" (did you mean \"port\"?)");
    refused_with("", "endpoint.port=1", "-D: the section has no name: write [endpoint NAME]");
    refused_with("", "servr.node=1", "-D: unknown section [servr] (did you mean [server]?)");
    refused_with("[endpoint public]\nport = 1\n", "endpoint public.port=0",
                 "-D: [endpoint public] port = 0: must be a number from 1 to 65535");
    refused_with("[endpoint a]\n", "endpoint b.nodelay=no",
                 "-D: [endpoint b] 127.0.0.1 port 4502 is taken by [endpoint a] already");
}

/* ---- secrets ---- */

static char *secret_file(const char *text)
{
    char *path = xs_strdup("/tmp/xs_config_test_XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void values_come_from_the_environment_and_from_files(void **state)
{
    char *path = secret_file("s3cret ; 100%\n"), text[512];
    struct xs_config *config;

    (void)state;
    setenv("XS_TEST_PORT", "77", 1);
    setenv("XS_TEST_EMPTY", "", 1);
    snprintf(text, sizeof text,
             "[endpoint a]\nport = ${XS_TEST_PORT}${XS_TEST_EMPTY}\n"
             "[controller c]\npassword = <${file:%s}>\nplain = $${HOME} $ {} $$\n",
             path);
    config = read_text(text);
    assert_int_equal(config->endpoints[0].port, 77);
    assert_string_equal(config->sections[0].pairs[0].value, "<s3cret ; 100%>");
    assert_string_equal(config->sections[0].pairs[1].value, "${HOME} $ {} $$");
    assert_string_equal(config->sections[0].pairs[1].written, "$${HOME} $ {} $$");
    xs_config_free(config);
    unlink(path);
    xs_free(path);
}

static void a_secret_that_is_not_there_is_told_and_one_that_is_never(void **state)
{
    char *path = secret_file("two\nlines\n"), text[256], sentence[512];

    (void)state;
    unsetenv("XS_TEST_NONE");
    setenv("XS_TEST_SECRET", "hush", 1);
    setenv("XS_TEST_LINES", "a\nb", 1);
    refused("[endpoint a]\nport = ${XS_TEST_SECRET}\n",
            "2: [endpoint a] port = ${XS_TEST_SECRET}: must be a number from 1 to 65535");
    refused("[controller a]\nx = ${XS_TEST_NONE}\n",
            "2: [controller a] x = ${XS_TEST_NONE}: there is no \"XS_TEST_NONE\" in the "
            "environment");
    refused(
        "[controller a]\nx = ${XS_TEST_LINES}\n",
        "2: [controller a] x = ${XS_TEST_LINES}: \"XS_TEST_LINES\" in the environment must be "
        "one line of text of at most 4096 bytes");
    refused("[controller a]\nx = ${XS_TEST_SECRET\n",
            "2: [controller a] x = ${XS_TEST_SECRET: \"${\" without \"}\"");
    refused(
        "[controller a]\nx = ${file:none/such}\n",
        "2: [controller a] x = ${file:none/such}: the file etc/none/such cannot be read: No "
        "such file or directory");
    refused(
        "[controller a]\nx = ${file:/tmp}\n",
        "2: [controller a] x = ${file:/tmp}: the file /tmp cannot be read: it is no regular "
        "file");
    snprintf(text, sizeof text, "[controller a]\nx = ${file:%s}\n", path);
    snprintf(
        sentence, sizeof sentence,
        "2: [controller a] x = ${file:%s}: the file %s must be one line of text of at most "
        "4096 bytes",
        path, path);
    refused(text, sentence);
    unlink(path);
    xs_free(path);
}

/* ---- lines that libinih would read otherwise ---- */

static void a_line_that_would_be_cut_is_refused(void **state)
{
    char text[400] = "[server]\nmodules = ";
    size_t head = strlen("[server]\n");

    (void)state;
    memset(text + head + 10, 'a', 188);
    text[head + 198] = '\0';
    refused(text, "2: this line has 198 bytes, at most 197 are read; a list may be given in "
                  "several lines");
    memset(text, '#', 390);
    xs_config_free(read_text(text)); /* a comment may be as long as it likes */
}

static void the_longest_line_is_read_whole(void **state)
{
    char text[400] = "[controller a]\nx = ";
    struct xs_config *config;
    size_t head = strlen("[controller a]\n");

    (void)state;
    memset(text + head + 4, 'a', 192);
    text[head + 196] = 'z';
    text[head + 197] = '\0';
    config = read_text(text);
    assert_int_equal(strlen(config->sections[0].pairs[0].value), 193);
    assert_int_equal(config->sections[0].pairs[0].value[192], 'z');
    xs_config_free(config);
}

static void a_long_section_or_key_is_refused(void **state)
{
    (void)state;
    refused("[endpoint aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n",
            "1: the section's name has 50 bytes, at most 49 are read");
    refused("[controller a]\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1\n",
            "2: the key has 50 bytes, at most 49 are read");
    xs_config_free(read_text("[endpoint aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n"));
}

static void a_comment_behind_a_value_is_refused(void **state)
{
    static const char sentence[] = "\" ;\" inside a line would cut it off; a comment takes a "
                                   "line of its own";
    char whole[256];

    (void)state;
    snprintf(whole, sizeof whole, "2: %s", sentence);
    refused("[controller a]\nx = a ;b\n", whole);
    refused("[controller a]\nx = a\t;b\n", whole);
    refused("[server] ; the server\n", strcat(strcpy(whole, "1: "), sentence));
    xs_config_free(read_text("[controller a]\nx = a;b\ny =;\n"));
}

static void indented_lines_are_only_for_lists(void **state)
{
    (void)state;
    refused("[endpoint a]\n  port = 1\n",
            "2: sections and keys begin at the start of a line; an indented line goes on with "
            "the list above it");
    refused("[server]\nmodules = a\n [limits]\n",
            "3: sections and keys begin at the start of a line; an indented line goes on with "
            "the list above it");
    refused("[endpoint a]\n  http\n",
            "2: this line is indented, but there is no list above it to go on with");
    refused(
        "[endpoint a]\nport = 1\n  2\n",
        "3: [endpoint a] this line is indented, but \"port\" above it is no list that could "
        "go on");
    refused("[controller a]\nx = 1\n  2\n",
            "3: [controller a] this line is indented, but \"x\" above it is no list that could "
            "go on");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    char *error = NULL;

    (void)state;
    refused("[controller a]\nx = \a\n", "2: byte 5 of this line is a control character (0x07)");
    refused("[controller a]\nx = a\rb\n",
            "2: byte 6 of this line is a control character (0x0d)");
    refused("[controller a]\nx = \xff\n", "2: this line is not valid UTF-8");
    assert_null(xs_config_read_text("x.ini", (struct xs_slice){ "[log]\nle\0vel = info", 19 },
                                    NULL, 0, &error));
    assert_string_equal(error, "x.ini:2: byte 3 of this line is a control character (0x00)");
    xs_free(error);
}

static void lines_without_meaning_are_refused(void **state)
{
    (void)state;
    refused("[server]\nhello\n", "2: expected \"key = value\", a [section] or a comment");
    refused("[server\n", "1: the section has no \"]\" at its end");
    refused("[server] x\n", "1: nothing may stand behind the \"]\" of a section");
    refused("[server]\n = 4\n",
            "2: sections and keys begin at the start of a line; an indented "
            "line goes on with the list above it");
    refused("[server]\n=4\n", "2: there is no key before the \"=\"");
    refused("port = 4\n", "1: \"port\" stands before any section");
}

/* ---- sections and keys ---- */

static void unknown_sections_are_refused(void **state)
{
    (void)state;
    refused("\n[endpont x]\n",
            "2: unknown section [endpont x] (did you mean [endpoint NAME]?)");
    refused("[Server]\n", "1: unknown section [Server] (did you mean [server]?)");
    refused(
        "[banana]\n",
        "1: unknown section [banana]; there are [server], [limits], [log], [endpoint NAME], "
        "[protocol NAME], [subprotocol NAME], [controller NAME] and [transport NAME]");
    refused("[]\n",
            "1: unknown section []; there are [server], [limits], [log], "
            "[endpoint NAME], [protocol NAME], [subprotocol NAME], [controller NAME] and "
            "[transport NAME]");
    refused("[server x]\n", "1: unknown section [server x]: [server] has no name");
    refused("[endpoint]\n", "1: the section has no name: write [endpoint NAME]");
    refused("[endpoint a b]\n", "1: the section's name \"a b\" is wrong, it must be a name of "
                                "letters, digits, \"-\", \"_\" and \".\", at most 64");
}

static void nothing_stands_twice(void **state)
{
    (void)state;
    refused("[endpoint a]\n[log]\n[endpoint a]\n",
            "3: the section [endpoint a] stands here again, it began in line 1");
    refused("[log]\n[log]\n", "2: the section [log] stands here again, it began in line 1");
    refused("[endpoint a]\nport = 1\n\nport = 1\n",
            "4: [endpoint a] \"port\" stands here again, it has a value from line 2");
    refused("[controller a]\nx = 1\nx = 2\n",
            "3: [controller a] \"x\" stands here again, it has a value from line 2");
    refused("[endpoint a]\nprotocols = http, text, http\n",
            "2: [endpoint a] protocols = http, text, http: \"http\" stands in it twice");
}

static void unknown_keys_are_refused(void **state)
{
    (void)state;
    refused("[endpoint public]\nprot = 1\n",
            "2: [endpoint public] unknown key \"prot\" (did you mean \"port\"?)");
    refused("[limits]\nsubscription = 1\n",
            "2: [limits] unknown key \"subscription\" (did you mean \"subscriptions\"?)");
    refused("[server]\nbanana = 1\n", "2: [server] unknown key \"banana\"");
    refused("[controller a]\na b = 1\n", "2: [controller a] unknown key \"a b\"");
}

/* ---- values ---- */

static void wrong_values_are_refused_with_what_would_be_right(void **state)
{
    static const struct {
        const char *section, *line, *why;
    } cases[] = {
        { "endpoint a", "port = 70000", "must be a number from 1 to 65535" },
        { "endpoint a", "port = 0", "must be a number from 1 to 65535" },
        { "endpoint a", "port = -1", "must be a number from 1 to 65535" },
        { "endpoint a", "port = 4502x", "must be a number from 1 to 65535" },
        { "endpoint a", "port = 99999999999999999999999", "must be a number from 1 to 65535" },
        { "server", "workers = many", "must be auto or a number from 1 to 64" },
        { "server", "workers = 0", "must be auto or a number from 1 to 64" },
        { "server", "workers = 65", "must be auto or a number from 1 to 64" },
        { "server", "drain_timeout = 10",
          "the unit is missing: write ms, s, m, h or d behind the number, as in 10s" },
        { "server", "drain_timeout = 10sec", "must be a time from 0 to 1h, as in 10s" },
        { "server", "drain_timeout = 2h", "must be a time from 0 to 1h, as in 10s" },
        { "server", "drain_timeout = soon", "must be a time from 0 to 1h, as in 10s" },
        { "limits", "message = 1024",
          "the unit is missing: write B, KiB, MiB, GiB or TiB behind the number, as in 64KiB" },
        { "limits", "message = 1KB", "must be a size from 16B to 1GiB, as in 64KiB" },
        { "limits", "message = 1B", "must be a size from 16B to 1GiB, as in 64KiB" },
        { "limits", "message = 18446744073709551615TiB",
          "must be a size from 16B to 1GiB, as in 64KiB" },
        { "endpoint a", "nodelay = maybe", "must be yes or no" },
        { "endpoint a", "unix_mode = 999", "must be permission bits from 0000 to 0777" },
        { "endpoint a", "unix_mode = 1777", "must be permission bits from 0000 to 0777" },
        { "log", "level = loud", "must be error, warning, info or debug" },
        { "log", "format = xml", "must be keyvalue or json" },
        { "endpoint a", "scope = a b",
          "must be a name of letters, digits, \"-\", \"_\" and \".\", at most 64" },
        { "endpoint a", "address = localhost",
          "must be an IPv4 or IPv6 address, * for all of both, or unix:/path" },
        { "endpoint a", "address = unix:sock",
          "must be an IPv4 or IPv6 address, * for all of both, or unix:/path" },
        { "endpoint a", "address = [127.0.0.1]",
          "must be an IPv4 or IPv6 address, * for all of both, or unix:/path" },
        { "endpoint a", "address = 127.0.0.1:80",
          "must be an IPv4 or IPv6 address, * for all of both, or unix:/path" },
        { "endpoint a", "protocols = http, al|",
          "\"al|\" is wrong, it must be a list of names, or all" },
        { "endpoint a", "protocols = http, all", "\"all\" stands alone" },
        { "endpoint a", "protocols = all, http", "\"all\" stands alone" },
        { "server", "modules = te(t",
          "\"te(t\" is wrong, it must be a list of names, or of paths with a \"/\"" },
        { "controller a", "module = te(t", "must be a name, or a path with a \"/\"" },
        { "subprotocol a", "subprotocol_alias = a@b",
          "\"a@b\" is wrong, it must be a list of names as in Sec-WebSocket-Protocol" },
    };
    char text[256], sentence[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "[%s]\n%s\n", cases[i].section, cases[i].line);
        snprintf(sentence, sizeof sentence, "2: [%s] %s: %s", cases[i].section, cases[i].line,
                 cases[i].why);
        refused(text, sentence);
    }
}

static void empty_values_are_refused_where_there_must_be_one(void **state)
{
    (void)state;
    refused("[endpoint a]\nport =\n",
            "2: [endpoint a] port is empty: must be a number from 1 to 65535");
    refused("[endpoint a]\nscope =\n",
            "2: [endpoint a] scope is empty: must be a name of letters, digits, \"-\", \"_\" "
            "and \".\", at most 64");
    refused("[endpoint a]\nprotocols =\n",
            "2: [endpoint a] protocols is empty: must be a list of names, or all");
    refused("[server]\nslow_callback =\n",
            "2: [server] slow_callback is empty: must be a time from 1ms to 1h, as in 10s");
}

static void all_units_are_known(void **state)
{
    static const struct {
        const char *written;
        uint64_t ms;
    } times[] = { { "7ms", 7 },        { "7s", 7000 }, { "7m", 420000 }, { "7h", 25200000 },
                  { "7d", 604800000 }, { "0", 0 },     { "0s", 0 },      { "007s", 7000 } };
    static const struct {
        const char *written;
        uint64_t bytes;
    } sizes[] = { { "1048577B", 1048577 },
                  { "1025KiB", 1025 << 10 },
                  { "3MiB", 3 << 20 },
                  { "5GiB", (uint64_t)5 << 30 },
                  { "1TiB", (uint64_t)1 << 40 } };
    static const char *const bools[] = { "yes", "on", "true", "no", "off", "false" };
    char text[128];
    struct xs_config *config;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof times / sizeof times[0]; i++) {
        snprintf(text, sizeof text, "server.remember_away=%s", times[i].written);
        config = read_with("", text);
        assert_int_equal(config->remember_away, times[i].ms);
        xs_config_free(config);
    }
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(text, sizeof text, "server.max_queued_bytes=%s", sizes[i].written);
        config = read_with("", text);
        assert_int_equal(config->max_queued_bytes, sizes[i].bytes);
        xs_config_free(config);
    }
    for (i = 0; i < sizeof bools / sizeof bools[0]; i++) {
        snprintf(text, sizeof text, "server.test_hooks=%s", bools[i]);
        config = read_with("", text);
        assert_int_equal(config->test_hooks, i < 3);
        xs_config_free(config);
    }
}

/* ---- what must fit together ---- */

static void no_two_endpoints_listen_in_the_same_place(void **state)
{
    (void)state;
    refused("[endpoint a]\n[endpoint b]\n",
            "2: [endpoint b] 127.0.0.1 port 4502 is taken by [endpoint a] already");
    refused("[endpoint a]\naddress = ::1\n[endpoint b]\naddress = [0:0::1]\n",
            "3: [endpoint b] ::1 port 4502 is taken by [endpoint a] already");
    refused("[endpoint a]\naddress = *\n[endpoint b]\naddress = ::1\n",
            "3: [endpoint b] ::1 port 4502 is taken by [endpoint a] already");
    refused("[endpoint a]\n[endpoint b]\naddress = 0.0.0.0\n",
            "2: [endpoint b] 0.0.0.0 port 4502 is taken by [endpoint a] already");
    refused("[endpoint a]\naddress = unix:/a\n[endpoint b]\naddress = unix:/a\n",
            "3: [endpoint b] unix:/a is the address of [endpoint a] already");
    xs_config_free(read_text("[endpoint a]\naddress = *\n[endpoint b]\nport = 1\n"
                             "[endpoint c]\naddress = unix:/a\n"
                             "[endpoint d]\naddress = unix:/b\n"));
}

static void a_unix_socket_has_no_port(void **state)
{
    (void)state;
    refused("[endpoint a]\nport = 80\naddress = unix:/a\n",
            "2: [endpoint a] port = 80: a UNIX socket has no port");
}

static void idle_clients_must_be_asked_before_they_are_dropped(void **state)
{
    static const char sentence[] =
        "idle_timeout must be longer than heartbeat, or clients that "
        "answer every ping are dropped";
    char whole[256];

    (void)state;
    snprintf(whole, sizeof whole, "2: [endpoint a] idle_timeout = 30s: %s", sentence);
    refused("[endpoint a]\nidle_timeout = 30s\n", whole);
    snprintf(whole, sizeof whole, "2: [endpoint a] heartbeat = 2m: %s", sentence);
    refused("[endpoint a]\nheartbeat = 2m\n", whole);
    xs_config_free(read_text("[endpoint a]\nidle_timeout = 0\nheartbeat = 1h\n"));
    xs_config_free(read_text("[endpoint a]\nidle_timeout = 1s\nheartbeat = 0\n"));
}

/* ---- bounds ---- */

static void a_file_has_bounds(void **state)
{
    size_t size = (1 << 20) + 1, at = 0, i;
    char *text = xs_alloc(size + 1), *error = NULL;

    (void)state;
    memset(text, '#', size);
    assert_null(xs_config_read_text("x.ini", (struct xs_slice){ text, size }, NULL, 0, &error));
    assert_string_equal(error, "x.ini: the file is larger than 1MiB");
    xs_free(error);
    for (i = 0; i <= 1000; i++)
        at += (size_t)sprintf(text + at, "[controller c%zu]\n", i);
    refused(text, "1001: there are more than 1000 sections");
    at = (size_t)sprintf(text, "[controller c]\n");
    for (i = 0; i <= 1000; i++)
        at += (size_t)sprintf(text + at, "k%zu = v\n", i);
    refused(text, "1002: [controller c] there are more than 1000 keys");
    at = (size_t)sprintf(text, "[server]\nmodules =");
    for (i = 0; i <= 256; i++)
        at += (size_t)sprintf(text + at, " m%zu%s", i, i % 8 == 7 ? "\nmodules =" : "");
    assert_null(xs_config_read_text("x.ini", xs_slice_of(text), NULL, 0, &error));
    assert_non_null(strstr(error, ": it has more than 256 elements"));
    xs_free(error);
    at = (size_t)sprintf(text, "[server]\nmodules = a\n");
    for (i = 0; i < 200; i++)
        at += (size_t)sprintf(text + at, " %0100d\n", 0);
    assert_null(xs_config_read_text("x.ini", xs_slice_of(text), NULL, 0, &error));
    assert_string_equal(error,
                        "x.ini:163: [server] the list \"modules\" is longer than 16384 bytes");
    xs_free(error);
    xs_free(text);
}

static void a_file_that_cannot_be_read_is_another_failure(void **state)
{
    char *error = NULL, *path;
    struct xs_config *config;
    int code = 0;

    (void)state;
    assert_null(xs_config_read("/none/such.ini", NULL, 0, &error, &code));
    assert_int_equal(code, 66);
    assert_string_equal(error,
                        "/none/such.ini: the file cannot be read: No such file or directory");
    xs_free(error);
    path = secret_file("[limits]\nnme = 4\n");
    assert_null(xs_config_read(path, NULL, 0, &error, &code));
    assert_int_equal(code, 78);
    assert_non_null(strstr(error, ":2: [limits] unknown key \"nme\" (did you mean \"name\"?)"));
    xs_free(error);
    unlink(path);
    xs_free(path);
    path = secret_file("[limits]\nname = 77\n");
    config = xs_config_read(path, NULL, 0, &error, &code);
    assert_non_null(config);
    assert_int_equal(code, 0);
    assert_int_equal(config->limits.name, 77);
    xs_config_free(config);
    unlink(path);
    xs_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_all_defaults_and_one_endpoint),
        cmocka_unit_test(every_section_is_read),
        cmocka_unit_test(lists_go_on_in_indented_lines_and_in_further_ones),
        cmocka_unit_test(an_empty_value_is_nothing_where_nothing_is_the_default),
        cmocka_unit_test(addresses_have_one_form),
        cmocka_unit_test(all_protocols_are_no_list),
        cmocka_unit_test(relative_paths_begin_at_the_folder_of_the_file_and_those_of_d_do_not),
        cmocka_unit_test(an_override_wins_over_the_file),
        cmocka_unit_test(an_override_makes_the_section_it_needs),
        cmocka_unit_test(the_last_override_of_a_key_counts),
        cmocka_unit_test(wrong_overrides_are_refused),
        cmocka_unit_test(values_come_from_the_environment_and_from_files),
        cmocka_unit_test(a_secret_that_is_not_there_is_told_and_one_that_is_never),
        cmocka_unit_test(a_line_that_would_be_cut_is_refused),
        cmocka_unit_test(the_longest_line_is_read_whole),
        cmocka_unit_test(a_long_section_or_key_is_refused),
        cmocka_unit_test(a_comment_behind_a_value_is_refused),
        cmocka_unit_test(indented_lines_are_only_for_lists),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(lines_without_meaning_are_refused),
        cmocka_unit_test(unknown_sections_are_refused),
        cmocka_unit_test(nothing_stands_twice),
        cmocka_unit_test(unknown_keys_are_refused),
        cmocka_unit_test(wrong_values_are_refused_with_what_would_be_right),
        cmocka_unit_test(empty_values_are_refused_where_there_must_be_one),
        cmocka_unit_test(all_units_are_known),
        cmocka_unit_test(no_two_endpoints_listen_in_the_same_place),
        cmocka_unit_test(a_unix_socket_has_no_port),
        cmocka_unit_test(idle_clients_must_be_asked_before_they_are_dropped),
        cmocka_unit_test(a_file_has_bounds),
        cmocka_unit_test(a_file_that_cannot_be_read_is_another_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
