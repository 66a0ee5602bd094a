/* Says hello on ISU 0, then answers each line with its length: for peers of all kinds. Waits in interrupts. */
#include "wires.h"
static volatile char line[80];
static volatile uint32_t length, lines;
static void say(char c) { while (!(REG(SERIAL(0) + 0x14) & 0x20)) {} REG(SERIAL(0)) = (uint8_t)c; }
static void on_serial(void) {
    while (REG(SERIAL(0) + 0x14) & 1) {
        char c = REG(SERIAL(0));
        if (c == '\n') lines++; else if (length < sizeof line) line[length++] = c;
    }
}
int main(void) {
    serial_open(0, 1);
    interrupt(47, on_serial, 2);
    REG(SERIAL(0) + 0x04) = 1;
    for (const char *c = "hello\n"; *c; c++) say(*c);
    uint32_t seen = 0;
    for (;;) {
        WAIT_UNTIL(lines > seen);
        seen++;
        print("heard ");
        for (uint32_t i = 0; i < length; i++) put(line[i]);
        print("\r\n");
        say('0' + length % 10);
        say('\n');
        length = 0;
    }
}
