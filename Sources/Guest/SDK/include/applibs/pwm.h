/* Pulse-width modulation: three controllers with four channels each. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef unsigned int PWM_ControllerId;
typedef uint32_t PWM_ChannelId;
typedef uint32_t PwmPolarity;
enum { PWM_Polarity_Normal = 0, PWM_Polarity_Inversed = 1 };
typedef struct PwmState {
    unsigned int period_nsec;
    unsigned int dutyCycle_nsec;
    PwmPolarity polarity;
    bool enabled;
} PwmState;

int PWM_Open(PWM_ControllerId pwm);
int PWM_Apply(int pwmFd, PWM_ChannelId pwmChannel, const PwmState *newState);
#ifdef __cplusplus
}
#endif
