/* Blinks an LED until it is told to stop. */
#include <applibs/eventloop.h>
#include <applibs/gpio.h>
#include <applibs/log.h>
#include <hw/sample_appliance.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

static volatile sig_atomic_t isStopped;
static void on_terminate(int number) {
    (void)number;
    isStopped = 1;
}

int main(void) {
    struct sigaction action = {.sa_handler = on_terminate};
    sigaction(SIGTERM, &action, NULL);
    int led = GPIO_OpenAsOutput(SAMPLE_LED, GPIO_OutputMode_PushPull, GPIO_Value_High);
    if (led < 0) {
        Log_Debug("cannot open the LED\n");
        return 1;
    }
    const struct timespec half = {.tv_nsec = 500000000};
    for (bool isLit = true; !isStopped; isLit = !isLit) {
        Log_Debug("%s\n", isLit ? "on" : "off");
        GPIO_SetValue(led, isLit ? GPIO_Value_Low : GPIO_Value_High);
        nanosleep(&half, NULL);
    }
    return 0;
}
