/* What somebody may try who has taken over a process; see sandbox_actions.h. */
#include "tests/platform/sandbox_actions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define AT AT_FDCWD

static int outcome(long result)
{
    return result >= 0 ? 0 : errno;
}

static int opens(const char *path, int flags)
{
    return outcome(syscall(SYS_openat, AT, path, flags, 0600));
}

/* ---- files of others ---- */

static int read_accounts(const struct place *place)
{
    (void)place;
    return opens("/etc/passwd", O_RDONLY);
}

static int read_secret(const struct place *place)
{
    return opens(place->secret, O_RDONLY);
}

static int write_secret(const struct place *place)
{
    return opens(place->secret, O_WRONLY);
}

static int read_process(const struct place *place)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/maps", (int)place->other);
    return opens(path, O_RDONLY);
}

static int make_file(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "%s/new", place->directory);
    return opens(path, O_WRONLY | O_CREAT);
}

static int list_directory(const struct place *place)
{
    return opens(place->directory, O_RDONLY | O_DIRECTORY);
}

static int make_directory(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "%s/folder", place->directory);
    return outcome(syscall(SYS_mkdirat, AT, path, 0700));
}

static int remove_file(const struct place *place)
{
    return outcome(syscall(SYS_unlinkat, AT, place->victim, 0));
}

static int move_file_here(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "%s/moved", place->mine);
    return outcome(syscall(SYS_renameat2, AT, place->victim, AT, path, 0));
}

static int cut_file(const struct place *place)
{
    return outcome(syscall(SYS_truncate, place->victim, 0L));
}

static int link_file_here(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "%s/linked", place->mine);
    return outcome(syscall(SYS_linkat, AT, place->secret, AT, path, 0));
}

static int link_by_name(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "%s/named", place->mine);
    return outcome(syscall(SYS_symlinkat, place->secret, AT, path));
}

static int make_pipe_file(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "%s/pipe", place->mine);
    return outcome(syscall(SYS_mknodat, AT, path, S_IFIFO | 0600, 0));
}

static int open_to_all(const struct place *place)
{
    return outcome(syscall(SYS_fchmodat, AT, place->secret, 0644));
}

static int change_times(const struct place *place)
{
    return outcome(syscall(SYS_utimensat, AT, place->victim, NULL, 0));
}

static int change_root(const struct place *place)
{
    return outcome(syscall(SYS_chroot, place->directory));
}

/* Of a kind that there is not, so that root's tests leave nothing mounted. */
static int mount_something(const struct place *place)
{
    return outcome(syscall(SYS_mount, "none", place->directory, "minqing", 0UL, NULL));
}

static int name_handle(const struct place *place)
{
    struct {
        unsigned bytes;
        int type;
        unsigned char handle[128];
    } handle = {.bytes = sizeof handle.handle};
    int mount;

    return outcome(syscall(SYS_name_to_handle_at, AT, place->secret, &handle, &mount, 0));
}

/* ---- programs, processes, code ---- */

static int run_program(const struct place *place)
{
    char *const arguments[] = {(char *)(uintptr_t) "true", NULL}, *const none[] = {NULL};

    (void)place;
    return outcome(syscall(SYS_execve, "/bin/true", arguments, none)); /* ends with 0 where it could */
}

static int run_open_program(const struct place *place)
{
    char *const arguments[] = {(char *)(uintptr_t) "true", NULL}, *const none[] = {NULL};

    (void)place;
    return outcome(syscall(SYS_execveat, AT, "/bin/true", arguments, none, 0));
}

static int new_process(const struct place *place)
{
    (void)place;
    long child = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0)
        _exit(0);
    return outcome(child);
}

static int new_process_otherwise(const struct place *place)
{
    uint64_t arguments[11] = {[4] = SIGCHLD};

    (void)place;
    long child = syscall(SYS_clone3, arguments, (size_t)88);
    if (child == 0)
        _exit(0);
    return outcome(child);
}

static int map_code(const struct place *place)
{
    (void)place;
    return outcome((long)syscall(SYS_mmap, NULL, 4096UL, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L));
}

