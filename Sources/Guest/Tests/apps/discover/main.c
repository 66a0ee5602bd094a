/* Asks DNS which services there are, where they are and what they say of themselves, and goes there. */
#include <applibs/log.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POINTER = 12, TEXT = 16, SERVICE = 33, HEAD = 12 };

/* One question, and where the first answer's data begins in the message; 0 if there is none. */
static int ask(const char *name, int type, unsigned char *message, int *count) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0), length = HEAD;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(message, (unsigned char[]){0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, HEAD);
    for (const char *label = name; *label;) {
        size_t size = strcspn(label, ".");
        message[length++] = (unsigned char)size;
        memcpy(message + length, label, size);
        length += (int)size;
        label += size + (label[size] == '.');
    }
    memcpy(message + length, (unsigned char[]){0, 0, (unsigned char)type, 0, 1}, 5);
    length += 5;
    sendto(fd, message, (size_t)length, 0, (struct sockaddr *)&server, sizeof server);
    int got = (int)recv(fd, message, 512, 0);
    close(fd);
    *count = got < 0 ? -1 : message[7];
    return got > length + 12 && message[7] > 0 ? length + 12 : 0;
}

/* A name without compression, dotted. */
static const char *dotted(const unsigned char *data, char *text) {
    char *end = text;
    while (*data) {
        if (end != text) *end++ = '.';
        memcpy(end, data + 1, *data);
        end += *data;
        data += *data + 1;
    }
    *end = 0;
    return text;
}

int main(void) {
    unsigned char message[512];
    char instance[256], host[256];
    int count, at = ask("_http._tcp.example.com", POINTER, message, &count);
    if (!at) return 1;
    Log_Debug("%d: %s\n", count, dotted(message + at, instance));
    if (!(at = ask(instance, SERVICE, message, &count))) return 2;
    Log_Debug("%s port %d\n", dotted(message + at + 6, host), message[at + 4] << 8 | message[at + 5]);
    if (!(at = ask(instance, TEXT, message, &count))) return 3;
    Log_Debug("%.*s\n", message[at], message + at + 1);
    ask("_ipp._tcp.example.com", POINTER, message, &count);
    Log_Debug("printers: %d, code %d\n", count, message[3] & 15);
    ask("_http._tcp.example.org", POINTER, message, &count);
    Log_Debug("elsewhere: %d, code %d\n", count, message[3] & 15);
    struct addrinfo hints = {.ai_family = AF_INET}, *found = NULL;
    Log_Debug("address: %d\n", getaddrinfo(host, NULL, &hints, &found));
    for (;;) pause();
}
