/* What the samples of the original do with peripherals, in one event loop: a light that blinks, a button, analogue input,
   pulse width, a serial port that echoes, an accelerometer on both buses, files. */
#include <applibs/adc.h>
#include <applibs/eventloop.h>
#include <applibs/gpio.h>
#include <applibs/i2c.h>
#include <applibs/log.h>
#include <applibs/pwm.h>
#include <applibs/spi.h>
#include <applibs/storage.h>
#include <applibs/uart.h>
#include <errno.h>
#include <hw/sample_appliance.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static volatile sig_atomic_t wants_exit;
static EventLoop *loop;
static int led, button, uart, ticks;
static GPIO_Value_Type was = GPIO_Value_High;

static void on_terminate(int number) {
    (void)number;
    wants_exit = 1;
}
static int timer(long nanoseconds, EventLoopIoCallback *callback) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec time = {{nanoseconds / 1000000000, nanoseconds % 1000000000}, {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    if (fd < 0 || timerfd_settime(fd, 0, &time, NULL) < 0) return -1;
    return EventLoop_RegisterIo(loop, fd, EventLoop_Input, callback, NULL) ? fd : -1;
}
static void consume(int fd) {
    uint64_t times;
    if (read(fd, &times, sizeof times) != sizeof times) Log_Debug("ERROR: timer %s (%d)\n", strerror(errno), errno);
}
static void on_blink(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    (void)el, (void)events, (void)context;
    consume(fd);
    GPIO_SetValue(led, ++ticks % 2 ? GPIO_Value_Low : GPIO_Value_High);
    if (ticks == 4) raise(SIGTERM);
}
static void on_poll(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    (void)el, (void)events, (void)context;
    consume(fd);
    GPIO_Value_Type now;
    GPIO_GetValue(button, &now);
    if (now != was) Log_Debug("button %s\n", now == GPIO_Value_Low ? "pressed" : "released");
    was = now;
}
static void on_serial(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    (void)el, (void)events, (void)context;
    char text[32];
    ssize_t count = read(fd, text, sizeof text - 1);
    if (count > 0) Log_Debug("uart received %zd: %.*s\n", count, (int)count, text);
}
static void analog(void) {
    int fd = ADC_Open(SAMPLE_POTENTIOMETER_ADC_CONTROLLER);
    int bits = ADC_GetSampleBitCount(fd, SAMPLE_POTENTIOMETER_ADC_CHANNEL);
    uint32_t value = 0;
    ADC_SetReferenceVoltage(fd, SAMPLE_POTENTIOMETER_ADC_CHANNEL, 2.5f);
    ADC_Poll(fd, SAMPLE_POTENTIOMETER_ADC_CHANNEL, &value);
    Log_Debug("adc %d bits, %.3f V\n", bits, value * 2.5 / ((1 << bits) - 1));
    close(fd);
    fd = PWM_Open(MT3620_PWM_CONTROLLER1);
    PwmState state = {.period_nsec = 20000, .dutyCycle_nsec = 5000, .polarity = PWM_Polarity_Normal, .enabled = true};
    Log_Debug("pwm %d\n", PWM_Apply(fd, SAMPLE_LED_PWM_CHANNEL, &state));
    close(fd);
}
static void buses(void) {
    int fd = I2CMaster_Open(SAMPLE_LSM6DS3_I2C);
    uint8_t who = 0x0F, id = 0;
    I2CMaster_SetBusSpeed(fd, I2C_BUS_SPEED_STANDARD);
    ssize_t count = I2CMaster_WriteThenRead(fd, 0x6A, &who, 1, &id, 1);
    Log_Debug("i2c %zd bytes, WHO_AM_I %02X\n", count, id);
    count = I2CMaster_Write(fd, 0x2B, &who, 1);
    Log_Debug("i2c nobody: %zd %s\n", count, strerror(errno));
    close(fd);
    SPIMaster_Config config;
    SPIMaster_InitConfig(&config);
    fd = SPIMaster_Open(SAMPLE_LSM6DS3_SPI, SAMPLE_LSM6DS3_SPI_CS, &config);
    SPIMaster_SetBusSpeed(fd, 400000);
    SPIMaster_SetMode(fd, SPI_Mode_3);
    who |= 0x80;
    id = 0;
    count = SPIMaster_WriteThenRead(fd, &who, 1, &id, 1);
    Log_Debug("spi %zd bytes, WHO_AM_I %02X\n", count, id);
    close(fd);
}
static void files(void) {
    char text[64] = "";
    int fd = Storage_OpenFileInImagePackage("data/greeting.txt");
    ssize_t count = read(fd, text, sizeof text - 1);
    Log_Debug("package file: %.*s", (int)(count < 0 ? 0 : count), text);
    close(fd);
    fd = Storage_OpenMutableFile();
    int counter = 0;
    if (read(fd, &counter, sizeof counter) != sizeof counter) counter = 0;
    counter++;
    lseek(fd, 0, SEEK_SET);
    count = write(fd, &counter, sizeof counter);
    Log_Debug("mutable file: counter %d, wrote %zd\n", counter, count);
    lseek(fd, 8190, SEEK_SET);
    count = write(fd, text, 8);
    Log_Debug("beyond its size: %zd %s\n", count, count < 0 ? strerror(errno) : "");
    close(fd);
    Log_Debug("delete %d", Storage_DeleteMutableFile());
    Log_Debug(" %d\n", Storage_DeleteMutableFile());
}
int main(int argc, char **argv) {
    Log_Debug("arguments %d %s %s\n", argc, argv[1], argv[2]);
    struct sigaction action = {.sa_handler = on_terminate};
    sigaction(SIGTERM, &action, NULL);
    loop = EventLoop_Create();
    led = GPIO_OpenAsOutput(SAMPLE_LED, GPIO_OutputMode_PushPull, GPIO_Value_High);
    button = GPIO_OpenAsInput(SAMPLE_BUTTON_1);
    int denied = GPIO_OpenAsInput(SAMPLE_BUTTON_2);
    Log_Debug("led %s, not in the manifest: %s\n", led >= 0 ? "open" : "closed", denied < 0 ? strerror(errno) : "open");
    denied = GPIO_OpenAsInput(SAMPLE_LED);
    Log_Debug("twice: %s\n", denied < 0 ? strerror(errno) : "open");
    analog();
    buses();
    files();
    UART_Config config;
    UART_InitConfig(&config);
    config.baudRate = 115200;
    uart = UART_Open(SAMPLE_UART_LOOPBACK, &config);
    char drained[8];
    Log_Debug("uart empty: %zd\n", read(uart, drained, sizeof drained));
    EventLoop_RegisterIo(loop, uart, EventLoop_Input, on_serial, NULL);
    write(uart, "ping", 4);
    timer(500000000, on_blink);
    timer(1000000, on_poll);
    while (!wants_exit) {
        if (EventLoop_Run(loop, -1, true) == -1 && errno != EINTR) wants_exit = 2;
    }
    EventLoop_Close(loop);
    Log_Debug("exit\n");
    return 3;
}
