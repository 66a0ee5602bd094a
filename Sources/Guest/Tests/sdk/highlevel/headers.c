/* Every function of the SDK's headers, by its documented type: they are there, and without what they need they say so. */
#include <applibs/adc.h>
#include <applibs/application.h>
#include <applibs/applications.h>
#include <applibs/certstore.h>
#include <applibs/eventloop.h>
#include <applibs/gpio.h>
#include <applibs/i2c.h>
#include <applibs/log.h>
#include <applibs/powermanagement.h>
#include <applibs/pwm.h>
#include <applibs/rtc.h>
#include <applibs/spi.h>
#include <applibs/storage.h>
#include <applibs/sysevent.h>
#include <applibs/uart.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <hw/sample_appliance.h>
#include <math.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <time.h>
#include <tlsutils/deviceauth.h>
#include <unistd.h>

/* With the errno that it leaves; 0 for what is no failure. */
#define TRY(call) (errno = 0, Log_Debug("%s: %d %s\n", #call, (int)(call), errno ? strerrorname_np(errno) : "-"))

static void peripherals(void) {
    GPIO_Value_Type level = 9;
    uint32_t sample;
    int led = GPIO_OpenAsOutput(SAMPLE_LED, GPIO_OutputMode_PushPull, GPIO_Value_High);
    int reset = GPIO_OpenAsInput(SAMPLE_NRF52_RESET);
    Log_Debug("pins: %d %d\n", led > 2, reset > 2);
    TRY(GPIO_OpenAsInput(SAMPLE_LED));
    TRY(GPIO_OpenAsInput(24));
    TRY(GPIO_OpenAsInput(SAMPLE_BUTTON_1));
    TRY(GPIO_OpenAsOutput(SAMPLE_LED, 3, GPIO_Value_Low));
    TRY(GPIO_SetValue(led, 2));
    TRY(GPIO_SetValue(-1, GPIO_Value_Low));
    TRY(GPIO_GetValue(led, NULL));
    TRY(GPIO_GetValue(led, &level));
    Log_Debug("level %d\n", level);
    TRY(close(reset));

    TRY(ADC_Open(SAMPLE_POTENTIOMETER_ADC_CONTROLLER));
    TRY(ADC_Open(7));
    TRY(ADC_Poll(-1, 0, &sample));
    TRY(ADC_Poll(led, 0, NULL));
    TRY(ADC_GetSampleBitCount(-1, 0));
    TRY(ADC_SetReferenceVoltage(-1, 0, 2.5f));
    PwmState state = {.period_nsec = 1000, .dutyCycle_nsec = 500, .polarity = PWM_Polarity_Normal, .enabled = true};
    TRY(PWM_Open(SAMPLE_LED_PWM_CONTROLLER));
    TRY(PWM_Apply(-1, SAMPLE_LED_PWM_CHANNEL, &state));
    TRY(PWM_Apply(led, SAMPLE_LED_PWM_CHANNEL, NULL));

    uint8_t bytes[4] = {0};
    TRY(I2CMaster_Open(SAMPLE_LSM6DS3_I2C));
    TRY(I2CMaster_Open(77));
    TRY(I2CMaster_SetBusSpeed(-1, I2C_BUS_SPEED_FAST));
    TRY(I2CMaster_SetTimeout(-1, 100));
    TRY(I2CMaster_SetDefaultTargetAddress(-1, 0x6A));
    TRY(I2CMaster_Read(-1, 0x6A, bytes, 1));
    TRY(I2CMaster_Write(-1, 0x6A, bytes, 65536 + 1));
    TRY(I2CMaster_WriteThenRead(-1, 0x80, bytes, 1, bytes, 1));
    SPIMaster_Config config;
    SPIMaster_Transfer transfers[2];
    TRY(SPIMaster_InitConfig(&config));
    TRY(SPIMaster_InitConfig(NULL));
    TRY(SPIMaster_Open(SAMPLE_LSM6DS3_SPI, SAMPLE_LSM6DS3_SPI_CS, &config));
    TRY(SPIMaster_Open(SAMPLE_LSM6DS3_SPI, 5, &config));
    config.csPolarity = SPI_ChipSelectPolarity_Invalid;
    TRY(SPIMaster_Open(SAMPLE_LSM6DS3_SPI, SAMPLE_LSM6DS3_SPI_CS, &config));
    TRY(SPIMaster_SetBusSpeed(-1, 400000));
    TRY(SPIMaster_SetMode(-1, SPI_Mode_3));
    TRY(SPIMaster_SetMode(-1, SPI_Mode_Invalid));
    TRY(SPIMaster_SetBitOrder(-1, SPI_BitOrder_MsbFirst));
    TRY(SPIMaster_WriteThenRead(-1, bytes, 1, bytes, 1));
    TRY(SPIMaster_InitTransfers(transfers, 2));
    TRY(SPIMaster_TransferSequential(-1, transfers, 2));
    TRY(SPIMaster_TransferSequential(-1, NULL, 2));
    UART_Config uart;
    UART_InitConfig(&uart);
    Log_Debug("uart %u %d%d%d\n", (unsigned)uart.baudRate, uart.dataBits, uart.parity, uart.stopBits);
    TRY(UART_Open(SAMPLE_UART_LOOPBACK, &uart));
    TRY(UART_Open(SAMPLE_UART_LOOPBACK, NULL));
    TRY(UART_Open(99, &uart));
}

