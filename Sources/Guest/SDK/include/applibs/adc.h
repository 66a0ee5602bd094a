/* Analogue inputs. The calls below stand on the ioctls, which apps may also use themselves on /dev/adc<N>. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef uint32_t ADC_ControllerId;
typedef uint32_t ADC_ChannelId;

int ADC_Open(ADC_ControllerId id);
int ADC_GetSampleBitCount(int fd, ADC_ChannelId channel);
int ADC_SetReferenceVoltage(int fd, ADC_ChannelId channel, float referenceVoltage);
int ADC_Poll(int fd, ADC_ChannelId channel, uint32_t *outSampleValue);

struct iio_ioctl_raw_channel_info {
    unsigned size;
    int index;
    int val;
    int val2;
    long mask;
};
struct iio_ioctl_read_chan_ext_info {
    unsigned size, channel_index, info_index;
    char *buffer;
    size_t length;
};
struct iio_ioctl_write_chan_ext_info {
    unsigned size, channel_index, info_index;
    const char *buffer;
    size_t length;
};
struct iio_ioctl_chan_spec_ext_info {
    unsigned size;
    struct iio_ioctl_chan_spec_ext_info *next;
    const char *name;
    int shared;
};
struct iio_ioctl_chan_spec {
    unsigned size;
    int channel;
    struct iio_ioctl_chan_spec_ext_info *ext_info;
};
struct iio_ioctl_chan_spec_buffer_size {
    unsigned size;
    int index;
    unsigned total_size;
};
struct iio_ioctl_chan_spec_buffer {
    unsigned long size;
    unsigned long total_size;
    int index;
    struct iio_ioctl_chan_spec *channel;
};
enum { IIO_IOCTL_CHAN_INFO_RAW = 0 };
#define IIO_GET_DEVICE_INFO_BUFFER_TOTAL_SIZE_IOCTL _IOR('i', 0xD0, unsigned)
#define IIO_GET_DEVICE_INFO_BUFFER_IOCTL _IOWR('i', 0xD1, unsigned)
#define IIO_GET_CHANNEL_SPEC_BUFFER_TOTAL_SIZE_IOCTL _IOWR('i', 0xD2, struct iio_ioctl_chan_spec_buffer_size)
#define IIO_GET_CHANNEL_SPEC_BUFFER_IOCTL _IOWR('i', 0xD3, struct iio_ioctl_chan_spec_buffer)
#define IIO_READ_RAW_CHANNEL_INFO_IOCTL _IOWR('i', 0xD4, struct iio_ioctl_raw_channel_info)
#define IIO_WRITE_RAW_CHANNEL_INFO_IOCTL _IOWR('i', 0xD5, struct iio_ioctl_raw_channel_info)
#define IIO_READ_CHANNEL_EXT_INFO_IOCTL _IOWR('i', 0xD6, struct iio_ioctl_read_chan_ext_info)
#define IIO_WRITE_CHANNEL_EXT_INFO_IOCTL _IOWR('i', 0xD7, struct iio_ioctl_write_chan_ext_info)
#ifdef __cplusplus
}
#endif
