/* fuzz_ini - any bytes as server.ini. Whatever is accepted must keep what the table promises,
 * and come out of a reload with itself unchanged. rooms: base config */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "config/config.h"
#include "config/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rows(const char *kind, const void *at)
{
    const struct xs_config_table *table = xs_config_table(kind);
    size_t i;

    for (i = 0; i < table->count; i++) {
        const struct xs_config_row *row = &table->rows[i];
        uint64_t number;

        if (!xs_kind_is_number(row->kind) || row->range.max == 0)
            continue;
        number = (uint64_t)xs_row_number(row, at);
        XS_ASSERT(number <= row->range.max);
        XS_ASSERT(number >= row->range.min || strcmp(row->key, "port") == 0);
    }
}

static void check(const struct xs_config *config)
{
    size_t i;

    check_rows("server", config);
    check_rows("limits", config);
    XS_ASSERT(config->endpoint_count > 0);
    for (i = 0; i < config->endpoint_count; i++) {
        check_rows("endpoint", &config->endpoints[i]);
        XS_ASSERT(config->endpoints[i].address[0] != '\0');
        XS_ASSERT((config->endpoints[i].port == 0) ==
                  (strncmp(config->endpoints[i].address, "unix:", 5) == 0));
    }
}

static void count_kept(void *context, const char *what)
{
    size_t *kept = context;

    (void)what;
    ++*kept;
}

/* The first line may be "-D text": an override. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xs_slice text = { (const char *)data, size };
    char *override = NULL, *error = NULL;
    const char *const *overrides = (const char *const *)(void *)&override;
    size_t count = 0, kept = 0;
    struct xs_config *config;

    if (size > 3 && memcmp(data, "-D ", 3) == 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = (end != NULL ? (size_t)(end - text.at) : text.len) - 3;

        override = xs_alloc(len + 1);
        memcpy(override, text.at + 3, len);
        text.at += 3 + len;
        text.len -= 3 + len;
        count = 1;
    }
    config = xs_config_read_text("fuzz.ini", text, overrides, count, &error);
    XS_ASSERT((config == NULL) == (error != NULL));
    if (config != NULL) {
        struct xs_config *again =
            xs_config_read_text("fuzz.ini", text, overrides, count, &error);

        XS_ASSERT(again != NULL);
        check(config);
        xs_config_keep_fixed(config, again, count_kept, &kept);
        XS_ASSERT(kept == 0); /* a file does not differ from itself */
        check(again);
        xs_config_free(again);
    }
    xs_config_free(config);
    xs_free(error);
    xs_free(override);
    return 0;
}