static int make_code(const struct place *place)
{
    return outcome(syscall(SYS_mprotect, place->page, 4096UL, PROT_READ | PROT_EXEC));
}

static int all_memory_is_code(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_personality, 0x0400000UL));
}

static int file_in_memory(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_memfd_create, "program", 0));
}

static int be_traced(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_ptrace, PTRACE_TRACEME, 0L, NULL, NULL));
}

static int trace_other(const struct place *place)
{
    return outcome(syscall(SYS_ptrace, PTRACE_SEIZE, (long)place->other, NULL, NULL));
}

static int read_other(const struct place *place)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {place->page, 1};

    return outcome(syscall(SYS_process_vm_readv, place->other, &here, 1UL, &there, 1UL, 0UL));
}

static int signal_other(const struct place *place)
{
    return outcome(syscall(SYS_kill, place->other, SIGCONT));
}

static int signal_thread_of_other(const struct place *place)
{
    return outcome(syscall(SYS_tgkill, place->other, place->other, SIGCONT));
}

static int hold_other(const struct place *place)
{
    return outcome(syscall(SYS_pidfd_open, place->other, 0));
}

static int change_user(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_setuid, getuid()));
}

static int change_group(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_setresgid, getgid(), getgid(), getgid()));
}

static int raise_limits(const struct place *place)
{
    struct rlimit limit = {0, 0};

    (void)place;
    return outcome(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL));
}

static int allow_dumps(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_prctl, PR_SET_DUMPABLE, 1L, 0L, 0L, 0L));
}

static int leave_spaces(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_unshare, CLONE_NEWUSER));
}

/* ---- sockets ---- */

static int open_socket(int family, int type)
{
    return outcome(syscall(SYS_socket, family, type, 0));
}

static int socket_internet(const struct place *place)
{
    (void)place;
    return open_socket(AF_INET, SOCK_STREAM);
}

static int socket_local(const struct place *place)
{
    (void)place;
    return open_socket(AF_UNIX, SOCK_STREAM);
}

static int socket_kernel(const struct place *place)
{
    (void)place;
    return open_socket(AF_NETLINK, SOCK_RAW);
}

static int socket_packets(const struct place *place)
{
    (void)place;
    return open_socket(AF_PACKET, SOCK_RAW);
}

static int connect_out(const struct place *place)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)place->port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return outcome(syscall(SYS_connect, place->free_socket, &to, sizeof to));
}

static int take_port(const struct place *place)
{
    struct sockaddr_in at = {.sin_family = AF_INET};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return outcome(syscall(SYS_bind, place->free_socket, &at, sizeof at));
}

/* ---- the kernel's own tools ---- */

static int load_filter(const struct place *place)
{
    union bpf_attr attributes;

    (void)place;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = attributes.value_size = 4;
    attributes.max_entries = 1;
    return outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

static int watch_performance(const struct place *place)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .disabled = 1};

    (void)place;
    return outcome(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0UL));
}

static int catch_page_faults(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_userfaultfd, 0));
}

static int queue_calls(const struct place *place)
{
    uint8_t parameters[120] = {0};

    (void)place;
    return outcome(syscall(SYS_io_uring_setup, 1, parameters));
}

static int keep_key(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_add_key, "user", "minqing", "x", 1UL, -3));
}

static int read_keys(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_keyctl, 0, -3, 1));
}

static int share_memory(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_shmget, 0, 4096UL, 01600));
}

static int load_module(const struct place *place)
{
    return outcome(syscall(SYS_finit_module, place->listener, "", 0));
}

static int read_kernel_log(const struct place *place)
{
    (void)place;
    return outcome(syscall(SYS_syslog, 10, NULL, 0));
}

#define FILES BY_FILES
#define CALLS BY_CALLS
#define EITHER (BY_FILES | BY_CALLS)

