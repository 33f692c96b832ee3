/* minqing: the field device's commands, as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>

#include "client/cli/program.h"
#include "platform/locale.h"
#include "platform/manual.h"
#include "platform/secret_key.h"

#define VERSION "0.1.0"

static const struct mq_option common[] = {
    {"json", NULL, N_("results as JSON, one object a line")},
    {"home", "DIR", N_("the device's home (else MINQING_HOME)")},
    {"passphrase-file", "FILE", N_("first line is the passphrase (else MINQING_PASSPHRASE_FILE, else asked)")},
    {"version", NULL, N_("says which version this is")},
    {"manual", NULL, N_("this program's manual page, as the program `man` reads it")},
    {NULL, NULL, NULL},
};

static const struct mq_command commands[] = {
    {"join", "INVITATION", N_("make this device a member of a team"), 1, 1, false,
     {{"name", "NAME", N_("how the centre will see this device")},
      {"kdf-memory", "MIB", N_("memory for guarding the passphrase, 8 at least; else chosen")},
      {"request-out", "FILE", N_("without a network: write the request to a file")},
      {"grant-in", "FILE", N_("without a network: read the centre's answer from a file")},
      {"recovery", NULL, N_("the county's desk can open this device if the passphrase is forgotten")}}, command_join},
    {"add", "KIND [--FIELD VALUE ...] | --json -", N_("save one record"), 1, 2, true, {{NULL, NULL, NULL}}, command_add},
    {"set", "ID FIELD=VALUE ...", N_("change a record; sets: FIELD+=VALUE, FIELD-=VALUE"), 2, MQ_ARGUMENTS_MAX,
     false, {{"reason", "TEXT", N_("why; it stays with the record")}}, command_set},
    {"today", "", N_("what to do and what to tell whom"), 0, 0, false, {{NULL, NULL, NULL}}, command_today},
    {"brief", "HOUSEHOLD", N_("before knocking: the last visit, what is open, what was promised"), 1, 1, false,
     {{NULL, NULL, NULL}}, command_brief},
    {"tell", "NEED --reaction REACTION [--FIELD VALUE ...]", N_("say that the villager was told, and how he took it"), 1,
     1, true, {{NULL, NULL, NULL}}, command_tell},
    {"step", "NEED STEP [--FIELD VALUE ...]", N_("move a need along: settle, supplement, withdraw"), 2, 2, true,
     {{NULL, NULL, NULL}}, command_step},
    {"split", "HOUSEHOLD --head NAME [--FIELD VALUE ...] [--moves ID ...]",
     N_("make a new household out of a part of one; needs and persons move with it"), 1, 1, true,
     {{"left-people", "N", N_("people who stay in the old household")},
      {"left-residents", "N", N_("of them, who live there")},
      {"mark", NULL, N_("the old household's state says that it parted")}}, command_split},
    {"list", "KIND", N_("list records: household, plan, visit, need, step, told, suggestion, all"), 1, 1, false,
     {{"search", "TEXT",
       N_("only what these words find: a part of a name, pinyin, initials, digits of a phone, words said")},
      {"state", "STATE", N_("only those in this state")},
      {"place", "PLACE", N_("only what is in this village or town: code, name or earlier name")},
      {"place-as-of", "DATE", N_("by what belonged where on that day")},
      {"limit", "N", N_("at most N")}}, command_list},
    {"reference", "[LIST]", N_("the codes that are offered today, and what they are called"), 0, 1, false,
     {{"all", NULL, N_("with those that are not offered today")}}, command_reference},
    {"show", "ID", N_("show one record"), 1, 1, false,
     {{"history", NULL, N_("with every change: what, when, by which device")}}, command_show},
    {"import", "FILE|-", N_("read records, one JSON object a line, or a ledger"), 1, 1, false,
     {{"update", NULL, N_("what is known with other values is edited, not refused")},
      {"csv", NULL, N_("the file is a ledger: CSV with a line of headings")},
      {"kind", "KIND", N_("what a row of the ledger is (household)")},
      {"map", "FILE", N_("which column is which field: HEADING = KEY, HEADING = -, KEY := VALUE")},
      {"dry-run", NULL, N_("say what would become of each line, and write nothing")},
      {"report", NULL, N_("say after each group of lines that it is on disk")}}, command_import},
    {"draw", "--count N", N_("draw households by lot, those unheard for long more often"), 0, 0, false,
     {{"count", "N", N_("how many; 1 if not given")},
      {"place", "PLACE", N_("only of this place, by code or name")},
      {"group", "GROUP", N_("only of this group")},
      {"type", "TYPE", N_("only households of this type")},
      {"months", "N", N_("leave out who was heard within so many months")},
      {"seed", "N", N_("the same seed draws the same households again")},
      {"plan", "ID", N_("put them into this plan")}}, command_draw},
    {"unheard", "", N_("households by how long nobody of them was heard, longest first"), 0, 0, false,
     {{"place", "PLACE", N_("only of this place, by code or name")},
      {"group", "GROUP", N_("only of this group")},
      {"type", "TYPE", N_("only households of this type")},
      {"months", "N", N_("leave out who was heard within so many months")}}, command_unheard},
    {"export", "", N_("write all records, one JSON object a line"), 0, 0, false,
     {{"kind", "KIND", N_("only this kind")}}, command_export},
    {"sync", "", N_("send what waits here, fetch what waits at the centre"), 0, 0, false,
     {{"timeout", "SECONDS", N_("give up after this long (20)")},
      {"locked", NULL, N_("without the passphrase: only send what is sealed already")}}, command_sync},
    {"status", "", N_("how many records are saved, stored, anchored; when the centre last confirmed"), 0, 0, false,
     {{NULL, NULL, NULL}}, command_status},
    {"bundle write", "FILE", N_("put what waits here into a file to carry"), 1, 1, false, {{NULL, NULL, NULL}},
     command_bundle_write},
    {"bundle read", "FILE", N_("take in a carried file"), 1, 1, false, {{NULL, NULL, NULL}}, command_bundle_read},
    {"conflicts", "", N_("values that wait for a person's decision"), 0, 0, false, {{NULL, NULL, NULL}},
     command_conflicts},
    {"resolve", "ID FIELD", N_("decide a conflict"), 2, 2, false,
     {{"keep", "N", N_("which value stands, counted from 1")},
      {"reason", "TEXT", N_("why; it stays with the record")}}, command_resolve},
    {"check", "", N_("verify everything stored here"), 0, 0, false,
     {{"rebuild", NULL, N_("make the view anew where it differs")}}, command_check},
    {"lock", "", N_("seal what waits and shut"), 0, 0, false, {{NULL, NULL, NULL}}, command_lock},
    {"unlock", "", N_("try the passphrase"), 0, 0, false, {{NULL, NULL, NULL}}, command_unlock},
    {"passphrase", "", N_("change the passphrase"), 0, 0, false,
     {{"new-passphrase-file", "FILE", N_("first line is the new passphrase; else asked")},
      {"kdf-memory", "MIB", N_("memory for guarding the passphrase, 8 at least; else chosen")}}, command_passphrase},
    {"recover", "", N_("the passphrase is forgotten: opens this device again through the county's desk, where that is on"), 0, 0,
     false,
     {{"request-out", "FILE", N_("write the request to a file, and show a code to read out over the phone")},
      {"grant-in", "FILE", N_("read the desk's answer from a file, and choose a new passphrase")},
      {"on", NULL, N_("allow it from now on")},
      {"off", NULL, N_("do not allow it any more")},
      {"new-passphrase-file", "FILE", N_("first line is the new passphrase; else asked")},
      {"kdf-memory", "MIB", N_("memory for guarding the passphrase, 8 at least; else chosen")}}, command_recover},
    {"device", "", N_("this device: number, team, streams"), 0, 0, false, {{NULL, NULL, NULL}}, command_device},
};

static const struct mq_manual_entry environment[] = {
    {"MINQING_HOME", N_("the device's home; else minqing in the XDG data directory")},
    {"MINQING_PASSPHRASE_FILE", N_("a file whose first line is the passphrase")},
    {"LANGUAGE, LC_ALL, LANG", N_("the language of the words: Chinese or English")},
};
static const struct mq_manual_part manual_parts[] = {
    {N_("ENVIRONMENT"), environment, sizeof environment / sizeof *environment},
};
static const struct mq_manual manual = {
    .program = "minqing",
    .summary = N_("a diary of visits and people's needs, for places without a network"),
    .about = N_("minqing keeps what people told a cadre safe and encrypted on his device. Records are saved with or without "
                "a network; `sync` sends them to the centre and brings the answers back."),
    .parts = manual_parts,
    .part_count = sizeof manual_parts / sizeof *manual_parts,
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

#define HOME_MAX (MQ_PATH_MAX - 64) /* with room for the names of the files inside */

