/* As iperf does: `sink` takes what comes on port 5001 and answers with what it has got; `source HOST BYTES` sends it. Each byte says
 * where it stands, so that nothing can be lost, come twice or change places. */
#include <applibs/applications.h>
#include <applibs/log.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 5001, CHUNK = 24 * 1024, PERIOD = 251 };
static unsigned char pattern[CHUNK + PERIOD], buffer[CHUNK];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int sink(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (bind(listener, (struct sockaddr *)&own, sizeof own) || listen(listener, 4)) return 1;
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) return 2;
        uint64_t count = 0, wrong = 0;
        ssize_t got;
        while ((got = read(peer, buffer, sizeof buffer)) > 0) {
            wrong += memcmp(buffer, pattern + count % PERIOD, (size_t)got) != 0;
            /* Busy with something else: what comes meanwhile waits. */
            if (count < 200000 && count + (uint64_t)got >= 200000) sleep(3);
            count += (uint64_t)got;
        }
        Log_Debug("got %llu bytes, %llu wrong, peak %zu KiB\n", count, wrong, Applications_GetPeakUserModeMemoryUsageInKB());
        /* Its sender has shut its half only. */
        if (write(peer, &count, sizeof count) != sizeof count) Log_Debug("answer: %s\n", strerror(errno));
        close(peer);
    }
}

static int source(const char *host, uint64_t bytes) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    while (getaddrinfo(host, "5001", &hints, &found) != 0) sleep(1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    while (connect(fd, found->ai_addr, found->ai_addrlen) != 0) sleep(1);
    double start = now();
    uint64_t sent = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ssize_t count;
    while ((count = write(fd, pattern + sent % PERIOD, CHUNK)) > 0) sent += (uint64_t)count;
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    Log_Debug("full after %llu: %s, writable %d\n", sent, strerror(errno), poll(&one, 1, 0));
    int ready = poll(&one, 1, -1);
    Log_Debug("writable %d after %.0f ms\n", ready, (now() - start) * 1000);
    fcntl(fd, F_SETFL, 0);
    int is_short = 0;
    while (sent < bytes) {
        size_t wanted = bytes - sent < CHUNK ? (size_t)(bytes - sent) : CHUNK;
        count = send(fd, pattern + sent % PERIOD, wanted, 0);
        if (count < 0) {
            Log_Debug("send: %s\n", strerror(errno));
            return 3;
        }
        is_short += (size_t)count != wanted;
        sent += (uint64_t)count;
    }
    shutdown(fd, SHUT_WR);
    uint64_t answer = 0;
    count = recv(fd, &answer, sizeof answer, MSG_WAITALL);
    double seconds = now() - start;
    Log_Debug("sent %llu bytes, %d short writes, answer %llu\n", sent, is_short, answer);
    Log_Debug("%.0f kbit/s in %.1f s, peak %zu KiB\n", (double)sent * 8 / seconds / 1000, seconds, Applications_GetPeakUserModeMemoryUsageInKB());
    for (;;) pause();
}

int main(int argc, char *argv[]) {
    for (int index = 0; index < (int)sizeof pattern; index++) pattern[index] = (unsigned char)(index % PERIOD);
    if (argc == 2 && strcmp(argv[1], "sink") == 0) return sink();
    return argc == 4 ? source(argv[2], strtoull(argv[3], NULL, 10)) : 64;
}
