/* Two transfers at once, driven by the event loop: sockets and timeouts as curl asks for them. */
#include <applibs/eventloop.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { TRANSFERS = 2 };
static EventLoop *loop;
static CURLM *multi;
static int timer, left = TRANSFERS;
static char bodies[TRANSFERS][128];

static size_t keep(char *bytes, size_t size, size_t count, void *body) {
    strncat(body, bytes, size * count);
    return size * count;
}
static void act(curl_socket_t socket) {
    int running, waiting;
    CURLMcode code = curl_multi_socket_action(multi, socket, 0, &running);
    if (code != CURLM_OK) Log_Debug("%s\n", curl_multi_strerror(code));
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &waiting));) {
        if (message->data.result != CURLE_OK) Log_Debug("%s\n", curl_easy_strerror(message->data.result));
        left--;
    }
}
static void ready(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) { act(fd); }
static void expired(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    uint64_t times;
    if (read(fd, &times, sizeof times) > 0) act(CURL_SOCKET_TIMEOUT);
}
static int watch(CURL *easy, curl_socket_t fd, int action, void *user, void *registration) {
    if (action == CURL_POLL_REMOVE) return EventLoop_UnregisterIo(loop, registration);
    if (!registration) {
        registration = EventLoop_RegisterIo(loop, fd, EventLoop_None, ready, NULL);
        curl_multi_assign(multi, fd, registration);
    }
    return EventLoop_ModifyIoEvents(
        loop, registration, (action & CURL_POLL_IN ? EventLoop_Input : 0) | (action & CURL_POLL_OUT ? EventLoop_Output : 0));
}
/* What is due at once is done at once, from within curl's own call. */
static int await(CURLM *handle, long milliseconds, void *user) {
    if (milliseconds == 0) act(CURL_SOCKET_TIMEOUT);
    if (milliseconds > 0) {
        struct itimerspec due = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000000}};
        timerfd_settime(timer, 0, &due, NULL);
    }
    return 0;
}

int main(void) {
    bool isReady = false;
    Networking_IsNetworkingReady(&isReady);
    Log_Debug("ready: %d\n", isReady);
    loop = EventLoop_Create();
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    EventLoop_RegisterIo(loop, timer, EventLoop_Input, expired, NULL);
    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, await);
    const char *urls[] = {"http://www.example.com/one", "http://www.example.com/two"};
    for (int index = 0; index < TRANSFERS; index++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, urls[index]);
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, bodies[index]);
        curl_multi_add_handle(multi, easy);
    }
    while (left > 0) EventLoop_Run(loop, -1, true);
    for (int index = 0; index < TRANSFERS; index++) Log_Debug("%s", bodies[index]);
    return 0;
}
