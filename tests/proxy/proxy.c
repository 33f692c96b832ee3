/* A bad line between a device and the centre, for the flows: passes bytes on, and does to a connection what it was told.
 * What it says of itself is its own word for word: it knows nothing of TLS, HTTP or Minqing.
 *
 * proxy TARGET_PORT RULES LOG PORT_FILE
 *   listens on a port of 127.0.0.1 that it writes into PORT_FILE; passes on to 127.0.0.1:TARGET_PORT
 *   RULES  a fifo: each line is for one connection, the next that comes; without a line a connection passes as it is
 *     cut up|down BYTE          both ends are shut after so many bytes of that direction
 *     flip up|down BYTE BIT     that bit is another one
 *     stall up|down BYTE        behind so many bytes nothing moves any more, and nothing ends
 *     delay up|down MS          what comes waits so long
 *     repeat                    when it has ended, all that the device sent is sent once more
 *     pass
 *   LOG  one line for each connection that has ended: number, rule, "done" or "whole" (it was too short for the rule),
 *     bytes up, bytes down
 * One process, one thread. It ends with a signal. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LINES_MAX = 32,
    CHUNK = 16384,
    RECORD_MAX = 4 * 1024 * 1024,
    RULES_MAX = 256,
    RULE_SIZE = 80
};

enum act { PASS, CUT, FLIP, STALL, DELAY, REPEAT };
enum way { UP, DOWN };

struct rule {
    enum act act;
    enum way way;
    long at, bit; /* at: byte, or milliseconds */
};

/* One direction: what was read and waits to be written. */
struct pipe {
    int from, to; /* from -1: its end was read; both stay open at the other direction until that has ended too */
    uint64_t seen;
    uint8_t chunk[CHUNK];
    size_t start, size;
    int64_t due_ms; /* not before */
    bool shut;      /* the end was passed on */
};

struct line {
    bool used, done, stalled;
    int number, device, centre;
    struct rule rule;
    struct pipe pipes[2];
    uint8_t *record; /* with REPEAT: what the device sent */
    size_t recorded;
};

static struct line lines[LINES_MAX];
static struct rule rules[RULES_MAX];
static int rule_count, number, target, rules_fifo;
static FILE *log_file;

static void die(const char *what)
{
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- rules ---- */

static struct rule parse(const char *text)
{
    static const struct {
        const char *name;
        enum act act;
        int numbers;
    } acts[] = {{"cut", CUT, 1}, {"flip", FLIP, 2}, {"stall", STALL, 1}, {"delay", DELAY, 1}, {"repeat", REPEAT, 0},
                {"pass", PASS, 0}};
    struct rule rule = {.act = PASS};
    char name[16] = "", way[16] = "";
    int count = sscanf(text, "%15s %15s %ld %ld", name, way, &rule.at, &rule.bit);

    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(name, acts[i].name) != 0)
            continue;
        rule.act = acts[i].act;
        rule.way = strcmp(way, "down") == 0 ? DOWN : UP;
        bool said = acts[i].numbers == 0 || strcmp(way, "up") == 0 || strcmp(way, "down") == 0;
        if (said && count == (acts[i].numbers == 0 ? 1 : 2 + acts[i].numbers))
            return rule;
    }
    fprintf(stderr, "proxy: \"%s\" is no rule\n", text);
    exit(2);
}

/* Whole lines from the fifo. It stays open for writing here too, so that it never ends. */
static void read_rules(void)
{
    static char text[4096];
    static size_t size;
    ssize_t got = read(rules_fifo, text + size, sizeof text - 1 - size);

    if (got <= 0)
        return;
    size += (size_t)got;
    text[size] = '\0';
    char *start = text, *end;
    while ((end = strchr(start, '\n')) != NULL && rule_count < RULES_MAX) {
        *end = '\0';
        rules[rule_count++] = parse(start);
        start = end + 1;
    }
    size -= (size_t)(start - text);
    memmove(text, start, size);
}

static struct rule next_rule(void)
{
    struct rule rule = {.act = PASS};

    if (rule_count == 0)
        return rule;
    rule = rules[0];
    memmove(rules, rules + 1, (size_t)--rule_count * sizeof *rules);
    return rule;
}

/* ---- a connection's life ---- */

