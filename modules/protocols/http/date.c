/* date - times as HTTP writes them. The names are English whatever the locale. */
#include <stdio.h>
#include <time.h>

#include "http.h"

static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void xs_http_date(int64_t seconds, char to[XS_HTTP_DATE])
{
    time_t when = (time_t)seconds;
    struct tm parts;

    /* A file may have any time at all; HTTP has four digits for the year. */
    if (gmtime_r(&when, &parts) == NULL || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900)
        memset(&parts, 0, sizeof parts);
    (void)snprintf(to, XS_HTTP_DATE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
                   days[parts.tm_wday % 7], (unsigned)parts.tm_mday % 100U,
                   months + 3 * (parts.tm_mon % 12), (unsigned)(parts.tm_year + 1900) % 10000U,
                   (unsigned)parts.tm_hour % 100U, (unsigned)parts.tm_min % 100U,
                   (unsigned)parts.tm_sec % 100U);
}

/* ---- reading ---- */

static bool skip(struct xs_slice *rest, const char *text)
{
    size_t len = strlen(text);

    if (rest->len < len || memcmp(rest->at, text, len) != 0)
        return false;
    rest->at += len;
    rest->len -= len;
    return true;
}

static bool number(struct xs_slice *rest, size_t digits, int *value)
{
    *value = 0;
    if (rest->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = rest->at[i];

        /* asctime has a blank in front of a day below 10. */
        if (c == ' ' && i == 0 && digits == 2)
            continue;
        if (c < '0' || c > '9')
            return false;
        *value = 10 * *value + (c - '0');
    }
    rest->at += digits;
    rest->len -= digits;
    return true;
}

static bool month(struct xs_slice *rest, int *value)
{
    for (*value = 0; *value < 12; ++*value) {
        if (rest->len < 3 || memcmp(rest->at, months + 3 * *value, 3) != 0)
            continue;
        rest->at += 3;
        rest->len -= 3;
        return true;
    }
    return false;
}

static bool clock_of(struct xs_slice *rest, struct tm *parts)
{
    return number(rest, 2, &parts->tm_hour) && skip(rest, ":") &&
           number(rest, 2, &parts->tm_min) && skip(rest, ":") &&
           number(rest, 2, &parts->tm_sec) && parts->tm_hour < 24 && parts->tm_min < 60 &&
           parts->tm_sec <= 60;
}

/* ", 06 Nov 1994 08:49:37 GMT" */
static bool read_fixed(struct xs_slice rest, struct tm *parts)
{
    int year;

    if (!skip(&rest, ", ") || !number(&rest, 2, &parts->tm_mday) || !skip(&rest, " ") ||
        !month(&rest, &parts->tm_mon) || !skip(&rest, " ") || !number(&rest, 4, &year) ||
        !skip(&rest, " ") || !clock_of(&rest, parts) || !skip(&rest, " GMT"))
        return false;
    parts->tm_year = year - 1900;
    return rest.len == 0;
}

/* ", 06-Nov-94 08:49:37 GMT"; a year more than 50 years ahead is one of the last century. */
static bool read_old(struct xs_slice rest, int64_t now, struct tm *parts)
{
    time_t when = (time_t)now;
    struct tm today;
    int year;

    if (!skip(&rest, ", ") || !number(&rest, 2, &parts->tm_mday) || !skip(&rest, "-") ||
        !month(&rest, &parts->tm_mon) || !skip(&rest, "-") || !number(&rest, 2, &year) ||
        !skip(&rest, " ") || !clock_of(&rest, parts) || !skip(&rest, " GMT") ||
        gmtime_r(&when, &today) == NULL)
        return false;
    parts->tm_year = today.tm_year / 100 * 100 + year;
    if (parts->tm_year > today.tm_year + 50)
        parts->tm_year -= 100;
    return rest.len == 0;
}

/* " Nov  6 08:49:37 1994" */
static bool read_asctime(struct xs_slice rest, struct tm *parts)
{
    int year;

    if (!skip(&rest, " ") || !month(&rest, &parts->tm_mon) || !skip(&rest, " ") ||
        !number(&rest, 2, &parts->tm_mday) || !skip(&rest, " ") || !clock_of(&rest, parts) ||
        !skip(&rest, " ") || !number(&rest, 4, &year))
        return false;
    parts->tm_year = year - 1900;
    return rest.len == 0;
}

bool xs_http_date_read(struct xs_slice text, int64_t now, int64_t *seconds)
{
    struct tm parts;
    bool good = false;

    for (size_t i = 0; i < 7 && !good; i++) {
        struct xs_slice rest = text;
        char brief[4];

        memset(&parts, 0, sizeof parts);
        if (skip(&rest, days[i])) {
            good = read_old(rest, now, &parts);
            continue;
        }
        (void)snprintf(brief, sizeof brief, "%.3s", days[i]);
        if (skip(&rest, brief))
            good = read_fixed(rest, &parts) || read_asctime(rest, &parts);
    }
    if (!good || parts.tm_mday < 1 || parts.tm_mday > 31)
        return false;
    *seconds = (int64_t)timegm(&parts);
    return true;
}
