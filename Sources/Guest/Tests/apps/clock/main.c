/* Tells others the time, by this device's own clock. */
#include <applibs/log.h>
#include <applibs/networking.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    Networking_SntpServerConfig config;
    Networking_SntpServerConfig_Init(&config);
    if (Networking_SntpServer_Start("wlan0", &config) < 0) Log_Debug("time server: %s\n", strerror(errno));
    for (;;) pause();
}
