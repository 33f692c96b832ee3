/* minqing-courier: the only program that talks to the network, and it holds no keys (docs/protocol.md, section 4). It
 * moves sealed bytes between its caller (platform/courier.h) and one server, whose public key it was told. The only
 * door to libcurl.
 *
 * stdin: "POST-BASE <url>\n", "PIN sha256//<base64>[;sha256//<base64>]\n" (https only), "\n"; then requests, each
 *   path length 1, path, body length 4, body
 * stdout, for each: outcome 1, HTTP status 2, retry after 4 (seconds), bytes up 4, bytes down 4, body length 4, body
 * Numbers are big-endian. It ends with stdin: 0. Else: 1 refused url or pin, 2 not spoken to like this, 70 the
 * machine's fault. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <libintl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "platform/courier.h"
#include "platform/sandbox.h"
#include "protocol/assert.h"

#define CONTENT_TYPE "application/x-minqing"
#define PIN_PREFIX "sha256//"
#define PIN_SIZE 44
#define LINE_SIZE (MQ_URL_MAX + 64)

enum { END_FINE = 0, END_REFUSED = 1, END_USAGE = 2, END_FAULT = 70 };

struct courier {
    CURL *easy;
    struct curl_slist *headers;
    char base[MQ_URL_MAX]; /* without a slash at the end */
    char pin[LINE_SIZE];   /* "": plain, to loopback only */
    uint8_t *request, *reply;
};

/* What comes back for one request. */
struct take {
    CURL *easy;
    struct mq_buffer body;
    uint64_t sent_bytes, head_bytes, body_bytes;
    long status;
    bool head_whole, not_ours, too_large;
};

/* ---- stdin and stdout ---- */

/* 1 read, 0 the end before the first byte, -1 the end in between or an error. */
static int read_exactly(void *out, size_t size)
{
    uint8_t *at = out;
    size_t done = 0;

    while (done < size) {
        ssize_t got = read(STDIN_FILENO, at + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 && done == 0 ? 0 : -1;
        done += (size_t)got;
    }
    return 1;
}

static bool write_all(struct mq_span bytes)
{
    while (bytes.size > 0) {
        ssize_t put = write(STDOUT_FILENO, bytes.data, bytes.size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes = mq_span(bytes.data + put, bytes.size - (size_t)put);
    }
    return true;
}

/* One line without its end; byte by byte, since requests follow on the same pipe. */
static bool read_line(char out[LINE_SIZE])
{
    for (size_t size = 0; size < LINE_SIZE; size++) {
        if (read_exactly(&out[size], 1) != 1 || out[size] == '\0')
            return false;
        if (out[size] == '\n') {
            out[size] = '\0';
            return true;
        }
    }
    return false;
}

static int complain(int code, const char *text)
{
    fprintf(stderr, "minqing-courier: %s\n", text);
    return code;
}

/* ---- The head: where to, and whose key ---- */

static bool is_one_pin(const char *text)
{
    if (strncmp(text, PIN_PREFIX, strlen(PIN_PREFIX)) != 0)
        return false;
    text += strlen(PIN_PREFIX);
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == PIN_SIZE - 1 &&
           text[PIN_SIZE - 1] == '=';
}

/* One pin, or two of which either will do. libcurl takes some malformed pins for none, so nothing malformed
 * reaches it. */
static bool is_pin(const char *text)
{
    const size_t one = strlen(PIN_PREFIX) + PIN_SIZE;

    if (strlen(text) == one)
        return is_one_pin(text);
    return strlen(text) == 2 * one + 1 && is_one_pin(text) && text[one] == ';' && is_one_pin(text + one + 1);
}

static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(url, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return there;
}

/* https with a pin, or plain http to this machine itself (a proxy or a test). NULL, or what is wrong. */
static const char *judge_url(CURLU *url, bool has_pin)
{
    char *scheme = NULL, *host = NULL;
    const char *wrong = NULL;

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        wrong = gettext("this is not an address; it should look like https://HOST:PORT");
    else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) || has_part(url, CURLUPART_QUERY) ||
             has_part(url, CURLUPART_FRAGMENT))
        wrong = gettext("the address must not have a user, a query or a fragment");
    else if (strcmp(scheme, "https") == 0)
        wrong = has_pin ? NULL : gettext("https:// needs the pin of the server's key: PIN sha256//...");
    else if (strcmp(scheme, "http") == 0 && is_loopback(host))
        wrong = has_pin ? gettext("a pin needs https://") : NULL;
    else
        wrong = gettext("the address must start with https:// (http:// only for 127.0.0.1 or [::1])");
    curl_free(scheme);
    curl_free(host);
    return wrong;
}

