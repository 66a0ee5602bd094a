/* Reads, verifies and measures one image. Included by the ROM and by 1BL, each with its own way to find a key; built
   plain, as boot code is often written, and hardened against faults. */
#include "boot.h"

/* The key that an image's signer must have; 0 if there is none. Leaves the SHA-256 of the key in the hash unit. */
static const uint8_t *find_key(const struct image *image);

/* What an image says of itself, in the metadata that end at `end`; `from` is the first byte that there is to read. */
static uint32_t parse(const uint8_t *from, const uint8_t *end, struct image *image) {
    end -= 4;
    uint32_t length = end[0] | end[1] << 8 | end[2] << 16 | (uint32_t)end[3] << 24;
    if (length < 8 || length > (uint32_t)(end - from)) return NOT_A_PACKAGE;
    const uint8_t *at = end - length;
    image->body_length = image->signed_length - 4 - length;
    if ((at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24) != MAGIC_PACKAGE) return NOT_A_PACKAGE;
    image->type = 0xFFFF;
    image->version = 0;
    image->signer = image->identity = 0;
    for (at += 8; at + 4 <= end;) {
        uint32_t tag = at[0] | at[1] << 8, size = at[2] | at[3] << 8;
        at += 4;
        if (size > (uint32_t)(end - at)) return NOT_A_PACKAGE;
        if (tag == 0x4449 && size >= 36) {
            image->type = at[0] | at[1] << 8;
            image->identity = at;
        }
        if (tag == 0x4753 && size >= 20) image->signer = at;
        if (tag == 0x5652 && size >= 4) image->version = at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
        at += size;
    }
    return image->signer && image->identity ? ACCEPTED : NOT_A_PACKAGE;
}

static uint32_t load(const struct entry *entry, uint8_t *to, struct image *image) {
    image->entry = entry;
    image->base = to;
    if (entry->length < 64 + 12 || entry->length > 0xC000) return NOT_A_PACKAGE;
    image->signed_length = entry->length - 64;
    /* Copied first, judged afterwards: what flash says later does not matter. */
    hash(FLASH + entry->offset, entry->length, (uint32_t)to, MODE_SHA256);
    return parse(to, to + image->signed_length, image);
}

static void verify_signature(const struct image *image, const uint8_t *key) {
    copy_to_registers(ECC_KEY, key, 16);
    hash((uint32_t)image->base, image->signed_length, 0, MODE_SHA256);
    copy_registers(ECC_DIGEST, HASH_DIGEST, 8);
    copy_to_registers(ECC_SIGNATURE, image->base + image->signed_length, 16);
    REG(ECC_START) = 1;
}

static uint32_t measure(const struct image *image, const uint8_t *key) {
    REG(MEASURE_TYPE) = image->type;
    if (key) {
        hash((uint32_t)key, 64, 0, MODE_SHA256);
        copy_registers(MEASURE_SIGNER, HASH_DIGEST, 8);
    } else {
        copy_to_registers(MEASURE_SIGNER, image->signer, 5);
    }
    hash((uint32_t)image->base, image->entry->length, 0, MODE_SHA256);
    copy_registers(MEASURE_DIGEST, HASH_DIGEST, 8);
    uint32_t before = REG(MEASURE_COUNT);
    REG(MEASURE_EXTEND) = 1;
    return REG(MEASURE_COUNT) == before + 1 ? ACCEPTED : LIST_FULL;
}

static uint32_t counter_of(uint32_t type) {
    return REG(FUSE_COUNTERS + 4 * (type == TYPE_ONE_BL ? 0 : type == TYPE_KEYSTORE ? 1 : 4));
}

#ifndef HARDENED

/* As it is often written: each decision is one branch. */
static uint32_t check(uint32_t type, const struct entry *entry, uint8_t *to, struct image *image) {
    if (load(entry, to, image) != ACCEPTED) return NOT_A_PACKAGE;
    if (image->type != type) return WRONG_TYPE;
    const uint8_t *key = 0;
    if (REG(CHIP_SECURE) != INSECURE) {
        key = find_key(image);
        if (!key) return UNTRUSTED_SIGNER;
        verify_signature(image, key);
        if (!REG(ECC_RESULT)) return BAD_SIGNATURE;
    }
    if (REG(CHIP_ROLLBACK) != INSECURE && image->version < counter_of(type)) return ROLLED_BACK;
    return measure(image, key);
}

