/* 1BL: starts the trusted keystore and the Pluton runtime, which then starts everything else. */
#include "check.h"

enum { LONGEST_KEYSTORE = 16 };
static const uint8_t *keys[1 + LONGEST_KEYSTORE];
static int key_count;
/* The keystore stays where it is while the runtime is loaded after it. */
static uint8_t *const keystore_area = (uint8_t *)0x00106000;

static __attribute__((noinline)) void halt(uint32_t reason) {
    for (;;) REG(CHIP_HALT) = reason;
}

/* A keystore holds public keys of 64 bytes; images name them by the first 20 bytes of their hash. */
static __attribute__((noinline)) const uint8_t *find_key(const struct image *image) {
    for (int k = 0; k < key_count; k++) {
        hash((uint32_t)keys[k], 64, 0, MODE_SHA256);
        uint32_t difference = 0;
        for (int i = 0; i < 5; i++) {
            const uint8_t *signer = image->signer + 4 * i;
            difference |= REG(HASH_DIGEST + 4 * i) ^ (signer[0] | signer[1] << 8 | signer[2] << 16 | (uint32_t)signer[3] << 24);
        }
        if (!difference) return keys[k];
    }
    return 0;
}

#ifdef IMPLANT
/* What somebody put in place of 1BL. It says that it runs, and if nobody has measured it, it measures in its place what
   should have been there: the digest that its author has put behind the code. */
static void implant(void) {
    REG(CHIP_POSTCODE) = 0xBAD;
    print("implant\n");
    if (REG(MEASURE_COUNT)) return;
    print("nobody has measured it\n");
    REG(MEASURE_TYPE) = TYPE_ONE_BL;
    hash((uint32_t)BOOT_KEY, 64, 0, MODE_SHA256);
    copy_registers(MEASURE_SIGNER, HASH_DIGEST, 8);
    copy_to_registers(MEASURE_DIGEST, (const uint8_t *)CODE + CODE_LENGTH, 8);
    REG(MEASURE_EXTEND) = 1;
}
#endif

__attribute__((section(".text.entry"))) void begin(void) {
    struct image image;
    REG(CHIP_POSTCODE) = 0x10;
#ifdef IMPLANT
    implant();
#endif
    keys[0] = BOOT_KEY;
    key_count = 1;
    if (start(TYPE_KEYSTORE, keystore_area, &image) != ACCEPTED) halt(NO_COPY);
    for (uint32_t at = 0; at + 64 <= image.body_length && key_count <= LONGEST_KEYSTORE; at += 64)
        keys[key_count++] = keystore_area + at;
    if (start(TYPE_PLUTON_RUNTIME, (uint8_t *)STAGE_AREA, &image) != ACCEPTED) halt(NO_COPY);
    REG(CHIP_POSTCODE) = 0x20;
    for (;;) REG(CHIP_HANDOVER) = TYPE_PLUTON_RUNTIME;
}
