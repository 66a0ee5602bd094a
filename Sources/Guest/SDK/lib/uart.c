#include <applibs/uart.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct uart_settings {
    uint32_t baud_rate;
    uint8_t data_bits, parity, stop_bits, flow_control;
};
#define UART_SETUP _IOW('U', 1, struct uart_settings)

void UART_InitConfig(UART_Config *uartConfig) {
    memset(uartConfig, 0, sizeof *uartConfig);
    uartConfig->baudRate = 115200;
    uartConfig->dataBits = UART_DataBits_Eight;
    uartConfig->stopBits = UART_StopBits_One;
}

/* ISU 0 is number 4. */
int UART_Open(UART_Id uartId, const UART_Config *uartConfig) {
    if (!uartConfig) {
        errno = EFAULT;
        return -1;
    }
    char path[24];
    snprintf(path, sizeof path, "/dev/ttyS%d", uartId - 4);
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT) errno = ENODEV;
        return -1;
    }
    struct uart_settings settings = {
        uartConfig->baudRate, uartConfig->dataBits, uartConfig->parity, uartConfig->stopBits, uartConfig->flowControl};
    if (ioctl(fd, UART_SETUP, &settings) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
