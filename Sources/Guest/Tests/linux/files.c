/* Files, pipes, polling, epoll, timers, clocks: what each says, right and wrong. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SAY(what, result) do { long r_ = (long)(result); printf("%s %ld%s%s\n", what, r_, r_ < 0 ? " " : "", r_ < 0 ? strerror(errno) : ""); } while (0)

static void files(void) {
    int fd = open("/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0640);
    struct iovec parts[2] = {{"hello ", 6}, {"world", 5}};
    SAY("writev", writev(fd, parts, 2));
    SAY("seek", lseek(fd, -5, SEEK_END));
    char text[16] = "";
    SAY("read", read(fd, text, 15));
    struct stat status;
    fstat(fd, &status);
    printf("%s, %o, %lld bytes\n", text, status.st_mode, (long long)status.st_size);
    SAY("pwrite", pwrite(fd, "W", 1, 6));
    SAY("truncate", ftruncate(fd, 7));
    SAY("exclusive", open("/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0640));
    SAY("read-only", open("/etc/passwd", O_RDWR));
    SAY("no file", open("/tmp/none", O_RDONLY));
    SAY("no folder", open("/tmp/a/b", O_RDONLY));
    SAY("folder", open("/tmp", O_WRONLY));
    SAY("bad address", write(fd, (void *)16, 4));
    SAY("bad descriptor", write(99, "x", 1));
    SAY("append", open("/tmp/a", O_WRONLY | O_APPEND));
    mkdir("/tmp/d", 0755);
    rename("/tmp/a", "/tmp/d/b");
    symlink("d/b", "/tmp/link");
    symlink("loop", "/tmp/loop");
    SAY("link", readlink("/tmp/link", text, sizeof text));
    SAY("through", open("/tmp/link", O_RDONLY));
    SAY("loop", open("/tmp/loop", O_RDONLY));
    SAY("not empty", rmdir("/tmp/d"));
    DIR *folder = opendir("/tmp");
    for (struct dirent *entry; (entry = readdir(folder));) printf("%s ", entry->d_name);
    printf("\n");
    closedir(folder);
    SAY("dup", dup2(fd, 40));
    SAY("flags", fcntl(40, F_GETFL) & O_ACCMODE);
    close(fd);
    close(40);
}
static void waiting(void) {
    int pipes[2];
    SAY("pipe", pipe2(pipes, O_NONBLOCK));
    char byte;
    SAY("empty", read(pipes[0], &byte, 1));
    struct pollfd ready = {pipes[0], POLLIN, 0};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    SAY("poll", poll(&ready, 1, 250));
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("waited %ld ms\n", (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
    write(pipes[1], "x", 1);
    SAY("poll", poll(&ready, 1, -1));
    int poller = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), event = eventfd(3, 0);
    struct itimerspec time = {{0, 100000000}, {0, 300000000}};
    timerfd_settime(timer, 0, &time, NULL);
    int descriptors[] = {pipes[0], timer, event};
    for (int index = 0; index < 3; index++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptors[index], &wanted);
    }
    struct epoll_event found[4];
    int count = epoll_wait(poller, found, 4, -1);
    printf("ready %d: %u %u\n", count, found[0].data.u32, found[1].data.u32);
    read(pipes[0], &byte, 1);
    uint64_t value;
    read(event, &value, 8);
    printf("event %llu\n", (unsigned long long)value);
    count = epoll_wait(poller, found, 4, -1);
    printf("ready %d: %u\n", count, found[0].data.u32);
    struct timespec rest = {0, 250000000};
    nanosleep(&rest, NULL);
    read(timer, &value, 8);
    printf("expired %llu\n", (unsigned long long)value);
    SAY("again", read(timer, &value, 8));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipes[0], &set);
    close(pipes[1]);
    SAY("select", select(pipes[0] + 1, &set, NULL, NULL, NULL));
    SAY("end", read(pipes[0], &byte, 1));
    SAY("epoll of a file", epoll_ctl(poller, EPOLL_CTL_ADD, open("/etc/passwd", O_RDONLY), found));
}
int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    files();
    waiting();
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    printf("clock %lld\n", (long long)now.tv_sec);
    SAY("set clock", clock_settime(CLOCK_REALTIME, &now));
    unsigned char bytes[4];
    SAY("random", getrandom(bytes, 4, 0));
    SAY("unknown", syscall(444));
    int last = 0, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) last = fd;
    SAY("too many", fd);
    printf("last %d\n", last);
    return 0;
}