static enum mq_status find_home(struct program *program, const char *option)
{
    const char *home = option != NULL ? option : getenv("MINQING_HOME");
    const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
    int length;
    if (home != NULL && home[0] != '\0')
        length = snprintf(program->home, sizeof program->home, "%s", home);
    else if (data != NULL && data[0] == '/')
        length = snprintf(program->home, sizeof program->home, "%s/minqing", data);
    else
        length = snprintf(program->home, sizeof program->home, "%s/.local/share/minqing", user != NULL ? user : ".");
    program->device.home = program->home;
    if (length < 0 || length > HOME_MAX)
        return mq_fail(&program->error, MQ_REFUSED, _("the path of the home is longer than %d bytes"), HOME_MAX);
    return MQ_OK;
}

/* The network program stands beside this one. */
static void find_courier(struct program *program)
{
    static const char name[] = "minqing-courier";
    ssize_t size = readlink("/proc/self/exe", program->courier, sizeof program->courier - sizeof name);
    char *slash = size > 0 ? memrchr(program->courier, '/', (size_t)size) : NULL;
    memcpy(slash != NULL ? slash + 1 : program->courier, name, sizeof name);
    program->device.courier = program->courier;
}

/* Whose fields a command takes. */
static const char *kind_taken(const struct mq_command *command, const struct mq_command_line *line)
{
    if (command->run == command_add)
        return line->word_count > 0 ? line->words[0] : "";
    return command->run == command_split ? "household" : command->run == command_tell ? "told" : "step";
}

