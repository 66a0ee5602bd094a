/* Messages with a preamble and a length on a UART, with requests, answers, events, and a limit for answers; by epoll alone. */
#include <applibs/log.h>
#define UART_STRUCTS_VERSION 1
#include <applibs/uart.h>
#include <hw/sample_appliance.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const uint8_t preamble[4] = {0x22, 0xB5, 0x58, 0xB9};
struct message {
    uint8_t preamble[4];
    uint16_t length; /* of what follows */
    uint8_t type, reserved;
    uint16_t category, what, sequence;
    uint8_t result, reserved2, body[16];
};
enum { HEAD = 6, REQUEST = 1, RESPONSE = 2, EVENT = 3 };
static int uart, timer;
static uint16_t sequence;

static void ask(uint16_t what) {
    struct message message = {.length = 10, .type = REQUEST, .category = 1, .what = what, .sequence = ++sequence};
    memcpy(message.preamble, preamble, sizeof preamble);
    for (size_t sent = 0; sent < HEAD + 10u;) {
        ssize_t count = write(uart, (uint8_t *)&message + sent, HEAD + 10 - sent);
        if (count > 0) sent += (size_t)count;
    }
    timerfd_settime(timer, 0, &(struct itimerspec){.it_value = {.tv_sec = 5}}, NULL);
}
/* Bytes that were taken: whole messages, and whatever stands before one. */
static size_t take(const uint8_t *bytes, size_t count) {
    size_t place = 0;
    while (count - place >= HEAD) {
        struct message message = {0};
        if (memcmp(bytes + place, preamble, sizeof preamble) != 0) {
            place++;
            continue;
        }
        uint16_t length;
        memcpy(&length, bytes + place + 4, sizeof length);
        if (length > sizeof message - HEAD) return count;
        if (count - place < HEAD + (size_t)length) break;
        memcpy(&message, bytes + place, HEAD + length);
        place += HEAD + length;
        if (message.type == EVENT) Log_Debug("event %u.%u\n", message.category, message.what);
        if (message.type != RESPONSE || message.sequence != sequence) continue;
        Log_Debug("answer %u: %.*s\n", message.result, length - 10, message.body);
        ask(2);
    }
    return place;
}

int main(void) {
    UART_Config config;
    UART_InitConfig(&config);
    config.baudRate = 115200;
    config.flowControl = UART_FlowControl_RTSCTS;
    uart = UART_Open(SAMPLE_NRF52_UART, &config);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int poller = epoll_create1(0);
    if (uart < 0 || timer < 0 || poller < 0) return 1;
    int both[] = {uart, timer};
    for (int index = 0; index < 2; index++)
        epoll_ctl(poller, EPOLL_CTL_ADD, both[index], &(struct epoll_event){.events = EPOLLIN, .data.fd = both[index]});
    ask(1);
    static uint8_t bytes[256];
    for (size_t count = 0;;) {
        struct epoll_event event;
        if (epoll_wait(poller, &event, 1, -1) < 1) continue;
        if (event.data.fd == timer) {
            Log_Debug("no answer\n");
            return 0;
        }
        ssize_t come = read(uart, bytes + count, sizeof bytes - count);
        if (come < 0) return 2;
        count += (size_t)come;
        size_t taken = take(bytes, count);
        count -= taken;
        memmove(bytes, bytes + taken, count);
    }
}
