// Two tasks whose floats are in the core's registers when their turn ends.
#include "kernel.h"
#include "uart.h"
#include <cstdio>

static volatile bool isSummed;
static volatile float sum;

static void waste() {
    for (volatile int turn = 0; turn < 50; turn = turn + 1) {}
}
static void add() {
    float total = 0;
    for (int n = 1; n <= 1000; n++) {
        total += 1.0f / float(n);
        waste();
    }
    sum = total;
    isSummed = true;
    for (;;) {}
}
static void multiply() {
    float product = 1;
    for (int n = 0; n < 1000; n++) {
        product *= 1.001f;
        waste();
    }
    while (!isSummed) {}
    char line[64];
    snprintf(line, sizeof line, "sum %d, product %d\r\n", int(sum * 1000), int(product * 1000));
    uart_print(line);
    for (;;) {}
}

int main() {
    kernel_add(add);
    kernel_add(multiply);
    kernel_start();
}
