/* Published weaknesses of the original's OS that lead an app further: one for each word. What it says is what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAMILY = 43, SIGN = 0x4D, UPDATER = 100 };
struct pluton_request { uint32_t command; const void *request; uint32_t request_bytes; void *answer; uint32_t answer_bytes; };
#define PLUTON_CALL _IOWR('p', 1, struct pluton_request)
#define PLUTON_BEGIN _IOWR('p', 2, struct pluton_request)
#define SWITCH _IOWR('q', 1, uint32_t[3])
#define MONITOR_WRITE _IOWR('s', 1, uint32_t[3])
#define MONITOR_COMMIT _IOWR('s', 2, uint32_t[3])
#define MONITOR_MANIFEST _IOWR('s', 3, uint32_t[3])
#define CHIP_INFO _IOR(0xB4, 1, char[68])

static int said(const char *what, int is_compromised, const char *how) {
    printf("%s: %s: %s\n", what, is_compromised ? "compromised" : "defended", how);
    return is_compromised ? 1 : 0;
}

/* A device node that the image has brought along: a UART that the manifest does not list. */
static int open_own_node(const char *what) {
    int fd = open("/mnt/app/dev/uart", O_RDWR);
    if (fd < 0) return said(what, 0, strerror(errno));
    return said(what, write(fd, "x", 1) == 1, "wrote to another app's UART");
}
/* Lays a link where crash dumps go, and crashes with a line on the stack that means something in the file behind it. */
static void crash_into(const char *path, const char *line) {
    volatile char stack[128];
    for (unsigned index = 0; index < sizeof stack; index++) stack[index] = line && index <= strlen(line) ? line[index] : '\n';
    symlink(path, "/tmp/core");
    __asm volatile("udf #0" ::"r"(stack) : "memory");
}
static int read_text(const char *path, char *text, size_t count) {
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, count - 1);
    if (fd >= 0) close(fd);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}
/* Whether this is the first of its runs; it is started again after a crash. */
static int is_first_run(void) {
    int fd = open("/mnt/config/mutable", O_RDWR | O_CREAT, 0600);
    char mark;
    int is_first = read(fd, &mark, 1) != 1;
    if (is_first) write(fd, "1", 1);
    close(fd);
    return is_first;
}
static int overwrite(const char *what, const char *path) {
    char text[256];
    if (is_first_run()) crash_into(path, NULL);
    read_text(path, text, sizeof text);
    int is_changed = strncmp(text, "azcore:", 7) == 0;
    return said(what, is_changed, is_changed ? "a file of the system's was overwritten" : "the file is as it was");
}
static int take_user(const char *what, const char *component) {
    char line[96];
    snprintf(line, sizeof line, "\n%s %d\n", component, UPDATER);
    if (is_first_run()) crash_into("/run/uid_map", line);
    return said(what, getuid() == UPDATER, getuid() == UPDATER ? "it is the updater now" : "it is who it was");
}
static int switch_off(const char *what) {
    uint32_t request[3] = {0, 1, 0}; /* the UART of ISU1, off */
    int fd = open("/dev/peripherals", O_RDWR);
    if (ioctl(fd, SWITCH, request) < 0) return said(what, 0, strerror(errno));
    return said(what, 1, "another app's UART is off");
}
static int flood(const char *what) {
    uint8_t digest[96] = {0};
    int fd = open("/dev/pluton", O_RDWR);
    struct pluton_request request = {SIGN, digest, sizeof digest, NULL, 0};
    for (int count = 0; count < 200; count++)
        if (ioctl(fd, PLUTON_BEGIN, &request) < 0) return said(what, 0, strerror(errno));
    return said(what, 1, "there is no end");
}
/* 64 bytes that the driver replaces, a digest, and a word too many: it lies where Pluton keeps which key is to sign. */
static int overflow_pluton(const char *what) {
    uint8_t request[100] = {0}, signature[64] = {0};
    memset(request + 64, 0xA5, 32);
    request[96] = 1;
    int fd = open("/dev/pluton", O_RDWR);
    struct pluton_request call = {SIGN, request, sizeof request, signature, sizeof signature};
    if (fd < 0 || ioctl(fd, PLUTON_CALL, &call) < 0) return said(what, 0, strerror(errno));
    for (int index = 0; index < 64; index++) printf("%02x", signature[index]);
    printf("\n");
    return said(what, 1, "signed by another key");
}
static void *begin_one(void *file) {
    uint8_t digest[96] = {0};
    struct pluton_request request = {SIGN, digest, sizeof digest, NULL, 0};
    ioctl(*(int *)file, PLUTON_BEGIN, &request);
    return NULL;
}
static int race(const char *what) {
    int fd = open("/dev/pluton", O_RDWR);
    pthread_t other;
    pthread_create(&other, NULL, begin_one, &fd);
    begin_one(&fd);
    pthread_join(other, NULL);
    return said(what, 0, "both were answered");
}
/* A socket between apps whose peer is gone: its option goes to whatever lies there now. */
static int become(uint32_t user, uint32_t rights) {
    uint32_t words[2] = {user, rights};
    uint8_t nowhere[18] = {0};
    int fd = socket(FAMILY, SOCK_DGRAM, 0);
    connect(fd, (struct sockaddr *)nowhere, sizeof nowhere);
    int result = setsockopt(fd, FAMILY, 1, words, sizeof words);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}
