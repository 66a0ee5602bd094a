/* Two threads that hand a number to each other. */
#include "kernel.h"
#include "uart.h"
#include <stdio.h>

static volatile int ball;

static void ping(void) {
    for (;;) if (ball % 2 == 0) ball++;
}
static void pong(void) {
    while (ball < 9) if (ball % 2 == 1) ball++;
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
