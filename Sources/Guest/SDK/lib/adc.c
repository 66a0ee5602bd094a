#include <applibs/adc.h>

/* Extended values of a channel, in the order in which the kernel lists them. */
enum { CURRENT_BITS = 0, REFERENCE_VOLTAGE = 1 };

int ADC_Open(ADC_ControllerId id) {
    char path[24];
    snprintf(path, sizeof path, "/dev/adc%u", (unsigned)id);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) errno = EACCES;
    return fd;
}

int ADC_GetSampleBitCount(int fd, ADC_ChannelId channel) {
    char text[16] = "";
    struct iio_ioctl_read_chan_ext_info info = {sizeof info, channel, CURRENT_BITS, text, sizeof text - 1};
    return ioctl(fd, IIO_READ_CHANNEL_EXT_INFO_IOCTL, &info) < 0 ? -1 : atoi(text);
}

int ADC_SetReferenceVoltage(int fd, ADC_ChannelId channel, float referenceVoltage) {
    char text[16];
    snprintf(text, sizeof text, "%.3f", (double)referenceVoltage);
    struct iio_ioctl_write_chan_ext_info info = {sizeof info, channel, REFERENCE_VOLTAGE, text, strlen(text)};
    return ioctl(fd, IIO_WRITE_CHANNEL_EXT_INFO_IOCTL, &info) < 0 ? -1 : 0;
}

int ADC_Poll(int fd, ADC_ChannelId channel, uint32_t *outSampleValue) {
    if (!outSampleValue) {
        errno = EFAULT;
        return -1;
    }
    struct iio_ioctl_raw_channel_info info = {sizeof info, (int)channel, 0, 0, IIO_IOCTL_CHAN_INFO_RAW};
    if (ioctl(fd, IIO_READ_RAW_CHANNEL_INFO_IOCTL, &info) < 0) return -1;
    *outSampleValue = (uint32_t)info.val;
    return 0;
}
