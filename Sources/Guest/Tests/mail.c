/* One of two real-time cores that send each other commands through their mailbox (mt3620-silicon §2.14): the first, by an
   interrupt whose number is 1, asks; both count up what the other has sent until twelve, with more at once than a FIFO holds. */
#include "mt3620.h"
enum { OTHER = 0x21060000, VERSION = 0x00, SW_RAISE = 0x14, SW_ENABLE = 0x18, SW_STATUS = 0x1C, ENABLE = 0x38, STATUS = 0x3C, PUSH = 0x40,
       PUSH_DATA = 0x44, PUSHED = 0x48, POP = 0x50, POP_DATA = 0x54, WAITING = 0x58, DEPTH = 15 };
static volatile uint32_t raised, received, sum, answered;

/* Masked between the look and the sleep: what comes in between still wakes the core. */
#define MASK(word) __asm volatile("cpsi" #word " i" ::: "memory")
#define WAIT_UNTIL(condition) do { MASK(d); if (condition) { MASK(e); break; } wait(); MASK(e); } while (1)

static void send(uint32_t command, uint32_t data) {
    while (REG(OTHER + PUSHED) == DEPTH) {}
    REG(OTHER + PUSH_DATA) = data;
    REG(OTHER + PUSH) = command;
}
static void on_raised(void) {
    raised |= REG(OTHER + SW_STATUS);
    REG(OTHER + SW_STATUS) = raised;
}
static void on_command(void) {
    while (REG(OTHER + WAITING)) {
        uint32_t data = REG(OTHER + POP_DATA), command = REG(OTHER + POP);
        if (command == 0xAAAAAA01) {
            if (data < 12) send(command, data + 1);
            answered = data;
        } else {
            received++;
            sum += data;
        }
    }
}

int main(void) {
    interrupt(17, on_raised, 2);
    interrupt(15, on_command, 3);
    REG(OTHER + SW_ENABLE) = 0xFF;
    REG(OTHER + ENABLE) = 1; /* not empty */
    for (uint32_t spent = 0; spent < 1000000; spent++) __asm volatile("nop"); /* the other is there by then */
    for (uint32_t n = 0; n < 40; n++) send(0x100 + n, n);
    WAIT_UNTIL(received == 40);
    print_line("received 40, sum ", sum);
    REG(OTHER + SW_RAISE) = 4;
    WAIT_UNTIL(raised);
    print_line("raised ", raised);
    send(0xAAAAAA01, 1);
    WAIT_UNTIL(answered >= 11);
    print_line("answered ", answered);
    for (;;) wait();
}
