/* A button (GPIO 12, low when pressed) as an external interrupt on both edges drives a relay (GPIO 0). */
#include "mt3620.h"
static void edge(void) {
    int pressed = !(REG(GROUP(3) + 0x04) & 1);
    REG(GROUP(0) + 0x10) = pressed;
    print(pressed ? "pressed\r\n" : "released\r\n");
}
int main(void) {
    REG(GROUP(0) + 0x24) = 1;
    REG(CIRQ + 4 * 12) = 1 << 7 | 1 << 8 | 1 << 9;
    interrupt(20 + 12, edge, 5);
    for (;;) wait();
}
