#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsutils/deviceauth.h>
#include <tlsutils/tls.h>
#include <unistd.h>

const char *DeviceAuth_GetCertificatePath(void) { return "/run/daa/certificate.pem"; }

enum { LONGEST_ROOTS = 16384 };

static int refuse(int error) {
    errno = error;
    return -1;
}

int Tls_Secure(int socket, const char *serverName, Tls_Identity identity, const char *rootsPath) {
    return Tls_SecureByRule(socket, serverName, identity, rootsPath, Tls_Rule_Strict);
}
int Tls_Connect(const char *serverName, uint16_t port, Tls_Identity identity, const char *rootsPath) {
    return Tls_ConnectByRule(serverName, port, identity, rootsPath, Tls_Rule_Strict);
}

int Tls_SecureByRule(int socket, const char *serverName, Tls_Identity identity, const char *rootsPath, Tls_Rule rule) {
    if (!serverName) return refuse(EFAULT);
    size_t hostBytes = strlen(serverName);
    uint8_t *request = malloc(16 + hostBytes + LONGEST_ROOTS);
    if (!request) return -1;
    ssize_t rootBytes = 0;
    if (rootsPath) {
        int fd = open(rootsPath, O_RDONLY | O_CLOEXEC);
        rootBytes = fd < 0 ? -1 : read(fd, request + 16 + hostBytes, LONGEST_ROOTS);
        if (fd >= 0) close(fd);
        if (rootBytes == 0) errno = EINVAL;
    }
    int result = -1;
    if (rootBytes > 0 || !rootsPath) {
        uint32_t head[4] = {(uint32_t)socket, (identity == Tls_Identity_Device) | (rule == Tls_Rule_Common) << 1, hostBytes, (uint32_t)rootBytes};
        memcpy(request, head, sizeof head);
        memcpy(request + 16, serverName, hostBytes);
        result = service_request(SERVICE_SECURE_STREAM, request, 16 + hostBytes + (size_t)rootBytes, NULL, 0);
    }
    int error = errno;
    free(request);
    errno = error;
    return result;
}

int Tls_ConnectByRule(const char *serverName, uint16_t port, Tls_Identity identity, const char *rootsPath, Tls_Rule rule) {
    if (!serverName) return refuse(EFAULT);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(serverName, NULL, &hints, &found) != 0 || !found) return refuse(EHOSTUNREACH);
    struct sockaddr_in address;
    memcpy(&address, found->ai_addr, sizeof address);
    freeaddrinfo(found);
    address.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && Tls_SecureByRule(fd, serverName, identity, rootsPath, rule) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
