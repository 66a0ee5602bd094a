/* Sends a line to a real-time core each second and prints what comes back; then tries a component that its manifest does not
   list, hosts that it lists and does not list, and waits for an update, which it puts off. */
#include <applibs/application.h>
#include <applibs/eventloop.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <applibs/sysevent.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int core, count;
static void on_answer(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    (void)el, (void)events, (void)context;
    char text[64];
    ssize_t length = recv(fd, text, sizeof text - 1, 0);
    if (length > 0) Log_Debug("core says %.*s\n", (int)length, text);
}
static void on_second(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    (void)el, (void)events, (void)context;
    uint64_t times;
    read(fd, &times, sizeof times);
    if (count == 3) return;
    char text[32] = "hl-app-to-rt-app-00";
    text[18] = (char)('0' + count++);
    Log_Debug("send %zd\n", send(core, text, strlen(text), 0));
}
static void visit(const char *host, const char *port) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int result = getaddrinfo(host, port, &hints, &found);
    if (result != 0) {
        Log_Debug("%s: %s\n", host, gai_strerror(result));
        return;
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int connected = connect(fd, found->ai_addr, found->ai_addrlen);
    Log_Debug("%s: connect %d %s\n", host, connected, connected ? strerror(errno) : "");
    static const char request[] = "GET /nothing HTTP/1.1\r\nHost: service.acme.internal\r\nConnection: close\r\n\r\n";
    if (connected == 0) {
        char text[256] = "";
        send(fd, request, sizeof request - 1, 0);
        ssize_t length = recv(fd, text, sizeof text - 1, 0);
        Log_Debug("answer %.*s\n", length > 12 ? 12 : (int)length, text);
    }
    close(fd);
    freeaddrinfo(found);
}
static void on_event(SysEvent_Events event, SysEvent_Status status, const SysEvent_Info *info, void *context) {
    (void)context;
    SysEvent_Info_UpdateData data = {0};
    SysEvent_Info_GetUpdateData(info, &data);
    Log_Debug("event %u status %u type %u, at most %u min\n", event, status, data.update_type, data.max_deferral_time_in_minutes);
    if (status == SysEvent_Status_Pending) Log_Debug("defer %d\n", SysEvent_DeferEvent(event, 30));
}
int main(void) {
    core = Application_Connect("25025D2C-66DA-4448-BAE1-AC26FCDD3627");
    int other = Application_Connect("00000000-0000-0000-0000-000000000001");
    Log_Debug("core %s, other: %s\n", core >= 0 ? "open" : strerror(errno), other < 0 ? strerror(errno) : "open");
    bool is_ready = true, has_network = true;
    Application_IsDeviceAuthReady(&is_ready);
    Networking_IsNetworkingReady(&has_network);
    Log_Debug("authenticated %d, network %d\n", is_ready, has_network);
    EventLoop *loop = EventLoop_Create();
    EventLoop_RegisterIo(loop, core, EventLoop_Input, on_answer, NULL);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec time = {{1, 0}, {1, 0}};
    timerfd_settime(timer, 0, &time, NULL);
    EventLoop_RegisterIo(loop, timer, EventLoop_Input, on_second, NULL);
    SysEvent_RegisterForEventNotifications(loop, SysEvent_Events_Mask, on_event, NULL);
    visit("service.acme.internal", "80");
    visit("oven.acme.internal", "80");
    visit("10.1.0.99", "80");
    for (;;) EventLoop_Run(loop, -1, true);
}
