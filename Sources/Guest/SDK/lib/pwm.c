#include <applibs/pwm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

struct pwm_request {
    uint32_t channel, period_nsec, duty_nsec, polarity, enabled;
};
#define PWM_APPLY _IOW('P', 1, struct pwm_request)

int PWM_Open(PWM_ControllerId pwm) {
    char path[24];
    snprintf(path, sizeof path, "/dev/pwm%u", pwm);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) errno = EACCES;
    return fd;
}

int PWM_Apply(int pwmFd, PWM_ChannelId pwmChannel, const PwmState *newState) {
    if (!newState) {
        errno = EFAULT;
        return -1;
    }
    struct pwm_request request = {pwmChannel, newState->period_nsec, newState->dutyCycle_nsec, newState->polarity, newState->enabled};
    return ioctl(pwmFd, PWM_APPLY, &request) < 0 ? -1 : 0;
}
