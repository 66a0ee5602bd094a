/* Two threads that hand a number to each other. */
#include "kernel.h"
#include "uart.h"
#include <stdio.h>

static volatile int ball;

static void ping(void) {
    for (int seen; (seen = ball) < 9;) if (seen % 2 == 0) ball = seen + 1;
    for (;;) {}
}
static void pong(void) {
    for (int seen; (seen = ball) < 9;) if (seen % 2 == 1) ball = seen + 1;
    char line[32];
    snprintf(line, sizeof line, "ball %d\r\n", ball);
    uart_print(line);
    for (;;) {}
}
int main(void) {
    kernel_add(ping);
    kernel_add(pong);
    kernel_start();
}
