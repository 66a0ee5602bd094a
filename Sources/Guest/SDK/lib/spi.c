#include <applibs/spi.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int SPIMaster_InitConfig(SPIMaster_Config *config) {
    if (!config) {
        errno = EFAULT;
        return -1;
    }
    config->z__magicAndVersion = 0;
    config->csPolarity = SPI_ChipSelectPolarity_ActiveLow;
    return 0;
}

/* Chip selects A and B are -1 and -2. */
int SPIMaster_Open(SPI_InterfaceId interfaceId, SPI_ChipSelectId chipSelectId, const SPIMaster_Config *config) {
    bool is_known = config && (config->csPolarity == SPI_ChipSelectPolarity_ActiveLow || config->csPolarity == SPI_ChipSelectPolarity_ActiveHigh);
    if (!is_known || (chipSelectId != -1 && chipSelectId != -2)) {
        errno = config ? EINVAL : EFAULT;
        return -1;
    }
    char path[24];
    snprintf(path, sizeof path, "/dev/spidev%d.%d", interfaceId, -1 - chipSelectId);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) errno = EACCES;
    return fd;
}

int SPIMaster_SetBusSpeed(int fd, uint32_t speedInHz) { return ioctl(fd, SPI_IOC_WR_MAX_SPEED_HZ, &speedInHz) < 0 ? -1 : 0; }

int SPIMaster_SetMode(int fd, SPI_Mode mode) {
    if (mode < SPI_Mode_0 || mode > SPI_Mode_3) {
        errno = EINVAL;
        return -1;
    }
    uint8_t linux_mode = (uint8_t)(mode - SPI_Mode_0);
    return ioctl(fd, SPI_IOC_WR_MODE, &linux_mode) < 0 ? -1 : 0;
}

int SPIMaster_SetBitOrder(int fd, SPI_BitOrder order) {
    if (order != SPI_BitOrder_LsbFirst && order != SPI_BitOrder_MsbFirst) {
        errno = EINVAL;
        return -1;
    }
    uint8_t is_first = order == SPI_BitOrder_LsbFirst;
    return ioctl(fd, SPI_IOC_WR_LSB_FIRST, &is_first) < 0 ? -1 : 0;
}

ssize_t SPIMaster_WriteThenRead(int fd, const uint8_t *writeData, size_t lenWriteData, uint8_t *readData, size_t lenReadData) {
    SPIMaster_Transfer transfers[2];
    SPIMaster_InitTransfers(transfers, 2);
    transfers[0].flags = SPI_TransferFlags_Write;
    transfers[0].writeData = writeData;
    transfers[0].length = lenWriteData;
    transfers[1].flags = SPI_TransferFlags_Read;
    transfers[1].readData = readData;
    transfers[1].length = lenReadData;
    return SPIMaster_TransferSequential(fd, transfers, 2);
}

int SPIMaster_InitTransfers(SPIMaster_Transfer *transfers, size_t transferCount) {
    if (!transfers) {
        errno = EFAULT;
        return -1;
    }
    memset(transfers, 0, transferCount * sizeof *transfers);
    return 0;
}

ssize_t SPIMaster_TransferSequential(int fd, const SPIMaster_Transfer *transfers, size_t transferCount) {
    if (!transfers || transferCount > SPI_MASTER_MAX_TRANSFERS) {
        errno = transfers ? EINVAL : EFAULT;
        return -1;
    }
    struct spi_ioc_transfer messages[transferCount ? transferCount : 1];
    memset(messages, 0, sizeof messages);
    ssize_t total = 0;
    for (size_t index = 0; index < transferCount; index++) {
        const SPIMaster_Transfer *transfer = &transfers[index];
        if (transfer->flags != SPI_TransferFlags_Read && transfer->flags != SPI_TransferFlags_Write) {
            errno = EINVAL;
            return -1;
        }
        messages[index].tx_buf = transfer->flags == SPI_TransferFlags_Write ? (uintptr_t)transfer->writeData : 0;
        messages[index].rx_buf = transfer->flags == SPI_TransferFlags_Read ? (uintptr_t)transfer->readData : 0;
        messages[index].len = transfer->length;
        total += transfer->length;
    }
    return ioctl(fd, SPI_IOC_MESSAGE(transferCount), messages) < 0 ? -1 : total;
}