static int stale_socket(const char *what) {
    if (become(0, 0) < 0) return said(what, 0, strerror(errno));
    return said(what, getuid() == 0, "it is root now");
}
static int map_tree(const char *what) {
    if (become(0, 0) < 0) return said(what, 0, strerror(errno));
    int fd = open("/proc/fdt", O_RDONLY);
    const uint32_t *words = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (words == MAP_FAILED) return said(what, 0, strerror(errno));
    return said(what, words[300] >> 24 == 0xC0, words[300] ? "the kernel's memory is known" : "zeros behind it");
}
static int ask_monitor(const char *what, unsigned long call, uint32_t first, uint32_t second, uint32_t third, const char *how) {
    if (become(0, 1) < 0) return said(what, 0, strerror(errno));
    uint32_t words[3] = {first, second, third};
    int fd = open("/dev/security-monitor", O_RDWR);
    if (ioctl(fd, call, words) < 0) return said(what, 0, strerror(errno));
    return said(what, 1, how);
}
static int read_pins(const char *what) {
    uint8_t info[68] = {0};
    int fd = open("/dev/gpiochip0", O_RDWR), leaked = 0;
    if (ioctl(fd, CHIP_INFO, info) < 0) return said(what, 0, strerror(errno));
    for (size_t index = strlen((char *)info) + 1; index < 32; index++) leaked += info[index] != 0;
    return said(what, leaked > 0, leaked ? "the kernel's addresses are known" : "zeros behind the name");
}
static const char page[4096] = "not an image";
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "A-07") == 0) return open_own_node(what);
    if (strcmp(what, "A-08") == 0) return overwrite(what, "/run/azcore");
    if (strcmp(what, "A-09") == 0) return take_user(what, argv[2]);
    if (strcmp(what, "A-10") == 0) return overwrite(what, "/run/uid_map");
    if (strcmp(what, "A-13") == 0) return switch_off(what);
    if (strcmp(what, "A-15") == 0) return flood(what);
    if (strcmp(what, "A-16") == 0) return overflow_pluton(what);
    if (strcmp(what, "A-17") == 0) return race(what);
    if (strcmp(what, "A-19") == 0) return map_tree(what);
    if (strcmp(what, "A-20") == 0) return stale_socket(what);
    if (strcmp(what, "A-23") == 0) return ask_monitor(what, MONITOR_MANIFEST, 10, 0, (uint32_t)(uintptr_t)page, "older versions are allowed");
    if (strcmp(what, "A-25") == 0) return ask_monitor(what, MONITOR_COMMIT, 15, 0x800000, 4096, "another keystore counts");
    if (strcmp(what, "A-27") == 0) return ask_monitor(what, MONITOR_WRITE, 0x10000, (uint32_t)(uintptr_t)page, sizeof page, "flash is overwritten");
    if (strcmp(what, "A-30") == 0) return read_pins(what);
    printf("unknown\n");
    return 2;
}
