/* Code that writes itself anew for ever, as a compiler in time does: each round another constant, from floating-point and
   exclusive accesses around it. */
#include "mt3620.h"
#ifndef ROUNDS
#define ROUNDS 200000
#endif
static uint16_t code[4] __attribute__((aligned(8)));
static volatile uint32_t taken, ticks;

void system_tick(void) { ticks++; }

static uint32_t add_exclusively(volatile uint32_t *where, uint32_t value) {
    uint32_t sum, failed;
    do {
        __asm volatile("ldrex %0, [%2]\n add %0, %0, %3\n strex %1, %0, [%2]" : "=&r"(sum), "=&r"(failed) : "r"(where), "r"(value) : "memory");
    } while (failed);
    return sum;
}

int main(void) {
    REG(SCS + 0x14) = 260000 - 1;
    REG(SCS + 0x18) = 0;
    REG(SCS + 0x10) = 7;
    uint32_t (*function)(uint32_t) = (uint32_t (*)(uint32_t))((uint32_t)code | 1);
    uint32_t sum = 0;
    float scale = 0.5f;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        code[0] = 0x3000 | (round & 0xFF); /* adds r0, #n */
        code[1] = 0x4770;                  /* bx lr */
        __asm volatile("dsb\n isb" ::: "memory");
        sum = function(sum) + (uint32_t)(scale * (round & 3));
        scale += 0.25f;
        if (scale > 8) scale = 0.5f;
        add_exclusively(&taken, 1);
    }
    print_hex(sum);
    print(" ");
    print_hex(taken);
    print(" ");
    print_hex(ticks);
    print("\r\n");
    for (;;) __asm volatile("wfi");
}
