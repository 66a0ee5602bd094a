/* The boot ROM of the security core: finds 1BL, and starts it if it is signed by the key whose hash is fused. In recovery
   mode (HW-26) a loader comes over the debug UART instead, and is judged alike. */
#include "check.h"
#include "xmodem.h"

extern uint32_t __stack_top;
void reset(void);
void halt(uint32_t reason);
static void trap(void) { halt(0xFFFF); }
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {&__stack_top, reset, [2 ... 15] = trap};

__attribute__((noinline)) void halt(uint32_t reason) {
    for (;;) REG(CHIP_HALT) = reason;
}

/* Only 1BL is judged here. It brings its key along, at the beginning of its body. */
static __attribute__((noinline)) const uint8_t *find_key(const struct image *image) {
    hash((uint32_t)image->base, 64, 0, MODE_SHA256);
    uint32_t difference = 0;
    for (int i = 0; i < 8; i++) difference |= REG(HASH_DIGEST + 4 * i) ^ REG(FUSE_KEY_HASH + 4 * i);
    return difference ? 0 : image->base;
}

/* Of two readable tables the newer one counts. */
static uint32_t read_table(void) {
    uint32_t newest = 0, place = 0;
    for (uint32_t slot = 0; slot < 2; slot++) {
        uint32_t at = FLASH + 0x1000 * slot, count = REG(at + 8), generation = REG(at + 4);
        struct entry entry = {0, (uint16_t)slot, 0x1000 * slot, 0x1000};
        int is_good = REG(at) == MAGIC_TABLE && count <= 256;
        if (is_good) {
            hash(at, 12 + 12 * count, 0, MODE_CRC32);
            is_good = REG(HASH_DIGEST) == REG(at + 12 + 12 * count);
        }
        if (!is_good) report(0, &entry, 0, BAD_TABLE);
        else if (generation > newest) { newest = generation; place = at; }
    }
    if (!place) return BAD_TABLE;
    hash(place, 12 + 12 * REG(place + 8), TABLE, MODE_CRC32);
    return ACCEPTED;
}

/* A recovery loader from the debug UART. It is judged where it was received: the hash unit copies from there too. */
static uint32_t fetch(struct image *image) {
    uint32_t error = receive_into((uint8_t *)STAGE_AREA, STAGE_AREA - TCM);
    if (!error) {
        struct entry entry = {TYPE_ONE_BL, 0, STAGE_AREA + 4 - FLASH, *(uint32_t *)STAGE_AREA};
        uint32_t result = check(TYPE_ONE_BL, &entry, (uint8_t *)TCM, image);
        if (result == ACCEPTED) return ACCEPTED;
        error = recovery_error(result);
    }
    cancel();
    say_end(error);
    return NO_COPY;
}

void reset(void) {
    struct image image;
    REG(CHIP_POSTCODE) = 1;
    uint32_t result;
    if (REG(CHIP_STRAP) == STRAPPED) {
        result = fetch(&image);
    } else {
        if (read_table() != ACCEPTED) halt(BAD_TABLE);
        result = start(TYPE_ONE_BL, (uint8_t *)TCM, &image);
    }
    if (result != ACCEPTED) halt(NO_COPY);
    REG(CHIP_POSTCODE) = 2;
#ifdef HARDENED
    dither();
    /* The address itself depends on what the check has left behind, and on where that lies which it has judged: past it
       there is no way to the code, and none to what a refused copy has left in memory. */
    if (token != ACCEPTED) halt(NO_COPY);
    uint32_t code = CODE ^ (token ^ ACCEPTED) ^ ((uint32_t)*(uint8_t *volatile *)&image.base ^ TCM);
#else
    uint32_t code = CODE;
#endif
    ((void (*)(void))(code | 1))();
    halt(NO_COPY);
}