#else

static __attribute__((noinline)) void dither(void) {
    for (volatile uint32_t left = REG(CHIP_RANDOM) & 7; left; left--) {}
}

/* 0 only if the signature is good, computed without a branch from a result and its complement. */
static __attribute__((noinline)) uint32_t signature_error(const struct image *image, const uint8_t *key) {
    for (int i = 0; i < 16; i++) REG(ECC_KEY + 4 * i) = 0;
    verify_signature(image, key);
    uint32_t result = REG(ECC_RESULT), complement = REG(ECC_COMPLEMENT);
    return (result ^ 1) | (complement ^ ~1u) | (REG(ECC_RESULT) ^ 1);
}

/* What each step of a check leaves behind, where no compiler knows it and no register holds it by chance. */
static volatile uint32_t evidence[2];
/* ACCEPTED if all steps have: what the next stage's address is made of. */
static volatile uint32_t token;

static __attribute__((noinline)) uint32_t verify_once(const struct image *image, const uint8_t **key) {
    *key = find_key(image);
    if (!*key) return UNTRUSTED_SIGNER;
    return signature_error(image, *key) ? BAD_SIGNATURE : ACCEPTED;
}

static __attribute__((noinline)) int is_insecure(void) { return REG(CHIP_SECURE) == INSECURE; }

static __attribute__((noinline)) uint32_t verify_twice(const struct image *image, const uint8_t **key) {
    const uint8_t *again;
    uint32_t first = verify_once(image, key);
    evidence[0] = first ^ 0x6996A55A;
    if (first != ACCEPTED) return first;
    dither();
    uint32_t second = verify_once(image, &again);
    evidence[1] = second ^ 0x9669C33C ^ (uint32_t)(again - *key);
    return second;
}

/* Denies by default: the result is put together from what each step has left behind, and is right only if all have. */
static __attribute__((noinline)) uint32_t check(uint32_t type, const struct entry *entry, uint8_t *to, struct image *image) {
    const uint8_t *key = 0;
    evidence[0] = evidence[1] = token = 0;
    if (load(entry, to, image) != ACCEPTED) return NOT_A_PACKAGE;
    if (image->type != type) return WRONG_TYPE;
    if (is_insecure()) {
        dither();
        if (!is_insecure()) return BAD_SIGNATURE;
        evidence[0] = ACCEPTED ^ 0x6996A55A;
        evidence[1] = ACCEPTED ^ 0x9669C33C;
    } else {
        uint32_t outcome = verify_twice(image, &key);
        if (outcome != ACCEPTED) return outcome;
    }
    dither();
    if (image->version < counter_of(type) && REG(CHIP_ROLLBACK) != INSECURE) return ROLLED_BACK;
    if (REG(CHIP_ROLLBACK) != INSECURE && image->version < counter_of(type)) return ROLLED_BACK;
    uint32_t measured = measure(image, key);
    token = ((evidence[0] ^ 0x6996A55A) & (evidence[1] ^ 0x9669C33C)) ^ (measured ^ ACCEPTED);
    /* And if the two differ, it is no more what one of them is. */
    token ^= (evidence[0] ^ 0x6996A55A) ^ (evidence[1] ^ 0x9669C33C);
    return token;
}

#endif

/* The first copy of a type that passes; the reason of each that does not is reported. */
static __attribute__((noinline)) uint32_t start(uint32_t type, uint8_t *to, struct image *image) {
    const struct table *table = (const struct table *)TABLE;
    for (uint32_t slot = 0; slot < 2; slot++) {
        for (uint32_t i = 0; i < table->count; i++) {
            const struct entry *entry = &table->entries[i];
            if (entry->type != type || entry->slot != slot) continue;
            uint32_t result = check(type, entry, to, image);
            report(type, entry, counter_of(type), result);
            if (result == ACCEPTED) return ACCEPTED;
        }
    }
    return NO_COPY;
}