static int connect_target(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (descriptor < 0)
        die("socket");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

/* Says the recorded bytes again over a connection of its own, and hears the answers out. */
static void repeat(const struct line *line)
{
    uint8_t answer[CHUNK];
    int centre = connect_target();
    size_t sent = 0;

    while (centre >= 0 && sent < line->recorded) {
        ssize_t put = send(centre, line->record + sent, line->recorded - sent, MSG_NOSIGNAL);
        if (put <= 0)
            break;
        sent += (size_t)put;
    }
    if (centre >= 0) {
        struct timeval patience = {.tv_sec = 2};
        setsockopt(centre, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        shutdown(centre, SHUT_WR);
        while (recv(centre, answer, sizeof answer, 0) > 0) {
        }
        close(centre);
    }
}

static void end(struct line *line)
{
    static const char *const names[] = {"pass", "cut", "flip", "stall", "delay", "repeat"};

    shutdown(line->device, SHUT_RDWR);
    shutdown(line->centre, SHUT_RDWR);
    close(line->device);
    close(line->centre);
    if (line->rule.act == REPEAT)
        repeat(line);
    bool done = line->done || line->rule.act == REPEAT || line->rule.act == DELAY;
    fprintf(log_file, "%d %s %s %llu %llu\n", line->number, names[line->rule.act], done ? "done" : "whole",
            (unsigned long long)line->pipes[UP].seen, (unsigned long long)line->pipes[DOWN].seen);
    fflush(log_file);
    free(line->record);
    *line = (struct line){.used = false};
}

static void accept_one(int listener)
{
    int device = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
    int centre = device < 0 ? -1 : connect_target();
    struct line *line = NULL;

    for (int i = 0; i < LINES_MAX && line == NULL; i++)
        line = lines[i].used ? NULL : &lines[i];
    if (centre < 0 || line == NULL) {
        if (device >= 0)
            close(device);
        if (centre >= 0)
            close(centre);
        return;
    }
    setsockopt(device, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *line = (struct line){.used = true, .number = ++number, .device = device, .centre = centre, .rule = next_rule()};
    line->pipes[UP].from = line->pipes[DOWN].to = device;
    line->pipes[UP].to = line->pipes[DOWN].from = centre;
    if (line->rule.act == REPEAT && (line->record = malloc(RECORD_MAX)) == NULL)
        die("malloc");
}

/* ---- bytes ---- */

/* What the rule says of bytes that have just been read, the first of them byte `pipe->seen`. */
static void apply(struct line *line, enum way way, struct pipe *pipe)
{
    const struct rule *rule = &line->rule;
    uint64_t at = (uint64_t)rule->at, first = pipe->seen, last = first + pipe->size;

    if (rule->act == REPEAT && way == UP && line->recorded + pipe->size <= RECORD_MAX) {
        memcpy(line->record + line->recorded, pipe->chunk, pipe->size);
        line->recorded += pipe->size;
    }
    if (rule->way != way)
        return;
    if (rule->act == DELAY)
        pipe->due_ms = now_ms() + rule->at;
    if (rule->act == FLIP && at >= first && at < last) {
        pipe->chunk[at - first] ^= (uint8_t)(1u << rule->bit % 8);
        line->done = true;
    }
    if ((rule->act == CUT || rule->act == STALL) && at < last) {
        pipe->size = at > first ? (size_t)(at - first) : 0;
        line->done = true;
        line->stalled = rule->act == STALL;
    }
}

static void read_some(struct line *line, enum way way)
{
    struct pipe *pipe = &line->pipes[way];
    ssize_t got = recv(pipe->from, pipe->chunk, sizeof pipe->chunk, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        pipe->from = -1;
        return;
    }
    pipe->start = 0;
    pipe->size = (size_t)got;
    apply(line, way, pipe);
    pipe->seen += (uint64_t)pipe->size;
}

static void write_some(struct pipe *pipe)
{
    ssize_t put = send(pipe->to, pipe->chunk + pipe->start, pipe->size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (put < 0) { /* nobody is there: what else comes is dropped */
        pipe->from = -1;
        pipe->size = 0;
        return;
    }
    pipe->start += (size_t)put;
    pipe->size -= (size_t)put;
}

/* After bytes have moved: is it over, or one end of it? */
static void settle(struct line *line)
{
    bool over = true;

    if (line->stalled) /* holds until one of them gives up */
        return;
    for (int way = UP; way <= DOWN; way++) {
        struct pipe *pipe = &line->pipes[way];
        if (pipe->from < 0 && pipe->size == 0 && !pipe->shut) {
            shutdown(pipe->to, SHUT_WR);
            pipe->shut = true;
        }
        over = over && pipe->shut;
    }
    bool cut = line->rule.act == CUT && line->done && line->pipes[line->rule.way].size == 0;
    if (over || cut)
        end(line);
}

/* ---- the loop ---- */

static short wanted(const struct line *line, int descriptor, int64_t now, int64_t *wake)
{
    short events = 0;

    for (int way = UP; way <= DOWN; way++) {
        const struct pipe *pipe = &line->pipes[way];
        bool held = line->done && (line->rule.act == CUT || line->stalled) && (int)line->rule.way == way;
        if (pipe->from == descriptor && pipe->size == 0 && !held)
            events |= POLLIN;
        if (pipe->to != descriptor || pipe->size == 0)
            continue;
        if (pipe->due_ms <= now)
            events |= POLLOUT;
        else if (*wake < 0 || pipe->due_ms - now < *wake)
            *wake = pipe->due_ms - now;
    }
    return events;
}

static void move(struct line *line, const struct pollfd *device, const struct pollfd *centre)
{
    const struct pollfd *ends[] = {device, centre};

    if (line->stalled && ((device->revents | centre->revents) & (POLLHUP | POLLERR | POLLRDHUP)) != 0) {
        end(line);
        return;
    }
    for (int way = UP; way <= DOWN; way++) {
        struct pipe *pipe = &line->pipes[way];
        const struct pollfd *from = ends[way], *to = ends[!way];
        if (pipe->size > 0 && (to->revents & (POLLOUT | POLLERR)) != 0 && pipe->due_ms <= now_ms())
            write_some(pipe);
        else if (pipe->from >= 0 && pipe->size == 0 && (from->events & POLLIN) != 0 &&
                 (from->revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            read_some(line, (enum way)way);
    }
    settle(line);
}

static void turn(int listener)
{
    struct pollfd polled[2 + 2 * LINES_MAX] = {{.fd = rules_fifo, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
    int64_t now = now_ms(), wake = -1;

    for (int i = 0; i < LINES_MAX; i++) {
        struct pollfd *device = &polled[2 + 2 * i], *centre = device + 1;
        device->fd = centre->fd = -1;
        if (!lines[i].used)
            continue;
        *device = (struct pollfd){.fd = lines[i].device, .events = wanted(&lines[i], lines[i].device, now, &wake)};
        *centre = (struct pollfd){.fd = lines[i].centre, .events = wanted(&lines[i], lines[i].centre, now, &wake)};
        if (lines[i].stalled)
            device->events = centre->events = POLLRDHUP;
    }
    if (poll(polled, 2 + 2 * LINES_MAX, (int)wake) < 0 && errno != EINTR)
        die("poll");
    if (polled[0].revents != 0)
        read_rules(); /* before the connection for which it was written */
    for (int i = 0; i < LINES_MAX; i++)
        if (lines[i].used && polled[2 + 2 * i].fd >= 0)
            move(&lines[i], &polled[2 + 2 * i], &polled[3 + 2 * i]);
    if ((polled[1].revents & POLLIN) != 0)
        accept_one(listener);
}

static int start_listening(const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char other[4096];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        die("listen");
    snprintf(other, sizeof other, "%s.new", port_file);
    FILE *file = fopen(other, "w");
    if (file == NULL || fprintf(file, "%d\n", ntohs(address.sin_port)) < 0 || fclose(file) != 0 ||
        rename(other, port_file) != 0)
        die(port_file);
    return listener;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("proxy TARGET_PORT RULES LOG PORT_FILE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    char *rest;
    target = (int)strtol(argv[1], &rest, 10);
    if (*rest != '\0' || target <= 0)
        die(argv[1]);
    rules_fifo = open(argv[2], O_RDWR | O_NONBLOCK | O_CLOEXEC);
    log_file = fopen(argv[3], "a");
    if (rules_fifo < 0 || log_file == NULL)
        die("rules or log");
    int listener = start_listening(argv[4]);
    for (;;)
        turn(listener);
}
