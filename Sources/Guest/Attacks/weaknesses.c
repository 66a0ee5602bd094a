/* One published weakness of the original's OS for each word: says what came of it, by what machine code of its own does. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* mov r0, #42; bx lr */
static const uint32_t implant[2] = {0xE3A0002A, 0xE12FFF1E};
__attribute__((noinline, target("arm"), aligned(4))) static int genuine(void) {
    __asm volatile("" ::: "memory");
    return 7;
}

static int said(const char *what, int is_compromised, const char *how) {
    printf("%s: %s: %s\n", what, is_compromised ? "compromised" : "defended", how);
    return is_compromised ? 1 : 0;
}
/* Code of the image, rewritten through a file that shows this program's memory. */
static int rewrite_code(const char *what, const char *path) {
    int fd = open(path, O_RDWR);
    if (fd < 0) return said(what, 0, strerror(errno));
    int (*volatile function)(void) = genuine;
    if (pwrite(fd, implant, sizeof implant, (off_t)(uintptr_t)function) != sizeof implant) return said(what, 0, strerror(errno));
    __builtin___clear_cache((char *)(uintptr_t)function, (char *)(uintptr_t)function + sizeof implant);
    return said(what, function() == 42, "unsigned code ran");
}
static int run_data(const char *what) {
    if (personality(READ_IMPLIES_EXEC) < 0) return said(what, 0, "personality refused");
    uint32_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, implant, sizeof implant);
    __builtin___clear_cache((char *)page, (char *)(page + 2));
    return said(what, ((int (*)(void))page)() == 42, "unsigned code ran");
}
static int read_log(const char *what) {
    char text[256] = "";
    int count = klogctl(3, text, sizeof text - 1);
    if (count < 0) return said(what, 0, strerror(errno));
    return said(what, strstr(text, "0xc0") != NULL, "the kernel's addresses are known");
}
static int fill_storage(const char *what) {
    int fd = open("/mnt/config/mutable", O_RDWR | O_CREAT, 0600);
    static char block[4096];
    long total = 0;
    ssize_t count;
    while (fd >= 0 && total < 65536 && (count = write(fd, block, sizeof block)) > 0) total += count;
    return said(what, total > 8192, total > 8192 ? "more than the manifest allows is stored" : strerror(errno));
}
static int short_random(const char *what) {
    unsigned char bytes[7];
    int seen[3] = {0};
    for (int turn = 0; turn < 32; turn++) {
        memset(bytes, 0, sizeof bytes);
        if (syscall(SYS_getrandom, bytes, sizeof bytes, 0) < 0) return said(what, 0, strerror(errno));
        for (int index = 0; index < 3; index++) seen[index] |= bytes[4 + index];
    }
    int is_short = !seen[0] && !seen[1] && !seen[2];
    return said(what, is_short, is_short ? "the last bytes of keys are known" : "all bytes are random");
}
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/mem", (int)getpid());
    if (strcmp(what, "A-01") == 0) return rewrite_code(what, "/proc/self/mem");
    if (strcmp(what, "A-02") == 0) return rewrite_code(what, "/proc/thread-self/mem");
    if (strcmp(what, "A-03") == 0) return rewrite_code(what, path);
    if (strcmp(what, "A-04") == 0) return run_data(what);
    if (strcmp(what, "A-18") == 0) return read_log(what);
    if (strcmp(what, "A-21") == 0) return fill_storage(what);
    if (strcmp(what, "A-29") == 0) return short_random(what);
    printf("unknown\n");
    return 2;
}
