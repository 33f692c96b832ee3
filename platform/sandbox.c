/* Landlock and seccomp by raw system calls: three and one, and a table. */
#include "platform/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/assert.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Landlock: files and ports ---- */

/* Constants of linux/landlock.h, which older systems have only in part. Sources: the kernel's
 * Documentation/userspace-api/landlock.rst. */
enum {
    FILE_EXECUTE = 1 << 0,
    FILE_WRITE = 1 << 1,
    FILE_READ = 1 << 2,
    DIRECTORY_READ = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_CHARACTER_DEVICE = 1 << 6,
    MAKE_FILE = 1 << 8,
    MAKE_BLOCK_DEVICE = 1 << 11,
    FILE_TRUNCATE = 1 << 14,
    FILES_ALL = (1 << 16) - 1,
    TCP_BIND = 1 << 0,
    TCP_CONNECT = 1 << 1,
    ABSTRACT_SOCKETS = 1 << 0,
    SIGNALS = 1 << 1,
    CREATE_VERSION = 1 << 0,
    RULE_BENEATH = 1
};

struct ruleset {
    uint64_t files, ports, scopes;
};
struct __attribute__((packed)) beneath {
    uint64_t allowed;
    int32_t descriptor;
};

/* What an interface of that number knows: rights over files, and bytes of the structure. */
static const struct interface {
    uint64_t files;
    size_t size;
} interfaces[] = {
    {0, 0},
    {(1 << 13) - 1, offsetof(struct ruleset, ports)},
    {(1 << 14) - 1, offsetof(struct ruleset, ports)}, /* renaming to another directory */
    {(1 << 15) - 1, offsetof(struct ruleset, ports)}, /* truncating */
    {(1 << 15) - 1, offsetof(struct ruleset, scopes)}, /* TCP ports */
    {(1 << 16) - 1, offsetof(struct ruleset, scopes)}, /* ioctl on devices */
    {(1 << 16) - 1, sizeof(struct ruleset)},           /* signals, abstract sockets */
};

/* What the role must not do, if the kernel can forbid it; rules then give back single files. */
static const struct ruleset forbidden[] = {
    [MQ_SANDBOX_FRONT] = {FILES_ALL, TCP_BIND | TCP_CONNECT, ABSTRACT_SOCKETS | SIGNALS},
    [MQ_SANDBOX_DESK] = {FILE_EXECUTE | MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE, TCP_BIND | TCP_CONNECT,
                         ABSTRACT_SOCKETS | SIGNALS},
    [MQ_SANDBOX_COURIER] = {FILES_ALL, TCP_BIND, ABSTRACT_SOCKETS | SIGNALS},
};

/* 0, or errno. */
static int allow_beneath(int rules, const char *path, uint64_t rights)
{
    struct beneath rule = {.allowed = rights, .descriptor = open(path, O_PATH | O_CLOEXEC)};

    if (rule.descriptor < 0)
        return errno;
    long failed = syscall(SYS_landlock_add_rule, rules, RULE_BENEATH, &rule, 0);
    int trouble = failed == 0 ? 0 : errno;
    close(rule.descriptor);
    return trouble;
}

static int allow_paths(int rules, const struct mq_sandbox *sandbox, uint64_t known)
{
    const uint64_t work = (FILE_READ | FILE_WRITE | FILE_TRUNCATE | DIRECTORY_READ | MAKE_FILE | REMOVE_FILE) & known;
    int trouble = sandbox->directory != NULL ? allow_beneath(rules, sandbox->directory, work) : 0;

    for (const char *const *path = sandbox->readable; path != NULL && *path != NULL && trouble == 0; path++) {
        trouble = allow_beneath(rules, *path, FILE_READ);
        if (trouble == ENOENT || trouble == EACCES || trouble == EINVAL) /* EINVAL: a directory or a pipe of that name */
            trouble = 0;
    }
    return trouble;
}

/* 0, or errno. */
static int restrict_files(const struct mq_sandbox *sandbox, int *abi)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);

    *abi = 0;
    if (version <= 0)
        return version < 0 ? errno : ENOSYS;
    const struct interface *known = &interfaces[(size_t)version < COUNT(interfaces) ? (size_t)version : COUNT(interfaces) - 1];
    struct ruleset rules = forbidden[sandbox->role];
    rules.files &= known->files;
    long descriptor = syscall(SYS_landlock_create_ruleset, &rules, known->size, 0);
    if (descriptor < 0)
        return errno;
    int trouble = allow_paths((int)descriptor, sandbox, rules.files);
    if (trouble == 0 && syscall(SYS_landlock_restrict_self, (int)descriptor, 0) != 0)
        trouble = errno;
    close((int)descriptor);
    if (trouble == 0)
        *abi = (int)version;
    return trouble;
}

