#pragma once
#ifdef __cplusplus
extern "C" {
#endif
void kernel_add(void (*task)(void));
/* Never returns. Each task has a millisecond at 26 MHz, then the next. */
void kernel_start(void);
#ifdef __cplusplus
}
#endif
