/* Tells a broker something, and does what it is told, under the device's certificate. */
#include <applibs/application.h>
#include <applibs/log.h>
#include <applibs/storage.h>
#include <errno.h>
#include <string.h>
#include <tlsutils/mqtt.h>
#include <tlsutils/tls.h>
#include <unistd.h>

int main(void) {
    bool isReady = false;
    while (Application_IsDeviceAuthReady(&isReady) == 0 && !isReady) sleep(1);
    char *roots = Storage_GetAbsolutePathInImagePackage("certs/broker.pem");
    int fd = Tls_Connect("broker.acme.internal", 8883, Tls_Identity_Device, roots);
    Mqtt *mqtt = fd < 0 ? NULL : Mqtt_Connect(fd, "lamp", 60);
    if (!mqtt) {
        Log_Debug("connect: %s\n", strerror(errno));
        return 1;
    }
    Log_Debug("subscribe %d, wildcard %d, ", Mqtt_Subscribe(mqtt, "orders/#"), Mqtt_Publish(mqtt, "a/+", "x", 1, 0));
    Log_Debug("publish %d %d, ping %d\n", Mqtt_Publish(mqtt, "state", "lit", 3, 0), Mqtt_Publish(mqtt, "state", "dark", 4, 1), Mqtt_Ping(mqtt));
    char topic[32], order[32];
    ssize_t count;
    while ((count = Mqtt_Receive(mqtt, topic, sizeof topic, order, sizeof order)) > 0) {
        Log_Debug("%s: %.*s\n", topic, (int)count, order);
        if (strncmp(order, "stop", 4) == 0) break;
    }
    Mqtt_Disconnect(mqtt);
    close(fd);
    Log_Debug("stopped\n");
    return 0;
}
