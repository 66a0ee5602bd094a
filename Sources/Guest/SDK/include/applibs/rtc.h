/* The clock that runs while everything else is off. */
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
int clock_systohc(void);
#ifdef __cplusplus
}
#endif
