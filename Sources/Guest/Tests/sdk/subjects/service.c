/* A private network on Ethernet: an address of the device's own, addresses and the time for others, and a server that echoes. */
#include <applibs/eventloop.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static EventLoop *loop;
static EventRegistration *client;
static int result = -1;

static unsigned status(void) {
    Networking_InterfaceConnectionStatus bits = 0;
    return Networking_GetInterfaceConnectionStatus("eth0", &bits) < 0 ? 99 : bits;
}

static void echo(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    char line[32];
    ssize_t count = recv(fd, line, sizeof line, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        Log_Debug("closed\n");
        EventLoop_UnregisterIo(loop, client);
        close(fd);
        result = 0;
        return;
    }
    Log_Debug("heard %.*s", (int)count, line);
    send(fd, line, (size_t)count, 0);
}

static void come(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) client = EventLoop_RegisterIo(loop, accepted, EventLoop_Input, echo, NULL);
}

int main(void) {
    Networking_NetworkInterface interfaces[4];
    ssize_t count = Networking_GetInterfaces(interfaces, 4);
    for (ssize_t index = 0; index < count; index++)
        Log_Debug("%s: medium %u, on %d\n", interfaces[index].interfaceName, interfaces[index].interfaceMediumType, interfaces[index].isEnabled);
    Log_Debug("on: %d\n", Networking_SetInterfaceState("eth0", true));
    Log_Debug("cable: %u\n", status());

    struct in_addr own, mask, gateway = {0}, first;
    inet_aton("192.168.100.10", &own);
    inet_aton("255.255.255.0", &mask);
    inet_aton("192.168.100.11", &first);
    Networking_DhcpServerConfig addresses;
    Networking_DhcpServerConfig_Init(&addresses);
    Networking_DhcpServerConfig_SetLease(&addresses, first, 1, mask, gateway, 24);
    Networking_DhcpServerConfig_SetNtpServerAddresses(&addresses, &own, 1);
    int isServed = Networking_DhcpServer_Start("eth0", &addresses);
    Log_Debug("addresses before its own: %d %s\n", isServed, strerror(errno));
    Networking_IpConfig config;
    Networking_IpConfig_Init(&config);
    Networking_IpConfig_EnableStaticIp(&config, own, mask, gateway);
    Log_Debug("own: %d, %u\n", Networking_IpConfig_Apply("eth0", &config), status());
    Networking_IpConfig_Destroy(&config);
    struct ifaddrs *all = NULL;
    getifaddrs(&all);
    for (struct ifaddrs *one = all; one; one = one->ifa_next)
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET && strcmp(one->ifa_name, "eth0") == 0)
            Log_Debug("eth0 has %s\n", inet_ntoa(((struct sockaddr_in *)one->ifa_addr)->sin_addr));
    freeifaddrs(all);
    Networking_SntpServerConfig time;
    Networking_SntpServerConfig_Init(&time);
    Log_Debug("time: %d\n", Networking_SntpServer_Start("eth0", &time));
    Log_Debug("addresses: %d\n", Networking_DhcpServer_Start("eth0", &addresses));

    loop = EventLoop_Create();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = own, .sin_port = htons(11000)};
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 3) < 0) return 1;
    EventLoop_RegisterIo(loop, listener, EventLoop_Input, come, NULL);
    Log_Debug("listening\n");
    while (result < 0) EventLoop_Run(loop, -1, true);
    return result;
}