static int take_url(struct courier *courier, const char *text)
{
    CURLU *url = curl_url();
    char *whole = NULL;
    const char *wrong = NULL;

    if (url == NULL)
        return END_FAULT;
    if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        wrong = gettext("this is not an address; it should look like https://HOST:PORT");
    else
        wrong = judge_url(url, courier->pin[0] != '\0');
    if (wrong == NULL && (curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK || strlen(whole) >= MQ_URL_MAX))
        wrong = gettext("the address is too long");
    if (wrong == NULL) {
        memcpy(courier->base, whole, strlen(whole) + 1);
        for (size_t size = strlen(whole); size > 0 && courier->base[size - 1] == '/'; size--)
            courier->base[size - 1] = '\0';
    }
    curl_free(whole);
    curl_url_cleanup(url);
    return wrong == NULL ? END_FINE : complain(END_REFUSED, wrong);
}

static int read_head(struct courier *courier)
{
    char url[LINE_SIZE], line[LINE_SIZE];
    const char *const usage =
        gettext("stdin must begin with the lines \"POST-BASE <url>\", \"PIN sha256//<base64>\" and an empty one");

    if (!read_line(url) || strncmp(url, "POST-BASE ", 10) != 0 || !read_line(line))
        return complain(END_USAGE, usage);
    if (line[0] != '\0') {
        if (strncmp(line, "PIN ", 4) != 0)
            return complain(END_USAGE, usage);
        if (!is_pin(line + 4))
            return complain(END_REFUSED, gettext("a pin is sha256// and 44 characters of base64"));
        memcpy(courier->pin, line + 4, strlen(line + 4) + 1);
        if (!read_line(line) || line[0] != '\0')
            return complain(END_USAGE, usage);
    }
    return take_url(courier, url + 10);
}

/* ---- One request ---- */

static bool is_ours(const char *content_type)
{
    size_t size = strlen(CONTENT_TYPE);

    return content_type != NULL && strncasecmp(content_type, CONTENT_TYPE, size) == 0 &&
           (content_type[size] == '\0' || content_type[size] == ';' || content_type[size] == ' ');
}

/* Any header line, also of interim replies. libcurl takes a head that breaks off for a whole one: the empty line
 * tells. */
static size_t on_head(char *bytes, size_t one, size_t size, void *self)
{
    struct take *take = self;

    (void)one;
    take->head_whole = size > 0 && (bytes[0] == '\r' || bytes[0] == '\n');
    take->head_bytes += size;
    take->too_large |= take->head_bytes > MQ_COURIER_HEAD_MAX;
    return take->too_large ? 0 : size;
}

/* What is not ours is counted and dropped; as the body of a success it ends the transfer. */
static size_t on_body(char *bytes, size_t one, size_t size, void *self)
{
    struct take *take = self;
    char *content_type = NULL;

    (void)one;
    curl_easy_getinfo(take->easy, CURLINFO_RESPONSE_CODE, &take->status);
    curl_easy_getinfo(take->easy, CURLINFO_CONTENT_TYPE, &content_type);
    take->body_bytes += size;
    take->too_large |= take->body_bytes > MQ_REPLY_MAX;
    if (is_ours(content_type))
        mq_put(&take->body, bytes, size);
    else
        take->not_ours |= take->status < 400;
    return take->too_large || take->not_ours ? 0 : size;
}

