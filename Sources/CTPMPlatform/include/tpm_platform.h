#ifndef TPM_PLATFORM_H
#define TPM_PLATFORM_H
#include <stdint.h>

/* What libtpms finds outside of itself, time and entropy, as the node that it belongs to has them.
 *
 * libtpms asks clock_gettime and OpenSSL's generator, and has no callback for either. So this module has a
 * clock_gettime of its own, which the linker puts before the C library's in whatever links it: between enter and leave
 * it answers the calling thread with the node's time, and else passes on. */

/* Fills a buffer with random bytes; 1 if it did. */
typedef int (*tpm_platform_draw)(unsigned char *buffer, int count);

/* TPMLIB_MainInit. Where libtpms finds a state that it cannot be in, it jumps back to the command that it is in: before the
 * first, or in a later start, to a place on the stack that is no more. So its longjmp leads here, and this returns TPM_FAIL. */
uint32_t tpm_platform_start(void);

/* Until leave, this thread's clocks all show `nanoseconds`; its random bytes come from `draw`, unless that is null. */
void tpm_platform_enter(int64_t nanoseconds, tpm_platform_draw draw);
void tpm_platform_leave(void);

#endif
