/* Aim: Chinese words appear wherever the environment asks for them, also where the system has no Chinese locale, and
 * nowhere else. The test copies itself beside a small catalogue and runs the copy under several environments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/locale.h"

#define PATH_SIZE 256

static char directory[PATH_SIZE / 4];

/* A catalogue by GNU's format, little-endian: an empty entry with the character set, and one text. */
static int write_catalogue(const char *path)
{
    static const char texts[] = "\0saved\0Content-Type: text/plain; charset=UTF-8\n\0已保存";
    const uint32_t head[7 + 8] = {0x950412de, 0, 2, 28, 44, 0, 60, 0, 60, 5, 61, 40, 67, 9, 108};
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return -1;
    fwrite(head, 1, sizeof head, file);
    fwrite(texts, 1, sizeof texts, file);
    return fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    char command[4 * PATH_SIZE], self[PATH_SIZE];
    snprintf(directory, sizeof directory, "/tmp/mq-locale-XXXXXX");
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (mkdtemp(directory) == NULL || size <= 0)
        return -1;
    self[size] = '\0';
    snprintf(command, sizeof command, "mkdir -p '%s/locale/zh_CN/LC_MESSAGES' && cp '%s' '%s/program'", directory, self,
             directory);
    if (system(command) != 0)
        return -1;
    snprintf(command, sizeof command, "%s/locale/zh_CN/LC_MESSAGES/minqing.mo", directory);
    return write_catalogue(command);
}

static int tear_down(void **state)
{
    (void)state;
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

/* What the copy says under exactly this environment. */
static void expect(const char *environment, const char *wanted)
{
    char command[2 * PATH_SIZE], said[100] = "";
    snprintf(command, sizeof command, "env -i %s '%s/program' say", environment, directory);
    FILE *program = popen(command, "r");
    assert_non_null(program);
    assert_non_null(fgets(said, sizeof said, program));
    pclose(program);
    said[strcspn(said, "\n")] = '\0';
    if (strcmp(said, wanted) != 0)
        fail_msg("%s: said \"%s\", not \"%s\"", environment, said, wanted);
}

/* Each variable that can ask for Chinese does, with any spelling of the country or none. */
static void chinese_where_asked(void **state)
{
    (void)state;
    expect("LANG=zh_CN.UTF-8", "已保存");
    expect("LANG=zh_CN", "已保存");
    expect("LANG=zh_SG.UTF-8", "已保存");
    expect("LC_MESSAGES=zh_CN.UTF-8", "已保存");
    expect("LANG=en_US.UTF-8 LC_ALL=zh_CN.UTF-8", "已保存");
    expect("LANGUAGE=zh_CN", "已保存");
    expect("LANGUAGE=zh_CN:en LANG=C.UTF-8", "已保存");
}

/* The rest speaks English: nothing set, another language, or Chinese overruled. */
static void english_elsewhere(void **state)
{
    (void)state;
    expect("", "saved");
    expect("LANG=en_US.UTF-8", "saved");
    expect("LANG=C LANGUAGE=zh_CN", "saved");
    expect("LANG=zh_CN.UTF-8 LC_ALL=C", "saved");
    expect("LANG=zh_CN.UTF-8 LANGUAGE=en", "saved");
    expect("LANG=zh_CN.UTF-8 LC_MESSAGES=en_US.UTF-8", "saved");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "say") == 0) {
        mq_locale_start();
        puts(gettext("saved"));
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chinese_where_asked),
        cmocka_unit_test(english_elsewhere),
    };
    return cmocka_run_group_tests_name("platform/locale", tests, set_up, tear_down);
}
