/* A network client: looks up a name, connects, says what it is told to say, prints what comes back. With --serve it answers
   itself on a port of its own. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int serve(const char *port) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0) {
        printf("bind: %s\n", strerror(errno));
        return 2;
    }
    listen(listener, 4);
    int out = socket(AF_INET, SOCK_STREAM, 0);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    printf("connect %d\n", connect(out, (struct sockaddr *)&own, sizeof own));
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int in = accept(listener, (struct sockaddr *)&peer, &length);
    printf("from %08x, %d bytes\n", ntohl(peer.sin_addr.s_addr), (int)length);
    write(out, "to myself", 9);
    char text[16] = "";
    printf("read %zd %s\n", read(in, text, 15), text);
    shutdown(out, SHUT_WR);
    printf("end %zd\n", read(in, text, 15));
    struct timeval time = {2, 0};
    setsockopt(out, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    printf("timeout %zd %s\n", recv(out, text, 15, 0), strerror(errno));
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    write(pair[0], "pair", 4);
    memset(text, 0, sizeof text);
    read(pair[1], text, 15);
    printf("%s\n", text);
    return 0;
}
int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 2 && strcmp(argv[1], "--serve") == 0) return serve(argv[2]);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int result = getaddrinfo(argv[1], argv[2], &hints, &found);
    if (result != 0) {
        printf("%s: %s\n", argv[1], gai_strerror(result));
        return 2;
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        printf("connect: %s\n", strerror(errno));
        return 3;
    }
    if (argc > 3) write(fd, argv[3], strlen(argv[3]));
    char text[256];
    ssize_t count;
    while ((count = read(fd, text, sizeof text)) > 0) printf("%.*s\n", (int)count, text);
    printf("end %zd\n", count);
    return 0;
}
