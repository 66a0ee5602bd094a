#define _GNU_SOURCE
/* RAND_METHOD is the only way to replace the generator without a provider; it is marked deprecated in 3.0. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tpm_platform.h"
#include <dlfcn.h>
#include <libtpms/tpm_types.h>
#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <time.h>

static _Thread_local int is_inside;
static _Thread_local int64_t node_time;
static _Thread_local tpm_platform_draw node_draw;

/* In place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*library)(clockid_t, struct timespec *);
    int (*next)(clockid_t, struct timespec *);
    if (is_inside) {
        time->tv_sec = node_time / 1000000000;
        time->tv_nsec = node_time % 1000000000;
        return 0;
    }
    next = __atomic_load_n(&library, __ATOMIC_RELAXED);
    if (!next) {
        next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        __atomic_store_n(&library, next, __ATOMIC_RELAXED);
    }
    return next(clock, time);
}

static _Thread_local jmp_buf outside_of_start;
static _Thread_local int is_starting;

/* What longjmp is where glibc checks (_FORTIFY_SOURCE), as Debian builds libtpms; in place of the C library's. */
void __longjmp_chk(jmp_buf place, int value) {
    if (is_starting) {
        is_starting = 0;
        longjmp(outside_of_start, 1);
    }
    ((void (*)(jmp_buf, int))dlsym(RTLD_NEXT, "__longjmp_chk"))(place, value);
    __builtin_unreachable();
}

uint32_t tpm_platform_start(void) {
    uint32_t result;
    if (setjmp(outside_of_start)) return TPM_FAIL;
    is_starting = 1;
    result = TPMLIB_MainInit();
    is_starting = 0;
    return result;
}

/* Whose generator it was before, which other threads, and this one outside of a TPM, go on with. */
static const RAND_METHOD *others;

static int fill(unsigned char *buffer, int count) {
    return node_draw ? node_draw(buffer, count) : others->bytes(buffer, count);
}
static int seed(const void *buffer, int count) { return node_draw || !others->seed ? 1 : others->seed(buffer, count); }
static int add(const void *buffer, int count, double entropy) {
    return node_draw || !others->add ? 1 : others->add(buffer, count, entropy);
}
static int status(void) { return node_draw || !others->status ? 1 : others->status(); }

static const RAND_METHOD method = {seed, fill, NULL, add, fill, status};

void tpm_platform_enter(int64_t nanoseconds, tpm_platform_draw draw) {
    if (draw && RAND_get_rand_method() != &method) {
        others = RAND_get_rand_method();
        RAND_set_rand_method(&method);
    }
    node_time = nanoseconds;
    node_draw = draw;
    is_inside = 1;
}

void tpm_platform_leave(void) {
    is_inside = 0;
    node_draw = 0;
}
