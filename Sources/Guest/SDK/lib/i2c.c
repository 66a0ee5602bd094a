#include <applibs/i2c.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* Not in Linux: the bus's clock, in hertz. */
#define I2C_SET_SPEED 0x07F0

int I2CMaster_Open(I2C_InterfaceId id) {
    char path[24];
    snprintf(path, sizeof path, "/dev/i2c-%d", id);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) errno = EACCES; /* what is not there is in no manifest */
    return fd;
}

int I2CMaster_SetBusSpeed(int fd, uint32_t speedInHz) { return ioctl(fd, I2C_SET_SPEED, (unsigned long)speedInHz) < 0 ? -1 : 0; }

/* Linux counts in tens of milliseconds. */
int I2CMaster_SetTimeout(int fd, uint32_t timeoutInMs) {
    return ioctl(fd, I2C_TIMEOUT, (unsigned long)((timeoutInMs + 9) / 10)) < 0 ? -1 : 0;
}

enum { LONGEST_MESSAGE = 8192 };
/* Beyond what there is room for, to be refused below. */
static uint16_t length_of(size_t bytes) { return bytes > LONGEST_MESSAGE ? LONGEST_MESSAGE + 1 : (uint16_t)bytes; }

static ssize_t transfer(int fd, I2C_DeviceAddress address, struct i2c_msg *messages, unsigned count) {
    ssize_t total = 0;
    for (unsigned index = 0; index < count; index++) {
        if (address > 0x7F || messages[index].len > LONGEST_MESSAGE) {
            errno = EINVAL;
            return -1;
        }
        messages[index].addr = (uint16_t)address;
        total += messages[index].len;
    }
    struct i2c_rdwr_ioctl_data data = {messages, count};
    return ioctl(fd, I2C_RDWR, &data) < 0 ? -1 : total;
}

ssize_t I2CMaster_Read(int fd, I2C_DeviceAddress address, uint8_t *buffer, size_t maxLength) {
    struct i2c_msg message = {0, I2C_M_RD, length_of(maxLength), buffer};
    return transfer(fd, address, &message, 1);
}

ssize_t I2CMaster_Write(int fd, I2C_DeviceAddress address, const uint8_t *data, size_t length) {
    struct i2c_msg message = {0, 0, length_of(length), (uint8_t *)data};
    return transfer(fd, address, &message, 1);
}

ssize_t I2CMaster_WriteThenRead(
    int fd, I2C_DeviceAddress address, const uint8_t *writeData, size_t lenWriteData, uint8_t *readData, size_t lenReadData) {
    struct i2c_msg messages[2] = {{0, 0, length_of(lenWriteData), (uint8_t *)writeData}, {0, I2C_M_RD, length_of(lenReadData), readData}};
    return transfer(fd, address, messages, 2);
}

int I2CMaster_SetDefaultTargetAddress(int fd, I2C_DeviceAddress address) {
    return ioctl(fd, I2C_SLAVE, (unsigned long)address) < 0 ? -1 : 0;
}
