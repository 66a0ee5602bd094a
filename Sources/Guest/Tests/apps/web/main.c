/* Servers of the world's, with other chains and an older TLS than the device's own links take. */
#include <applibs/application.h>
#include <applibs/log.h>
#include <applibs/storage.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tlsutils/tls.h>
#include <unistd.h>

static const char *roots;

/* What an `openssl s_server -www` says of the connection. */
static void say(const char *host, uint16_t port, Tls_Identity identity, Tls_Rule rule) {
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    static char answer[8192];
    size_t length = 0;
    int fd = Tls_ConnectByRule(host, port, identity, roots, rule);
    ssize_t count = fd < 0 ? -1 : write(fd, request, sizeof request - 1);
    while (count > 0 && length < sizeof answer - 1 && (count = read(fd, answer + length, sizeof answer - 1 - length)) > 0) length += (size_t)count;
    answer[length] = 0;
    const char *line = strstr(answer, "New, ");
    if (line) Log_Debug("%s:%u: %.*s%s\n", host, port, (int)strcspn(line, "\n"), line, strstr(answer, "-----BEGIN CERTIFICATE") ? ", knows us" : "");
    else Log_Debug("%s:%u: %s\n", host, port, count < 0 ? strerror(errno) : "closed");
    if (fd >= 0) close(fd);
}

int main(void) {
    bool isReady = false;
    roots = Storage_GetAbsolutePathInImagePackage("certs/roots.pem");
    say("www.example.com", 443, Tls_Identity_None, Tls_Rule_Common);
    say("www.example.com", 444, Tls_Identity_None, Tls_Rule_Common);
    say("www.example.com", 443, Tls_Identity_None, Tls_Rule_Strict);
    say("api.example.com", 443, Tls_Identity_None, Tls_Rule_Common);
    say("www.example.com", 445, Tls_Identity_None, Tls_Rule_Common);
    while (Application_IsDeviceAuthReady(&isReady) == 0 && !isReady) sleep(1);
    say("www.example.com", 443, Tls_Identity_Device, Tls_Rule_Common);
    int result = Tls_ConnectByRule("www.example.com", 443, Tls_Identity_None, NULL, Tls_Rule_Common);
    Log_Debug("without roots: %d %s\n", result, strerror(errno));
    Log_Debug("done\n");
    for (;;) pause();
}