/* ---- seccomp: system calls ---- */

#define F (1u << MQ_SANDBOX_FRONT)
#define D (1u << MQ_SANDBOX_DESK)
#define C (1u << MQ_SANDBOX_COURIER)
#define NEW_SPACES                                                                                                     \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define OWN_PROCESS UINT32_MAX /* as a value: this process's id */

/* One call that a role may make: always, or where `argument` & mask == value. A call may stand here more than once. */
struct allowed {
    unsigned number, roles;
    unsigned argument;
    uint32_t mask, value; /* mask 0: always */
};

static const struct allowed allowed[] = {
    /* bytes in and out of what is open */
    {SYS_read, F | D | C, 0, 0, 0},
    {SYS_write, F | D | C, 0, 0, 0},
    {SYS_readv, F | D | C, 0, 0, 0},
    {SYS_writev, F | D | C, 0, 0, 0},
    {SYS_pread64, F | D | C, 0, 0, 0},
    {SYS_pwrite64, F | D, 0, 0, 0},
    {SYS_lseek, F | D | C, 0, 0, 0},
    {SYS_close, F | D | C, 0, 0, 0},
    {SYS_fcntl, F | D | C, 0, 0, 0},
    {SYS_dup, D, 0, 0, 0},
    {SYS_ioctl, F | D | C, 1, UINT32_MAX, 0x541b}, /* FIONREAD: the resolver asks what waits */
    {SYS_ioctl, F | D | C, 1, UINT32_MAX, 0x5401}, /* TCGETS: stdio asks whether it writes to a terminal */
    {SYS_ioctl, F | D | C, 1, UINT32_MAX, 0x5421}, /* FIONBIO */
    /* files; which ones, Landlock says */
    {SYS_openat, F | D | C, 0, 0, 0},
    {SYS_fstat, F | D | C, 0, 0, 0},
    {SYS_newfstatat, F | D | C, 0, 0, 0},
    {SYS_statx, F | D | C, 0, 0, 0},
    {SYS_faccessat, F | D | C, 0, 0, 0},
    {SYS_readlinkat, F | D | C, 0, 0, 0},
    {SYS_getcwd, F | D, 0, 0, 0},
    {SYS_fsync, F | D, 0, 0, 0},
    {SYS_fdatasync, F | D, 0, 0, 0},
    {SYS_ftruncate, F | D, 0, 0, 0},
    {SYS_fallocate, F | D, 0, 0, 0},
    {SYS_unlinkat, F | D, 0, 0, 0},
    {SYS_fchown, F | D, 0, 0, 0}, /* SQLite gives its log the owner of its store */
    {SYS_fchmod, F | D, 0, 0, 0},
    {SYS_renameat, F | D, 0, 0, 0}, /* a copy that is whole takes its name */
    {SYS_renameat2, F | D, 0, 0, 0},
    {SYS_mkdirat, D, 0, 0, 0},
    {SYS_getdents64, D, 0, 0, 0},
    {SYS_flock, D, 0, 0, 0},
    {SYS_fstatfs, F | D, 0, 0, 0},
    {SYS_statfs, F | D, 0, 0, 0},
    {SYS_utimensat, D, 0, 0, 0},
    {SYS_fadvise64, D, 0, 0, 0}, /* a backup is read back from the disk itself */
    {SYS_memfd_create, D, 0, 0, 0}, /* results in clear never touch a disk */
    /* sockets that are there: the front accepts, the desk answers commands, all three talk */
    {SYS_accept4, F | D, 0, 0, 0},
    {SYS_recvfrom, F | D | C, 0, 0, 0},
    {SYS_recvmsg, F | D | C, 0, 0, 0},
    {SYS_sendto, F | D | C, 0, 0, 0},
    {SYS_sendmsg, F | D | C, 0, 0, 0},
    {SYS_sendmmsg, C, 0, 0, 0}, /* the resolver asks for both kinds of address at once */
    {SYS_shutdown, F | D | C, 0, 0, 0},
    {SYS_getsockname, F | D | C, 0, 0, 0},
    {SYS_getpeername, F | D | C, 0, 0, 0},
    {SYS_getsockopt, F | D | C, 0, 0, 0},
    {SYS_setsockopt, F | D | C, 0, 0, 0},
    /* new ones: only the courier, and only to the internet */
    {SYS_socket, C, 0, UINT32_MAX, AF_INET},
    {SYS_socket, C, 0, UINT32_MAX, AF_INET6},
    {SYS_socketpair, C, 0, UINT32_MAX, AF_UNIX}, /* libcurl wakes its resolver's thread */
    {SYS_connect, C, 0, 0, 0},
    /* waiting */
    {SYS_ppoll, F | D | C, 0, 0, 0},
    {SYS_pselect6, F | D | C, 0, 0, 0},
    {SYS_epoll_create1, F, 0, 0, 0},
    {SYS_epoll_ctl, F, 0, 0, 0},
    {SYS_epoll_pwait, F, 0, 0, 0},
    {SYS_eventfd2, F | D | C, 0, 0, 0},
    {SYS_pipe2, F | C, 0, 0, 0},
    {SYS_futex, F | D | C, 0, 0, 0},
    {SYS_nanosleep, F | D | C, 0, 0, 0},
    {SYS_clock_nanosleep, F | D | C, 0, 0, 0},
    {SYS_sched_yield, F | D | C, 0, 0, 0},
    {SYS_restart_syscall, F | D | C, 0, 0, 0},
    /* clocks and chance */
    {SYS_clock_gettime, F | D | C, 0, 0, 0},
    {SYS_clock_getres, F | D | C, 0, 0, 0},
    {SYS_gettimeofday, F | D | C, 0, 0, 0},
    {SYS_getrandom, F | D | C, 0, 0, 0},
    /* memory, never to be run as a program */
    {SYS_brk, F | D | C, 0, 0, 0},
    {SYS_mmap, F | D | C, 2, PROT_EXEC, 0},
    {SYS_mprotect, F | D | C, 2, PROT_EXEC, 0},
    {SYS_mremap, F | D | C, 0, 0, 0},
    {SYS_munmap, F | D | C, 0, 0, 0},
    {SYS_madvise, F | D | C, 0, 0, 0},
    {SYS_mlock, D, 0, 0, 0}, /* keys are kept from swap */
    {SYS_munlock, D, 0, 0, 0},
    /* threads, never processes */
    {SYS_clone, F | D | C, 0, CLONE_THREAD | NEW_SPACES, CLONE_THREAD},
    {SYS_set_robust_list, F | D | C, 0, 0, 0},
    {SYS_rseq, F | D | C, 0, 0, 0},
    {SYS_sched_getaffinity, F | D | C, 0, 0, 0}, /* malloc asks how many processors there are */
    {SYS_gettid, F | D | C, 0, 0, 0},
    {SYS_prctl, F | D | C, 0, UINT32_MAX, PR_SET_NAME}, /* libmicrohttpd names its threads */
    {SYS_exit, F | D | C, 0, 0, 0},
    {SYS_exit_group, F | D | C, 0, 0, 0},
    /* signals to oneself */
    {SYS_rt_sigaction, F | D | C, 0, 0, 0},
    {SYS_rt_sigprocmask, F | D | C, 0, 0, 0},
    {SYS_rt_sigreturn, F | D | C, 0, 0, 0},
    {SYS_rt_sigtimedwait, F | D | C, 0, 0, 0},
    {SYS_sigaltstack, F | D | C, 0, 0, 0},
    {SYS_tgkill, F | D | C, 0, UINT32_MAX, OWN_PROCESS}, /* abort() */
    /* who and where one is */
    {SYS_getpid, F | D | C, 0, 0, 0},
    {SYS_getppid, F | D | C, 0, 0, 0},
    {SYS_getuid, F | D | C, 0, 0, 0},
    {SYS_geteuid, F | D | C, 0, 0, 0},
    {SYS_getgid, F | D | C, 0, 0, 0},
    {SYS_getegid, F | D | C, 0, 0, 0},
    {SYS_uname, F | D | C, 0, 0, 0},
    {SYS_sysinfo, F | D | C, 0, 0, 0},
#ifdef __x86_64__ /* what newer machines know only by the names above */
    {SYS_open, F | D | C, 0, 0, 0},
    {SYS_stat, F | D | C, 0, 0, 0},
    {SYS_lstat, F | D | C, 0, 0, 0},
    {SYS_access, F | D | C, 0, 0, 0},
    {SYS_readlink, F | D | C, 0, 0, 0},
    {SYS_unlink, F | D, 0, 0, 0},
    {SYS_rename, F | D, 0, 0, 0},
    {SYS_mkdir, D, 0, 0, 0},
    {SYS_rmdir, D, 0, 0, 0},
    {SYS_poll, F | D | C, 0, 0, 0},
    {SYS_select, F | D | C, 0, 0, 0},
    {SYS_epoll_wait, F, 0, 0, 0},
    {SYS_pipe, F | C, 0, 0, 0},
    {SYS_time, F | D | C, 0, 0, 0},
    {SYS_getrlimit, F | D | C, 0, 0, 0},
#endif
};

