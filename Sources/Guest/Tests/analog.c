/* Fades PWM0 channel 0 in ten steps, and reads ADC channels 0 and 1 by polling, then by interrupt. */
#include "mt3620.h"
static volatile int done;
static void converted(void) {
    while (REG(ADC + 0x214) & 1) {
        uint32_t sample = REG(ADC + 0x200);
        print("interrupt: channel ");
        print_number(sample & 15);
        print_line(" = ", sample >> 4 & 0xFFF);
    }
    done = 1;
}
int main(void) {
    uint32_t pwm = GROUP(0) + 0x1000;
    for (uint32_t on = 0; on <= 10; on++) {
        REG(pwm + 0x104) = on | (10 - on) << 16;
        REG(pwm + 0x100) = 1 | 1 << 1 | 1 << 4;
    }
    /* Channel 1: kicked before it has its clock, stopped by its clock alone, given it back; another kick that is none. */
    REG(pwm + 0x114) = 1 | 3 << 16;
    REG(pwm + 0x110) = 1;
    REG(pwm + 0x110) |= 1 << 4;
    REG(pwm + 0x114) = 3 | 1 << 16;
    REG(pwm + 0x110) &= ~(1u << 4);
    REG(pwm + 0x110) |= 1 << 4;
    REG(pwm + 0x110) |= 1;
    REG(ADC) = 1;
    REG(ADC + 0x100) = 3 << 16;
    REG(ADC + 0x100) = 3 << 16 | 1;
    for (int n = 0; n < 2; n++) {
        while (!(REG(ADC + 0x214) & 1)) {}
        uint32_t sample = REG(ADC + 0x200);
        print("channel ");
        print_number(sample & 15);
        print_line(" = ", sample >> 4 & 0xFFF);
    }
    interrupt(70, converted, 5);
    REG(ADC + 0x260) = 2 << 2;
    REG(ADC + 0x204) = 1;
    REG(ADC + 0x100) = 3 << 16;
    REG(ADC + 0x100) = 3 << 16 | 1;
    while (!done) wait();
    print("done\r\n");
    return 0;
}
