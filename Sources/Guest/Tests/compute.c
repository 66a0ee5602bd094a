/* Work without peripherals, as CoreMark and Dhrystone have it: linked lists, matrices, a state machine, CRCs, strings,
   records, and floating point. The results are printed and the end is told by semihosting, so that other emulators of a
   Cortex-M4F can run the same file. A benchmark is built with more rounds. */
#include <stdint.h>
#ifndef ROUNDS
#define ROUNDS 40
#endif

static void call(uint32_t operation, const void *parameter) {
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = parameter;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}
static void print(const char *text) { call(4, text); }
static void print_hex(const char *name, uint32_t value) {
    char text[10] = "00000000\n";
    for (int i = 7; i >= 0; i--, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
    print(name);
    print(text);
}

/* Newlib is not linked; the compiler calls these for itself. */
void *memcpy(void *to, const void *from, unsigned n) { char *d = to; const char *s = from; while (n--) *d++ = *s++; return to; }
void *memset(void *to, int value, unsigned n) { char *d = to; while (n--) *d++ = (char)value; return to; }

static uint16_t crc16(uint16_t crc, uint32_t value) {
    for (int bit = 0; bit < 32; bit++, value >>= 1) crc = (crc ^ value) & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    return crc;
}

struct node { struct node *next; uint32_t key; };
static struct node nodes[64];
static uint32_t lists(uint32_t seed) {
    struct node *head = 0;
    for (int i = 0; i < 64; i++) {
        seed = seed * 1664525 + 1013904223;
        nodes[i].key = seed >> 16;
        struct node **at = &head;
        while (*at && (*at)->key < nodes[i].key) at = &(*at)->next;
        nodes[i].next = *at;
        *at = &nodes[i];
    }
    uint16_t crc = 0;
    for (struct node *n = head; n; n = n->next) crc = crc16(crc, n->key);
    return crc;
}

static int32_t a[16][16], b[16][16], c[16][16];
static uint32_t matrices(uint32_t seed) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) { a[i][j] = (int32_t)(seed + i * j); b[i][j] = (int32_t)(i - j + (seed & 7)); }
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            int32_t sum = 0;
            for (int k = 0; k < 16; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    uint16_t crc = 0;
    for (int i = 0; i < 16; i++) crc = crc16(crc, (uint32_t)c[i][15 - i]);
    return crc;
}

static uint32_t states(const char *text) {
    uint32_t counts[5] = {0}, state = 0;
    for (; *text; text++) {
        char ch = *text;
        switch (state) {
        case 0: state = ch == '-' || ch == '+' ? 1 : ch >= '0' && ch <= '9' ? 2 : ch == ',' ? 0 : 4; break;
        case 1: state = ch >= '0' && ch <= '9' ? 2 : 4; break;
        case 2: state = ch == '.' ? 3 : ch == ',' ? 0 : ch >= '0' && ch <= '9' ? 2 : 4; break;
        case 3: state = ch == ',' ? 0 : ch >= '0' && ch <= '9' ? 3 : 4; break;
        default: state = ch == ',' ? 0 : 4;
        }
        counts[state]++;
    }
    return counts[0] | counts[1] << 4 | counts[2] << 8 | counts[3] << 16 | counts[4] << 24;
}

struct record { struct record *link; int kind, number; char name[32]; };
static struct record one, two;
static uint32_t records(uint32_t seed) {
    const char *some = "DHRYSTONE-LIKE, SOME STRING";
    for (int i = 0; i < 27; i++) one.name[i] = some[i] + (char)(seed & 1);
    one.kind = (int)(seed % 5);
    one.number = (int)seed;
    one.link = &two;
    *one.link = one;
    two.number = one.number * 3 / (one.kind + 1);
    int differences = 0;
    for (int i = 0; i < 27; i++) differences += two.name[i] != some[i];
    return (uint32_t)(two.number + differences * two.kind);
}

static uint32_t floats(uint32_t seed) {
    float x = (float)seed * 0.001f + 1, sum = 0;
    for (int i = 1; i < 64; i++) { x = x - (x * x - (float)i) / (2 * x); sum += x * 0.5f; }
    union { float f; uint32_t u; } bits = {sum};
    double d = (double)sum;
    for (int i = 0; i < 8; i++) d = d * 1.0000001 + 1.0 / (i + seed + 1.0);
    union { double d; uint64_t u; } wide = {d};
    return bits.u ^ (uint32_t)wide.u ^ (uint32_t)(wide.u >> 32);
}

int main(void) {
    uint16_t crc = 0xFFFF;
    uint32_t list = 0, matrix = 0, state = 0, record = 0, flt = 0;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        crc = crc16(crc, list = lists(round));
        crc = crc16(crc, matrix = matrices(round));
        crc = crc16(crc, state = states("5012,+17.5,-3,x9,1.25e3,,42,-.5,100.001,99,+,7"));
        crc = crc16(crc, record = records(round));
        crc = crc16(crc, flt = floats(round));
    }
    print_hex("list ", list);
    print_hex("matrix ", matrix);
    print_hex("state ", state);
    print_hex("record ", record);
    print_hex("float ", flt);
    print_hex("crc ", crc);
    call(0x18, (void *)0x20026);
    return 0;
}