const struct action sandbox_actions[] = {
    {"read the list of accounts", read_accounts, FILES, 0, FILES, true},
    {"read a file beside one's own", read_secret, FILES, 0, FILES, true},
    {"write a file beside one's own", write_secret, FILES, 0, FILES, true},
    {"read what the kernel says of another process", read_process, FILES, 0, FILES, true},
    {"make a file", make_file, FILES, 0, FILES, true},
    {"list a directory", list_directory, FILES, 0, FILES, true},
    {"make a directory", make_directory, EITHER, 0, EITHER, true},
    {"remove a file", remove_file, FILES, 0, EITHER, true},
    {"move a file to one's own", move_file_here, FILES, 0, EITHER, true},
    {"cut a file", cut_file, CALLS, CALLS, CALLS, true},
    {"link a file to one's own", link_file_here, EITHER, CALLS, EITHER, true},
    {"link by name", link_by_name, CALLS, CALLS, CALLS, true},
    {"make a pipe", make_pipe_file, CALLS, CALLS, CALLS, true},
    {"open a file to everybody", open_to_all, CALLS, CALLS, CALLS, true},
    {"change a file's times", change_times, CALLS, 0, CALLS, true},
    {"change the root directory", change_root, CALLS, CALLS, CALLS, false},
    {"mount", mount_something, CALLS, CALLS, CALLS, false},
    {"name a file by its handle", name_handle, CALLS, CALLS, CALLS, false},
    {"run a program", run_program, EITHER, EITHER, EITHER, true},
    {"run a program by execveat", run_open_program, EITHER, EITHER, EITHER, true},
    {"make a process", new_process, CALLS, CALLS, CALLS, true},
    {"make a process by clone3", new_process_otherwise, CALLS, CALLS, CALLS, false},
    {"map memory as code", map_code, CALLS, CALLS, CALLS, true},
    {"turn memory into code", make_code, CALLS, CALLS, CALLS, true},
    {"let all memory be code", all_memory_is_code, CALLS, CALLS, CALLS, true},
    {"make a file in memory", file_in_memory, CALLS, 0, CALLS, true},
    {"be traced", be_traced, CALLS, CALLS, CALLS, true},
    {"trace another process", trace_other, CALLS, CALLS, CALLS, false},
    {"read another process's memory", read_other, CALLS, CALLS, CALLS, false},
    {"signal another process", signal_other, CALLS, CALLS, CALLS, true},
    {"signal another process's thread", signal_thread_of_other, CALLS, CALLS, CALLS, true},
    {"hold another process", hold_other, CALLS, CALLS, CALLS, true},
    {"change the user", change_user, CALLS, CALLS, CALLS, true},
    {"change the group", change_group, CALLS, CALLS, CALLS, true},
    {"change limits", raise_limits, CALLS, CALLS, CALLS, true},
    {"allow core files", allow_dumps, CALLS, CALLS, CALLS, true},
    {"leave the name spaces", leave_spaces, CALLS, CALLS, CALLS, false},
    {"open an internet socket", socket_internet, CALLS, CALLS, 0, true},
    {"open a local socket", socket_local, CALLS, CALLS, CALLS, true},
    {"open a socket to the kernel", socket_kernel, CALLS, CALLS, CALLS, true},
    {"open a socket for raw packets", socket_packets, CALLS, CALLS, CALLS, false},
    {"connect", connect_out, BY_PORTS | CALLS, BY_PORTS | CALLS, 0, true},
    {"take a port", take_port, BY_PORTS | CALLS, BY_PORTS | CALLS, BY_PORTS | CALLS, true},
    {"load a filter into the kernel", load_filter, CALLS, CALLS, CALLS, false},
    {"watch performance", watch_performance, CALLS, CALLS, CALLS, false},
    {"catch page faults", catch_page_faults, CALLS, CALLS, CALLS, false},
    {"queue calls past the filter", queue_calls, CALLS, CALLS, CALLS, false},
    {"keep a key in the kernel", keep_key, CALLS, CALLS, CALLS, false},
    {"look for keys in the kernel", read_keys, CALLS, CALLS, CALLS, false},
    {"share memory", share_memory, CALLS, CALLS, CALLS, false},
    {"load a module", load_module, CALLS, CALLS, CALLS, false},
    {"read the kernel's log", read_kernel_log, CALLS, CALLS, CALLS, false},
};
const size_t sandbox_action_count = sizeof sandbox_actions / sizeof *sandbox_actions;