/* libcurl's own sum of what was sent leaves out part of a larger body. */
static int on_trace(CURL *easy, curl_infotype type, char *bytes, size_t size, void *self)
{
    struct take *take = self;

    (void)easy;
    (void)bytes;
    if (type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT)
        take->sent_bytes += size;
    return 0;
}

/* Not 0 ends the transfer: nobody is there any more to take the reply. */
static int on_progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    (void)self, (void)a, (void)b, (void)c, (void)d;
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static enum mq_courier_outcome judge(CURLcode code, const struct take *take)
{
    char *content_type = NULL;

    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return MQ_COURIER_STRANGER;
    if (take->not_ours)
        return MQ_COURIER_NOT_OURS;
    if (take->too_large)
        return MQ_COURIER_TOO_LARGE;
    if (code != CURLE_OK || !take->head_whole)
        return take->sent_bytes > 0 ? MQ_COURIER_CUT : MQ_COURIER_UNREACHABLE;
    curl_easy_getinfo(take->easy, CURLINFO_CONTENT_TYPE, &content_type);
    if (take->status >= 300 && take->status < 400)
        return MQ_COURIER_NOT_OURS;
    if (take->status < 300 && content_type != NULL && !is_ours(content_type))
        return MQ_COURIER_NOT_OURS;
    return MQ_COURIER_ANSWERED;
}

static uint32_t to_u32(uint64_t number)
{
    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static bool report(CURLcode code, struct take *take)
{
    curl_off_t retry_after = 0;
    uint8_t memory[32];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    curl_easy_getinfo(take->easy, CURLINFO_RESPONSE_CODE, &take->status);
    curl_easy_getinfo(take->easy, CURLINFO_RETRY_AFTER, &retry_after);
    mq_put_u8(&out, (uint8_t)judge(code, take));
    mq_put_u16(&out, (uint16_t)take->status);
    mq_put_u32(&out, retry_after > 0 ? to_u32((uint64_t)retry_after) : 0);
    mq_put_u32(&out, to_u32(take->sent_bytes));
    mq_put_u32(&out, to_u32(take->head_bytes + take->body_bytes));
    mq_put_u32(&out, (uint32_t)take->body.size);
    return write_all(mq_written(&out)) && write_all(mq_written(&take->body));
}

static bool post(const struct courier *courier, const char *path, size_t body_size)
{
    char url[MQ_URL_MAX + MQ_COURIER_PATH_MAX + 1];
    struct take take = {.easy = courier->easy, .body = mq_buffer(courier->reply, MQ_REPLY_MAX)};

    snprintf(url, sizeof url, "%s%s", courier->base, path);
    curl_easy_setopt(courier->easy, CURLOPT_URL, url);
    curl_easy_setopt(courier->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_size);
    curl_easy_setopt(courier->easy, CURLOPT_POSTFIELDS, courier->request);
    curl_easy_setopt(courier->easy, CURLOPT_WRITEDATA, &take);
    curl_easy_setopt(courier->easy, CURLOPT_HEADERDATA, &take);
    curl_easy_setopt(courier->easy, CURLOPT_DEBUGDATA, &take);
    return report(curl_easy_perform(courier->easy), &take);
}

static bool is_path(const char *path, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (path[i] <= 0x20 || path[i] >= 0x7f || path[i] == '#')
            return false;
    return size > 0 && path[0] == '/';
}

static int serve(const struct courier *courier)
{
    uint8_t size_bytes[4], path_size = 0;
    char path[MQ_COURIER_PATH_MAX + 1];

    for (;;) {
        int got = read_exactly(&path_size, 1);
        if (got <= 0)
            return got == 0 ? END_FINE : END_FAULT;
        if (read_exactly(path, path_size) < 1 || read_exactly(size_bytes, sizeof size_bytes) < 1 ||
            !is_path(path, path_size))
            return complain(END_USAGE, gettext("a request is a path, a length and a body"));
        path[path_size] = '\0';
        struct mq_reader reader = mq_reader(MQ_SPAN(size_bytes));
        uint32_t body_size = mq_get_u32(&reader);
        if (body_size > MQ_REQUEST_MAX)
            return complain(END_USAGE, gettext("the request is too large"));
        if (body_size > 0 && read_exactly(courier->request, body_size) < 1)
            return complain(END_USAGE, gettext("a request is a path, a length and a body"));
        if (!post(courier, path, body_size))
            return END_FINE; /* the caller has gone */
    }
}

/* ---- Set-up ---- */

/* Name and expiry of the certificate do not count, only its key: addresses change and device clocks die. */
static bool set_tls(CURL *easy, const char *pin)
{
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, pin[0] != '\0' ? "https" : "http") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
           (pin[0] == '\0' || curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, pin) == CURLE_OK);
}

