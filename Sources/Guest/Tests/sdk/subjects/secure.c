/* A page by TLS 1.3, with wolfSSL on a socket that never blocks; the server's root comes with the package. */
#include <applibs/eventloop.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <applibs/storage.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wolfssl/ssl.h>

#define SERVER "www.example.com"
static EventLoop *loop;
static EventRegistration *registration;
static WOLFSSL *session;
static int result = -1;
static void (*step)(void);

static int wanted(int code) {
    int error = wolfSSL_get_error(session, code);
    EventLoop_IoEvents events = error == WOLFSSL_ERROR_WANT_READ ? EventLoop_Input : error == WOLFSSL_ERROR_WANT_WRITE ? EventLoop_Output : 0;
    EventLoop_ModifyIoEvents(loop, registration, events);
    return events == 0 ? error : 0;
}
static void receive(void) {
    char bytes[16];
    int count = wolfSSL_read(session, bytes, sizeof bytes);
    if (count > 0) {
        static int hasLine;
        for (int index = 0; index < count && !hasLine; index++) {
            if (bytes[index] != '\r') Log_Debug("%c", bytes[index]);
            hasLine = bytes[index] == '\n';
        }
        return;
    }
    int error = wanted(count);
    if (error) result = count == 0 && error == WOLFSSL_ERROR_ZERO_RETURN ? 0 : 3;
}
static void handshake(void) {
    int code = wolfSSL_connect(session);
    if (code != WOLFSSL_SUCCESS) {
        int error = wanted(code);
        if (error) Log_Debug("handshake: %d\n", error);
        if (error) result = 2;
        return;
    }
    static const char request[] = "GET / HTTP/1.0\r\nHost: " SERVER "\r\n\r\n";
    Log_Debug("%s\n", wolfSSL_get_version(session));
    if (wolfSSL_write(session, request, sizeof request - 1) != sizeof request - 1) result = 4;
    EventLoop_ModifyIoEvents(loop, registration, EventLoop_Input);
    step = receive;
}
static void connected(void) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(wolfSSL_get_fd(session), SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) result = 5;
    step = handshake;
    handshake();
}
static void ready(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) { step(); }

int main(void) {
    bool isReady = false;
    if (Networking_IsNetworkingReady(&isReady) < 0 || !isReady) return 6;
    wolfSSL_Init();
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    char *root = Storage_GetAbsolutePathInImagePackage("root.pem");
    if (!root || wolfSSL_CTX_load_verify_locations(context, root, NULL) != WOLFSSL_SUCCESS) return 7;
    free(root);
    session = wolfSSL_new(context);
    wolfSSL_check_domain_name(session, SERVER);
    struct hostent *host = gethostbyname(SERVER);
    if (!host) return 8;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    loop = EventLoop_Create();
    registration = EventLoop_RegisterIo(loop, fd, EventLoop_Output, ready, NULL);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443), .sin_addr = *(struct in_addr *)host->h_addr};
    step = connected;
    wolfSSL_set_fd(session, fd);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    while (result < 0) EventLoop_Run(loop, -1, true);
    Log_Debug("ends with %d\n", result);
    return result;
}
