/* On the other real-time core: multiplies what the master (busmaster.c) has written, and has the product ready before it
   says so on the UART. */
#include "wires.h"
static volatile uint32_t done;
static void on_done(void) {
    REG(I2C(2)) = REG(I2C(2));
    done = 1;
}
int main(void) {
    interrupt(44 + 8, on_done, 2);
    serial_open(2, 1);
    clock_start();
    while (microseconds() < 2000) {}
    slave_start(2, 0, 0);
    for (;;) {
        WAIT_UNTIL(done);
        done = 0;
        uint8_t one = REG(I2C(2) + 0xF0), two = REG(I2C(2) + 0xF0), product = one * two;
        slave_start(2, &product, 1);
        REG(SERIAL(2)) = one;
        WAIT_UNTIL(done);
        done = 0;
        slave_start(2, 0, 0);
    }
}