/* The C library tries these first and does without where they are not there. EPERM would stop it. */
static const unsigned not_there[] = {SYS_clone3, SYS_faccessat2, SYS_openat2, SYS_close_range, SYS_epoll_pwait2};

#if defined __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#ifdef MACHINE
#define X32_CALLS 0x40000000u /* a second set of numbers on x86-64 */
#define STEPS_EACH 6
#define STEPS_MAX (8 + STEPS_EACH * COUNT(allowed) + 2 * COUNT(not_there))

static const uint32_t answer_allow = SECCOMP_RET_ALLOW, answer_kill = SECCOMP_RET_KILL_PROCESS;

struct filter {
    struct sock_filter steps[STEPS_MAX];
    unsigned short count;
};

static void step(struct filter *filter, uint16_t code, uint32_t value, uint8_t yes, uint8_t no)
{
    MQ_ASSERT(filter->count < STEPS_MAX);
    filter->steps[filter->count++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = value};
}

static void load(struct filter *filter, size_t offset)
{
    step(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct filter *filter, uint32_t value)
{
    step(filter, BPF_RET | BPF_K, value, 0, 0);
}

/* Where the number is loaded; leaves it loaded. */
static void put_allowed(struct filter *filter, const struct allowed *call)
{
    if (call->mask == 0) {
        step(filter, BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 1);
        answer(filter, answer_allow);
        return;
    }
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, STEPS_EACH - 1);
    load(filter, offsetof(struct seccomp_data, args) + call->argument * sizeof(uint64_t)); /* its low half: little-endian */
    step(filter, BPF_ALU | BPF_AND | BPF_K, call->mask, 0, 0);
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, call->value == OWN_PROCESS ? (uint32_t)getpid() : call->value, 0, 1);
    answer(filter, answer_allow);
    load(filter, offsetof(struct seccomp_data, nr));
}

