#include <applibs/gpio.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_line(GPIO_Id id, uint32_t flags, uint8_t value) {
    int chip = open("/dev/gpiochip0", O_RDWR | O_CLOEXEC);
    if (chip < 0) return -1;
    struct gpiohandle_request request;
    memset(&request, 0, sizeof request);
    request.lineoffsets[0] = (uint32_t)id;
    request.flags = flags;
    request.default_values[0] = value;
    request.lines = 1;
    int result = ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, &request);
    int error = errno;
    close(chip);
    errno = error;
    return result < 0 ? -1 : request.fd;
}

int GPIO_OpenAsInput(GPIO_Id gpioId) { return open_line(gpioId, GPIOHANDLE_REQUEST_INPUT, 0); }

int GPIO_OpenAsOutput(GPIO_Id gpioId, GPIO_OutputMode_Type outputMode, GPIO_Value_Type initialValue) {
    static const uint32_t modes[] = {0, GPIOHANDLE_REQUEST_OPEN_DRAIN, GPIOHANDLE_REQUEST_OPEN_SOURCE};
    if (outputMode > GPIO_OutputMode_OpenSource || initialValue > GPIO_Value_High) {
        errno = EINVAL;
        return -1;
    }
    return open_line(gpioId, GPIOHANDLE_REQUEST_OUTPUT | modes[outputMode], initialValue);
}

int GPIO_GetValue(int gpioFd, GPIO_Value_Type *outValue) {
    if (!outValue) {
        errno = EFAULT;
        return -1;
    }
    struct gpiohandle_data data;
    if (ioctl(gpioFd, GPIOHANDLE_GET_LINE_VALUES_IOCTL, &data) < 0) return -1;
    *outValue = data.values[0];
    return 0;
}

int GPIO_SetValue(int gpioFd, GPIO_Value_Type value) {
    if (value > GPIO_Value_High) {
        errno = EINVAL;
        return -1;
    }
    struct gpiohandle_data data = {.values = {value}};
    return ioctl(gpioFd, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &data) < 0 ? -1 : 0;
}
