/* The converter by the ioctls of its driver: names of a channel's values are looked up first. */
#include <applibs/adc.h>
#include <applibs/log.h>
#include <hw/mt3620_rdb.h>
#include <string.h>

int main(void) {
    int fd = open("/dev/adc0", O_RDWR);
    struct iio_ioctl_chan_spec_buffer_size size = {sizeof size, MT3620_ADC_CHANNEL2, 0};
    if (ioctl(fd, IIO_GET_CHANNEL_SPEC_BUFFER_TOTAL_SIZE_IOCTL, &size) < 0) return 1;
    /* What is asked for lies behind the structure itself if that does not say where. */
    struct iio_ioctl_chan_spec_buffer *whole = calloc(1, size.total_size);
    *whole = (struct iio_ioctl_chan_spec_buffer){sizeof *whole, size.total_size, MT3620_ADC_CHANNEL2, NULL};
    if (ioctl(fd, IIO_GET_CHANNEL_SPEC_BUFFER_IOCTL, whole) < 0 || (void *)whole->channel != (void *)(whole + 1)) return 2;
    struct iio_ioctl_chan_spec *spec = calloc(1, size.total_size);
    struct iio_ioctl_chan_spec_buffer buffer = {sizeof buffer, size.total_size, MT3620_ADC_CHANNEL2, spec};
    if (ioctl(fd, IIO_GET_CHANNEL_SPEC_BUFFER_IOCTL, &buffer) < 0) return 2;
    if (strcmp(whole->channel->ext_info->next->name, spec->ext_info->next->name)) return 2;
    free(whole);
    unsigned index = 0;
    for (struct iio_ioctl_chan_spec_ext_info *info = spec->ext_info; info; info = info->next, index++) {
        char text[16] = "";
        struct iio_ioctl_read_chan_ext_info read_info = {sizeof read_info, MT3620_ADC_CHANNEL2, index, text, sizeof text - 1};
        if (ioctl(fd, IIO_READ_CHANNEL_EXT_INFO_IOCTL, &read_info) < 0) return 3;
        Log_Debug("%s of channel %d: %s\n", info->name, spec->channel, text);
    }
    free(spec);
    struct iio_ioctl_write_chan_ext_info write_info = {sizeof write_info, MT3620_ADC_CHANNEL2, 1, "1.25", 4};
    Log_Debug("set: %d\n", ioctl(fd, IIO_WRITE_CHANNEL_EXT_INFO_IOCTL, &write_info));
    buffer.total_size = 8;
    Log_Debug("too short: %d %s\n", ioctl(fd, IIO_GET_CHANNEL_SPEC_BUFFER_IOCTL, &buffer), strerror(errno));
    size.index = 8;
    Log_Debug("no channel: %d %s\n", ioctl(fd, IIO_GET_CHANNEL_SPEC_BUFFER_TOTAL_SIZE_IOCTL, &size), strerror(errno));
    return 0;
}
