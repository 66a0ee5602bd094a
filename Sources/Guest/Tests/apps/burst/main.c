/* Fills the way to a real-time core until it has no room, waits for answers, and sends on: nothing is lost, and too much is said. */
#include <applibs/application.h>
#include <applibs/log.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOTAL = 200, LONGEST = 1024 };
static int core, sent, answered, wrong;
static char text[LONGEST + 1];

static ssize_t ask(int flags) {
    memset(text, 'a' + sent % 26, LONGEST);
    text[0] = (char)sent;
    ssize_t count = send(core, text, LONGEST, flags);
    if (count == LONGEST) sent++;
    return count;
}
static void take(void) {
    char answer[LONGEST + 1];
    ssize_t count = recv(core, answer, sizeof answer, 0);
    char letter = (char)('A' + answered % 26);
    if (count != LONGEST || answer[1] != letter || answer[LONGEST - 1] != letter) wrong++;
    answered++;
}
int main(void) {
    core = Application_Connect("25025d2c-66da-4448-bae1-ac26fcdd3627");
    while (ask(MSG_DONTWAIT) > 0) {}
    struct pollfd way = {core, POLLOUT, 0};
    Log_Debug("no room after %d: %s, writable %d\n", sent, strerror(errno), poll(&way, 1, 0));
    while (answered < TOTAL) {
        while (sent < TOTAL && sent - answered < 3) ask(0);
        take();
    }
    Log_Debug("%d sent, %d answered, %d wrong\n", sent, answered, wrong);
    Log_Debug("one more byte: %zd %s\n", send(core, text, LONGEST + 1, 0), strerror(errno));
    for (;;) pause();
}
