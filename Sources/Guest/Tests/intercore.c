/* Answers each message of the high-level app in capital letters (mt3620-silicon §4). */
#include "mt3620.h"
static volatile uint32_t *in, *out; /* what the A7 writes, what we write: a header of two pointers, then data at 64 */
static uint32_t read_at;
enum { DATA = 4032 };
static uint8_t *data(volatile uint32_t *ring, uint32_t at) { return (uint8_t *)ring + 64 + at % DATA; }
static uint32_t next(uint32_t at, uint32_t bytes) { return (at + ((bytes + 15) & ~15u)) % DATA; }
static void message(void) {
    REG(MBOX + 0x1C) = 2;
    while (read_at != in[0]) {
        uint32_t size = *(uint32_t *)data(in, read_at), to = out[0];
        for (uint32_t i = 0; i < size + 4; i++) {
            uint8_t c = *data(in, read_at + i);
            *data(out, to + i) = i >= 24 && c >= 'a' && c <= 'z' ? c - 32 : c;
            if (i >= 24) put(c);
        }
        print("\r\n");
        read_at = next(read_at, size + 4);
        out[1] = read_at;
        out[0] = next(to, size + 4);
    }
    REG(MBOX + 0x14) = 2 | 1;
}
int main(void) {
    for (int seen = 0; seen != 7;) {
        if (!REG(MBOX + 0x58)) continue;
        uint32_t word = REG(MBOX + 0x54), command = REG(MBOX + 0x50);
        if (command == 0xBA5E0001) { out = (volatile uint32_t *)(word & ~31u); seen |= 1; }
        if (command == 0xBA5E0002) { in = (volatile uint32_t *)(word & ~31u); seen |= 2; }
        if (command == 0xBA5E0003) seen |= 4;
    }
    print("open\r\n");
    REG(MBOX + 0x18) = 2;
    REG(MBOX + 0x1C) = 2;
    interrupt(11, message, 5);
    for (;;) wait();
}
