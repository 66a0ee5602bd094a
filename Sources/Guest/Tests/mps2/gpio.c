/* The pins of port 0: outputs behind masks, and interrupts by edge and by level. QEMU has no such block. */
#include "../board.h"
static volatile uint32_t edges, levels;
static void edge(void) { edges++; REG(GPIO0 + 0x38) = 1 << 4; }
static void level(void) { if (++levels == 3) REG(GPIO0 + 0x24) = 1 << 5; REG(GPIO0 + 0x38) = 1 << 5; }
static void show(const char *what, uint32_t value) { print(what); print(" "); print_hex(value); print("\r\n"); }
int main(void) {
    start_board();
    show("DATA", REG(GPIO0));
    REG(GPIO0 + 0x10) = 0x0F0F;
    show("OUTEN", REG(GPIO0 + 0x10));
    REG(GPIO0 + 0x04) = 0;
    REG(GPIO0 + 0x400 + 0x05 * 4) = 0xFF;   /* MASKLOWBYTE */
    show("DATAOUT", REG(GPIO0 + 0x04));
    REG(GPIO0 + 0x800 + 0x0A * 4) = 0xFF00; /* MASKHIGHBYTE */
    show("DATAOUT", REG(GPIO0 + 0x04));
    show("low byte behind a mask", REG(GPIO0 + 0x400 + 0x11 * 4));
    show("high byte behind a mask", REG(GPIO0 + 0x800 + 0xFF * 4));
    REG(GPIO0 + 0x14) = 0x0F00;
    show("OUTEN", REG(GPIO0 + 0x14));
    interrupt(28, edge, 5);
    interrupt(6, level, 6);
    REG(GPIO0 + 0x28) = 1 << 4; /* edges of pin 4, falling */
    REG(GPIO0 + 0x20) = 1 << 4;
    REG(SCS + 0x180) = 1 << 6;
    while (edges < 2) wait();
    print_line("falling edges ", edges);
    show("INTSTATUS", REG(GPIO0 + 0x38));
    REG(GPIO0 + 0x24) = 1 << 4;
    REG(GPIO0 + 0x30) = 1 << 5; /* high level of pin 5, which is pulled up */
    REG(GPIO0 + 0x20) = 1 << 5;
    REG(SCS + 0x100) = 1 << 6;
    while (levels < 3) wait();
    print_line("interrupts of a level ", levels);
    show("INTTYPE", REG(GPIO0 + 0x28));
    show("INTPOL", REG(GPIO0 + 0x34));
    finish();
}