int main(int argc, char **argv)
{
    struct program program = {.device.platform = mq_platform_real()};
    struct mq_command_line line;
    const struct mq_command *command;

    mq_secret_guard_process();
    signal(SIGPIPE, SIG_IGN);
    mq_locale_start();
    if (mq_crypto_start() != MQ_OK)
        return program_end(&program, mq_fail(&program.error, MQ_FAULT, _("libsodium does not start on this machine")));
    if (mq_options_parse(commands, COMMAND_COUNT, common, argc, argv, &command, &line, &program.error) != MQ_OK) {
        fprintf(stderr, "minqing: %s\n", program.error.text);
        return 2;
    }
    if (mq_option_get(&line, "version") != NULL) {
        puts("minqing " VERSION);
        return 0;
    }
    if (mq_option_get(&line, "manual") != NULL) {
        mq_manual_print(&manual, commands, COMMAND_COUNT, common);
        return 0;
    }
    if (line.help || command == NULL) {
        mq_options_help("minqing", commands, COMMAND_COUNT, common, command);
        if (command != NULL && command->takes_fields)
            program_show_fields(kind_taken(command, &line));
        return line.help ? 0 : 2;
    }
    program.line = &line;
    program.json = mq_option_get(&line, "json") != NULL;
    program.passphrase_file = mq_option_get(&line, "passphrase-file");
    if (find_home(&program, mq_option_get(&line, "home")) != MQ_OK)
        return program_end(&program, MQ_REFUSED);
    find_courier(&program);
    int code = command->run(&program, &line);
    program_rest(&program, code);
    mq_device_close(&program.device);
    return code;
}
