/* The SSP beside the converter: eight frames to itself, and its interrupts. */
#include "../board.h"
enum { SSP = 0x40025000 };
static volatile uint32_t count;
static void half_full(void) { count++; REG(SSP + 0x14) = 0; }
static void show(const char *what, uint32_t value) { print(what); print(" "); print_hex(value); print("\r\n"); }
int main(void) {
    start_board();
    for (uint32_t offset = 0xFE0; offset < 0x1000; offset += 4) { print_number(REG(SSP + offset)); print(" "); }
    print("\r\n");
    show("SR", REG(SSP + 0x0C));
    REG(SSP + 0x10) = 2;
    REG(SSP + 0x00) = 0x0007; /* eight bits */
    REG(SSP + 0x04) = 1;      /* to itself, and off */
    for (uint32_t i = 0; i < 9; i++) REG(SSP + 0x08) = 0x1A0 + i;
    show("SR, full", REG(SSP + 0x0C));
    show("RIS", REG(SSP + 0x18));
    interrupt(22, half_full, 5);
    REG(SSP + 0x14) = 4;
    REG(SSP + 0x04) = 3;
    while (REG(SSP + 0x0C) & 16) {}
    show("SR, sent", REG(SSP + 0x0C));
    print_line("interrupts ", count);
    show("RIS", REG(SSP + 0x18));
    while (REG(SSP + 0x0C) & 4) show("DR", REG(SSP + 0x08));
    show("RIS", REG(SSP + 0x18));
    REG(SSP + 0x00) = 0x000F; /* sixteen bits */
    REG(SSP + 0x08) = 0x12345;
    while (REG(SSP + 0x0C) & 16) {}
    show("DR", REG(SSP + 0x08));
    show("SR", REG(SSP + 0x0C));
    finish();
}
