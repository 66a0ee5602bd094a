/* I2C, as the bus's master. Addresses have 7 bits and are not shifted. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#ifdef __cplusplus
extern "C" {
#endif
#define I2C_BUS_SPEED_STANDARD 100000
#define I2C_BUS_SPEED_FAST 400000
#define I2C_BUS_SPEED_FAST_PLUS 1000000
#define I2C_BUS_SPEED_HIGH 3400000
typedef int I2C_InterfaceId;
typedef uint32_t I2C_DeviceAddress;

int I2CMaster_Open(I2C_InterfaceId id);
int I2CMaster_SetBusSpeed(int fd, uint32_t speedInHz);
int I2CMaster_SetTimeout(int fd, uint32_t timeoutInMs);
/* Bytes transferred; -1: ENXIO if nobody answers, EBUSY, ETIMEDOUT. */
ssize_t I2CMaster_Read(int fd, I2C_DeviceAddress address, uint8_t *buffer, size_t maxLength);
ssize_t I2CMaster_Write(int fd, I2C_DeviceAddress address, const uint8_t *data, size_t length);
ssize_t I2CMaster_WriteThenRead(
    int fd, I2C_DeviceAddress address, const uint8_t *writeData, size_t lenWriteData, uint8_t *readData, size_t lenReadData);
int I2CMaster_SetDefaultTargetAddress(int fd, I2C_DeviceAddress address);
#ifdef __cplusplus
}
#endif