static void build(struct filter *filter, enum mq_sandbox_role role)
{
    load(filter, offsetof(struct seccomp_data, arch));
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
    answer(filter, answer_kill);
    load(filter, offsetof(struct seccomp_data, nr));
    step(filter, BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
    answer(filter, answer_kill);
    for (size_t i = 0; i < COUNT(allowed); i++)
        if ((allowed[i].roles & 1u << role) != 0)
            put_allowed(filter, &allowed[i]);
    for (size_t i = 0; i < COUNT(not_there); i++) {
        step(filter, BPF_JMP | BPF_JEQ | BPF_K, not_there[i], 0, 1);
        answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
    }
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

/* 0, or errno. All threads, if there were any. */
static int restrict_calls(enum mq_sandbox_role role)
{
    struct filter filter = {.count = 0};

    build(&filter, role);
    const struct sock_fprog program = {.len = filter.count, .filter = filter.steps};
    long failed = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return failed == 0 ? 0 : failed > 0 ? EBUSY : errno;
}
#else
static int restrict_calls(enum mq_sandbox_role role)
{
    (void)role;
    return ENOSYS;
}
#endif

void mq_sandbox_enter(const struct mq_sandbox *sandbox, struct mq_sandbox_report *report)
{
    *report = (struct mq_sandbox_report){0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0) {
        report->landlock_trouble = report->filter_trouble = errno;
        return;
    }
    report->landlock_trouble = restrict_files(sandbox, &report->landlock_abi);
    report->filter_trouble = restrict_calls(sandbox->role);
}
