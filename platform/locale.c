/* Start of gettext. */
#include "platform/locale.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOMAIN "minqing"
#define PLAIN_LOCALE "C.UTF-8" /* there on every glibc since 2.35, on Debian and its kin long before */
#define CHINESE "zh_CN"        /* the one Chinese catalogue there is; others who write zh read it too */

static bool is_chinese(const char *name)
{
    return name != NULL && strncmp(name, "zh", 2) == 0;
}

/* The value that decides about messages, by POSIX's order; NULL: none is set. */
static const char *asked_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

/* An explicit "C" stays English, whatever LANGUAGE says; otherwise LANGUAGE goes first, as gettext has it. */
static bool chinese_asked(void)
{
    const char *asked = asked_locale(), *language = getenv("LANGUAGE");
    if (asked != NULL && (strcmp(asked, "C") == 0 || strcmp(asked, "POSIX") == 0))
        return false;
    if (language != NULL && language[0] != '\0')
        return is_chinese(language);
    return is_chinese(asked);
}

/* gettext does nothing in the locale "C", where a machine without the asked locale ends up. */
static void set_category(int category)
{
    const char *set = setlocale(category, "");
    if (set == NULL || (strcmp(set, "C") == 0 && chinese_asked()))
        (void)setlocale(category, PLAIN_LOCALE);
}

static bool is_directory(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* build/locale for build/minqing and for build/asan/minqing, or PREFIX/share/locale for PREFIX/bin/minqing. */
static void bind_catalogue(void)
{
    char program[PATH_MAX], found[PATH_MAX + 32];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0)
        return;
    program[size] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL)
        return;
    *slash = '\0';
    static const char *const places[] = {"locale", "../locale", "../share/locale"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(found, sizeof found, "%s/%s", program, places[i]);
        if (is_directory(found)) {
            bindtextdomain(DOMAIN, found);
            return;
        }
    }
}

void mq_locale_start(void)
{
    /* Not LC_NUMERIC: a decimal comma would get into files that other programs read. */
    set_category(LC_CTYPE);
    set_category(LC_MESSAGES);
    if (chinese_asked())
        setenv("LANGUAGE", CHINESE, 1);
    bind_catalogue();
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}