/* Slow links are borne, silent ones are not: a floor on the rate instead of a time for the whole. */
static bool set_transfer(CURL *easy, struct curl_slist *headers)
{
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 30L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 20L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 60L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_trace) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

/* Only Host, Content-Type and Content-Length go out. */
static struct curl_slist *make_headers(void)
{
    static const char *const lines[] = {"Expect:", "Accept:", ("Content-Type: " CONTENT_TYPE)};
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct curl_slist *longer = curl_slist_append(list, lines[i]);
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static int run(struct courier *courier)
{
    int code = read_head(courier);

    if (code != END_FINE)
        return code;
    courier->headers = make_headers();
    courier->easy = curl_easy_init();
    courier->request = malloc(MQ_REQUEST_MAX);
    courier->reply = malloc(MQ_REPLY_MAX);
    if (courier->headers == NULL || courier->easy == NULL || courier->request == NULL || courier->reply == NULL ||
        !set_tls(courier->easy, courier->pin) || !set_transfer(courier->easy, courier->headers))
        return complain(END_FAULT, gettext("libcurl cannot do what is needed"));
    return serve(courier);
}

/* Whatever the caller left open is not for this program; and what passes through it stays out of core files. */
static void shut_out_the_rest(void)
{
    struct rlimit limit = {.rlim_cur = 0, .rlim_max = 0};

    for (int descriptor = 3; descriptor < 1024; descriptor++)
        close(descriptor);
    setrlimit(RLIMIT_CORE, &limit);
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
    signal(SIGPIPE, SIG_IGN);
}

/* From here on it can connect and look up names, and nothing else: no file of anybody's, no program. Where the machine cannot
 * enforce that it works all the same, since it holds nothing; who starts it by hand is told. */
static void confine(void)
{
    static const char *const lookups[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf",
                                          "/etc/gai.conf", NULL};
    struct mq_sandbox_report report;

    /* Before glibc 2.34 the ways to look up names are modules, loaded at the first look. */
    (void)dlopen("libnss_files.so.2", RTLD_NOW);
    (void)dlopen("libnss_dns.so.2", RTLD_NOW);
    mq_sandbox_enter(&(struct mq_sandbox){.role = MQ_SANDBOX_COURIER, .readable = lookups}, &report);
    if (report.landlock_abi == 0)
        fprintf(stderr, "minqing-courier: Landlock: %s\n", strerror(report.landlock_trouble));
    if (report.filter_trouble != 0)
        fprintf(stderr, "minqing-courier: seccomp: %s\n", strerror(report.filter_trouble));
}

int main(int argc, char **argv)
{
    static struct courier courier;

    (void)argv;
    if (argc != 1)
        return complain(END_USAGE, gettext("takes no arguments; minqing starts it and speaks to it on stdin"));
    shut_out_the_rest();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return complain(END_FAULT, gettext("libcurl cannot do what is needed"));
    confine();
    int code = run(&courier);
    curl_easy_cleanup(courier.easy);
    curl_slist_free_all(courier.headers);
    free(courier.request);
    free(courier.reply);
    curl_global_cleanup();
    return code;
}