static void services(void) {
    bool ready;
    Applications_OsVersion version;
    TRY(Application_Connect("no GUID"));
    TRY(Application_Connect("25025d2c-66da-4448-bae1-ac26fcdd3627"));
    TRY(Application_IsDeviceAuthReady(&ready));
    TRY(Application_IsDeviceAuthReady(NULL));
    Log_Debug("memory: %d %d %d\n", Applications_GetTotalMemoryUsageInKB() > 0, Applications_GetUserModeMemoryUsageInKB() > 0,
              Applications_GetPeakUserModeMemoryUsageInKB() >= Applications_GetUserModeMemoryUsageInKB());
    TRY(Applications_GetOsVersion(&version));
    TRY(Applications_GetOsVersion(NULL));
    CertStore_Identifier identifier;
    CertStore_SubjectName subject;
    CertStore_IssuerName issuer;
    struct tm date;
    TRY(CertStore_InstallClientCertificate(NULL, "", 0, "", 0, NULL));
    TRY(CertStore_InstallClientCertificate("id", "x", 9000, "x", 1, NULL));
    TRY(CertStore_InstallRootCACertificate("id", "x", 1));
    TRY(CertStore_DeleteCertificate("id"));
    TRY(CertStore_GetCertificateCount());
    TRY(CertStore_GetAvailableSpace());
    TRY(CertStore_GetCertificateIdentifierAt(0, &identifier));
    TRY(CertStore_GetCertificateSubjectName("id", &subject));
    TRY(CertStore_GetCertificateIssuerName("id", &issuer));
    TRY(CertStore_GetCertificateNotBefore("id", &date));
    TRY(CertStore_GetCertificateNotAfter("id", &date));
    TRY(CertStore_MoveCertificate("id", "to"));
    TRY(PowerManagement_ForceSystemReboot());
    TRY(PowerManagement_ForceSystemPowerDown(1));
    TRY(PowerManagement_SetSystemPowerProfile(PowerManagement_PowerSaver));
    TRY(PowerManagement_SetSystemPowerProfile(7));
    TRY(clock_systohc());
    Log_Debug("%s\n", DeviceAuth_GetCertificatePath());
    TRY(Log_Debug(NULL));
}

static void storage(void) {
    char text[32] = "";
    char *path = Storage_GetAbsolutePathInImagePackage("data/word.txt");
    int fd = Storage_OpenFileInImagePackage("data/word.txt");
    Log_Debug("%s: %d %s", path, (int)read(fd, text, sizeof text), text);
    free(path);
    close(fd);
    TRY(Storage_OpenFileInImagePackage("../word.txt"));
    TRY(Storage_OpenFileInImagePackage(NULL));
    TRY(Storage_OpenFileInImagePackage("none"));
    TRY(Storage_DeleteMutableFile());
    fd = Storage_OpenMutableFile();
    TRY(write(fd, "12", 2));
    TRY(close(fd));
    TRY(Storage_DeleteMutableFile());
}

static int turns;
static void on_timer(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    uint64_t count;
    if (read(fd, &count, sizeof count) != sizeof count || events != EventLoop_Input || *(int *)context != 5) exit(1);
    if (++turns == 3) EventLoop_Stop(el);
}
static void on_event(SysEvent_Events event, SysEvent_Status state, const SysEvent_Info *info, void *context) {
    (void)event, (void)state, (void)info, (void)context;
}

static void events(void) {
    int context = 5;
    EventLoop *el = EventLoop_Create();
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec each = {{0, 10000000}, {0, 10000000}};
    timerfd_settime(timer, 0, &each, NULL);
    EventRegistration *reg = EventLoop_RegisterIo(el, timer, EventLoop_Input, on_timer, &context);
    TRY(EventLoop_RegisterIo(el, timer, EventLoop_Input, on_timer, &context) != NULL);
    TRY(EventLoop_RegisterIo(el, 99, EventLoop_Input, on_timer, &context) != NULL);
    TRY(EventLoop_RegisterIo(el, timer, 0x100, on_timer, &context) != NULL);
    TRY(EventLoop_RegisterIo(NULL, timer, EventLoop_Input, on_timer, &context) != NULL);
    TRY(EventLoop_Run(el, -1, false));
    TRY(EventLoop_Run(el, 0, false));
    TRY(EventLoop_ModifyIoEvents(el, reg, EventLoop_None));
    TRY(EventLoop_Run(el, 50, true));
    TRY(EventLoop_GetWaitDescriptor(el) > 2);
    Log_Debug("turns %d\n", turns);
    SysEvent_Info_UpdateData data;
    EventRegistration *updates = SysEvent_RegisterForEventNotifications(el, SysEvent_Events_Mask, on_event, NULL);
    TRY(updates != NULL);
    TRY(SysEvent_RegisterForEventNotifications(el, SysEvent_Events_None, on_event, NULL) != NULL);
    TRY(SysEvent_Info_GetUpdateData(NULL, &data));
    TRY(SysEvent_DeferEvent(SysEvent_Events_UpdateReadyForInstall, 5));
    TRY(SysEvent_ResumeEvent(SysEvent_Events_UpdateReadyForInstall));
    TRY(SysEvent_UnregisterForEventNotifications(updates));
    TRY(SysEvent_UnregisterForEventNotifications(NULL));
    TRY(EventLoop_UnregisterIo(el, reg));
    TRY(EventLoop_UnregisterIo(NULL, NULL));
    EventLoop_Close(el);
    EventLoop_Close(NULL);
}

/* What the original's C library has in one file. */
static void library(void) {
    volatile double two = 2.25;
    unsigned char query[128];
    int length = res_mkquery(ns_o_query, "a.example", ns_c_in, ns_t_ptr, NULL, 0, NULL, query, sizeof query);
    Log_Debug("root %.2f, rounded %.0f, query of %d bytes\n", sqrt(two), round(two), length);
}

int main(void) {
    peripherals();
    services();
    storage();
    events();
    library();
    return 0;
}
