/* TLS to the security service with and without the device's certificate, and ways in which it must fail. */
#include <applibs/application.h>
#include <applibs/log.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsutils/deviceauth.h>
#include <tlsutils/tls.h>
#include <unistd.h>

static const char service[] = "service.acme.internal";

/* One request, and the first line of the answer. */
static void say(const char *what, const char *host, uint16_t port, Tls_Identity identity, const char *roots) {
    static const char request[] = "POST /messages/secure HTTP/1.1\r\nhost: service.acme.internal\r\ncontent-length: 2\r\n\r\nhi";
    char answer[64] = "";
    int fd = Tls_Connect(host, port, identity, roots);
    ssize_t count = fd < 0 ? -1 : write(fd, request, sizeof request - 1);
    if (count > 0) count = read(fd, answer, sizeof answer - 1);
    if (count < 0) Log_Debug("%s: %s\n", what, strerror(errno));
    else Log_Debug("%s: %.12s\n", what, count == 0 ? "closed" : answer);
    if (fd >= 0) close(fd);
}

int main(void) {
    bool isReady = false;
    Log_Debug("before: %d %s\n", Tls_Connect(service, 8443, Tls_Identity_Device, NULL), strerror(errno));
    while (Application_IsDeviceAuthReady(&isReady) == 0 && !isReady) sleep(1);
    char line[32] = "";
    FILE *certificate = fopen(DeviceAuth_GetCertificatePath(), "r");
    if (certificate) fgets(line, sizeof line, certificate);
    Log_Debug("certificate: %.27s\n", line);
    say("device", service, 8443, Tls_Identity_Device, NULL);
    say("own roots", service, 8443, Tls_Identity_Device, DeviceAuth_GetCertificatePath());
    say("nobody", service, 8443, Tls_Identity_None, NULL);
    say("no TLS there", service, 80, Tls_Identity_Device, NULL);
    say("no roots", service, 8443, Tls_Identity_Device, "/etc/hosts");
    say("no file", service, 8443, Tls_Identity_Device, "/etc/roots");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    Log_Debug("not connected: %d %s\n", Tls_Secure(fd, service, Tls_Identity_Device, NULL), strerror(errno));
    for (;;) pause();
}
