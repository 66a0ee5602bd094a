/* Calls that ordinary programs make beside the usual ones: several messages at once, signals by descriptor, names, interfaces, memory. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SAY(what, result) do { long r_ = (long)(result); printf("%s %ld%s%s\n", what, r_, r_ < 0 ? " " : "", r_ < 0 ? strerror(errno) : ""); } while (0)

static void messages(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    SAY("bind", bind(receiver, (struct sockaddr *)&to, sizeof to));
    SAY("connect", connect(sender, (struct sockaddr *)&to, sizeof to));
    char *texts[] = {"one", "two!", "three"};
    struct iovec parts[3];
    struct mmsghdr heads[3] = {0};
    for (int i = 0; i < 3; i++) {
        parts[i] = (struct iovec){texts[i], strlen(texts[i])};
        heads[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    SAY("sendmmsg", sendmmsg(sender, heads, 3, 0));
    printf("lengths %u %u %u\n", heads[0].msg_len, heads[1].msg_len, heads[2].msg_len);
    int waiting = 0;
    ioctl(receiver, FIONREAD, &waiting);
    SAY("waiting", waiting);
    char rooms[4][8];
    memset(rooms, 0, sizeof rooms);
    struct iovec places[4];
    struct mmsghdr got[4] = {0};
    for (int i = 0; i < 4; i++) {
        places[i] = (struct iovec){rooms[i], 7};
        got[i].msg_hdr = (struct msghdr){.msg_iov = &places[i], .msg_iovlen = 1};
    }
    SAY("recvmmsg", recvmmsg(receiver, got, 4, MSG_WAITFORONE, NULL));
    printf("%s %s %s\n", rooms[0], rooms[1], rooms[2]);
    SAY("nothing more", recvmmsg(receiver, got, 4, MSG_DONTWAIT, NULL));
    SAY("raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static void signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct signalfd_siginfo information[2];
    SAY("none", read(descriptor, information, sizeof information));
    kill(getpid(), SIGUSR1);
    pid_t child = fork();
    if (child == 0) _exit(7);
    struct pollfd one = {descriptor, POLLIN, 0};
    usleep(1000);
    SAY("ready", poll(&one, 1, 1000));
    SAY("signals", read(descriptor, information, sizeof information) / (long)sizeof information[0]);
    printf("signal %u %s, child %u %u %d\n", information[0].ssi_signo, information[0].ssi_pid == (unsigned)getpid() ? "own" : "other",
        information[1].ssi_signo, information[1].ssi_pid == (unsigned)child, information[1].ssi_status);
    siginfo_t state = {0};
    SAY("waitid", waitid(P_PID, child, &state, WEXITED));
    printf("state %d %d\n", state.si_code, state.si_status);
    SAY("no child", waitid(P_ALL, 0, &state, WEXITED));
}

static void names(void) {
    struct stat status;
    int file = open("/tmp/a", O_CREAT | O_RDWR, 0600);
    struct iovec parts[2] = {{"ab", 2}, {"cd", 2}};
    SAY("pwritev", pwritev(file, parts, 2, 3));
    char text[8] = "";
    struct iovec rooms[2] = {{text, 1}, {text + 1, 4}};
    SAY("preadv", preadv(file, rooms, 2, 4));
    printf("%s\n", text);
    SAY("link", link("/tmp/a", "/tmp/b"));
    stat("/tmp/b", &status);
    printf("links %d, %d bytes\n", (int)status.st_nlink, (int)status.st_size);
    SAY("again", link("/tmp/a", "/tmp/b"));
    SAY("not one's own", link("/etc/passwd", "/tmp/c"));
    SAY("elsewhere", link("/proc/self/comm", "/tmp/c"));
    SAY("folder", link("/tmp", "/tmp/c"));
    SAY("truncate", truncate("/tmp/b", 2));
    struct timespec times[2] = {{0, UTIME_OMIT}, {1000000000, 0}};
    SAY("times", utimensat(AT_FDCWD, "/tmp/a", times, 0));
    stat("/tmp/a", &status);
    printf("%ld, %d bytes\n", (long)status.st_mtime, (int)status.st_size);
    SAY("attribute", getxattr("/tmp/a", "user.x", text, 8));
    SAY("owner", chown("/tmp/a", 0, 0));
    SAY("mount", syscall(SYS_mount, "a", "/tmp", "b", 0, 0));
    int memory = memfd_create("m", MFD_CLOEXEC);
    SAY("memory file", write(memory, "xyz", 3));
    SAY("close range", syscall(436, memory, memory, 0));
    SAY("closed", write(memory, "x", 1));
    SAY("shared", mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED ? -1 : 0);
}

static void interfaces(void) {
    struct ifaddrs *list = NULL;
    SAY("getifaddrs", getifaddrs(&list));
    for (struct ifaddrs *each = list; each; each = each->ifa_next) {
        char text[INET_ADDRSTRLEN] = "-";
        if (each->ifa_addr && each->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((struct sockaddr_in *)each->ifa_addr)->sin_addr, text, sizeof text);
        printf("%s %s %s\n", each->ifa_name, each->ifa_flags & IFF_LOOPBACK ? "loopback" : "other", text);
    }
    printf("index %u\n", if_nametoindex("lo"));
}

int main(void) {
    messages();
    signals();
    names();
    interfaces();
    size_t count = 64 << 10;
    char *pages = mmap(0, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 5, count);
    SAY("give back", madvise(pages, count, MADV_DONTNEED));
    printf("zero %d\n", pages[count - 1]);
}
