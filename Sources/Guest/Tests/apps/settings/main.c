/* What an app sets, what comes of it at once, and what of it is there after a restart. `refused`: that it may do nothing of it. */
#include <applibs/certstore.h>
#include <applibs/application.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <applibs/powermanagement.h>
#include <applibs/rtc.h>
#include <applibs/storage.h>
#include <applibs/wificonfig.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsutils/deviceauth.h>
#include <unistd.h>

static void say(const char *what, long result) { Log_Debug("%s: %ld%s%s\n", what, result, result < 0 ? " " : "", result < 0 ? strerror(errno) : ""); }

static int status(void) {
    Networking_InterfaceConnectionStatus bits = 0;
    return Networking_GetInterfaceConnectionStatus("wlan0", &bits) < 0 ? -1 : (int)bits;
}
static int reach(const char *host) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, "80", &hints, &found) != 0) return -2;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result = connect(fd, found->ai_addr, found->ai_addrlen);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}
static void date(const char *what) {
    struct timespec time;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &time);
    strftime(text, sizeof text, "%Y-%m-%d", gmtime(&time.tv_sec));
    Log_Debug("%s: %s\n", what, text);
}
static int set_clock(time_t seconds) {
    struct timespec time = {.tv_sec = seconds};
    return clock_settime(CLOCK_REALTIME, &time);
}
static void network(void) {
    WifiConfig_ConnectedNetwork current;
    int result = WifiConfig_GetCurrentNetwork(&current);
    Log_Debug("network: %.*s, status %d, stored %zd\n", result < 0 ? 4 : current.ssidLength, result < 0 ? "none" : (char *)current.ssid, status(),
              WifiConfig_GetStoredNetworkCount());
}
static int add(const char *ssid, const char *key) {
    int id = WifiConfig_AddNetwork();
    WifiConfig_SetSSID(id, (const uint8_t *)ssid, strlen(ssid));
    WifiConfig_SetSecurityType(id, WifiConfig_Security_Wpa2_Psk);
    WifiConfig_SetPSK(id, key, strlen(key));
    WifiConfig_SetNetworkEnabled(id, true);
    return id;
}
static int diagnose(int id) {
    WifiConfig_NetworkDiagnostics diagnostics;
    return WifiConfig_GetNetworkDiagnostics(id, &diagnostics) < 0 ? -1 : diagnostics.error;
}
static void wait_for_sync(void) {
    char server[64];
    size_t length = sizeof server;
    struct tm before, after;
    while (Networking_TimeSync_GetLastNtpSyncInfo(server, &length, &before, &after) < 0 || strncmp(server, "clock", 5) != 0) {
        length = sizeof server;
        sleep(1);
    }
    Log_Debug("time from %s\n", server);
}
static int use_address(const char *address) {
    Networking_IpConfig config;
    struct in_addr ip, mask, gateway;
    inet_aton(address, &ip), inet_aton("255.255.0.0", &mask), inet_aton("10.1.0.1", &gateway);
    Networking_IpConfig_Init(&config);
    Networking_IpConfig_EnableStaticIp(&config, ip, mask, gateway);
    return Networking_IpConfig_Apply("wlan0", &config);
}
static int serve_addresses(void) {
    Networking_DhcpServerConfig config;
    struct in_addr start, mask, gateway;
    inet_aton("10.1.9.10", &start), inet_aton("255.255.0.0", &mask), inet_aton("10.1.0.1", &gateway);
    Networking_DhcpServerConfig_Init(&config);
    say("lease of none", Networking_DhcpServerConfig_SetLease(&config, start, 0, mask, gateway, 24));
    Networking_DhcpServerConfig_SetLease(&config, start, 5, mask, gateway, 24);
    return Networking_DhcpServer_Start("wlan0", &config);
}
static int set_proxy(const char *address) {
    Networking_ProxyConfig *proxy = Networking_Proxy_Create();
    Networking_Proxy_SetProxyAddress(proxy, address, 3128);
    Networking_Proxy_SetBasicAuthentication(proxy, "user", "secret");
    int result = Networking_Proxy_Apply(proxy);
    Networking_Proxy_Destroy(proxy);
    return result;
}
static void proxy(void) {
    Networking_ProxyConfig *proxy = Networking_Proxy_Create();
    Networking_ProxyStatus bits = 0;
    uint16_t port = 0;
    int result = Networking_Proxy_Get(proxy);
    Networking_Proxy_GetProxyPort(proxy, &port);
    Networking_Proxy_GetProxyStatus(&bits);
    if (result < 0) say("proxy", result);
    else Log_Debug("proxy: %s:%u as %s, status %u\n", Networking_Proxy_GetProxyAddress(proxy), port, Networking_Proxy_GetProxyUsername(proxy), bits);
    Networking_Proxy_Destroy(proxy);
}
static int install(const char *name) {
    char pem[8192];
    int fd = open(DeviceAuth_GetCertificatePath(), O_RDONLY);
    ssize_t count = read(fd, pem, sizeof pem);
    close(fd);
    char *end = count > 0 ? memmem(pem, (size_t)count, "-----END CERTIFICATE-----\n", 26) : NULL;
    return end ? CertStore_InstallRootCACertificate(name, pem, (size_t)(end - pem) + 26) : -1;
}

static void refused(void) {
    struct timespec time = {.tv_sec = 1800000000};
    say("clock", clock_settime(CLOCK_REALTIME, &time));
    say("hardware clock", clock_systohc());
    say("time sync", Networking_TimeSync_SetEnabled(false));
    say("custom time", Networking_TimeSync_EnableCustomNtp("clock.acme.internal", NULL, Networking_NtpOption_FallbackServerDisabled));
    say("wifi", WifiConfig_AddNetwork());
    say("forget", WifiConfig_ForgetAllNetworks());
    say("address", use_address("10.1.0.77"));
    say("interface", Networking_SetInterfaceState("wlan0", false));
    Networking_SntpServerConfig server;
    Networking_SntpServerConfig_Init(&server);
    say("time server", Networking_SntpServer_Start("wlan0", &server));
    say("addresses", serve_addresses());
    say("set proxy", set_proxy("proxy"));
    proxy();
    say("certificates", CertStore_GetCertificateCount());
}

static void first(void) {
    network();
    int wrong = add("House", "not the key"), other = add("Street", "12345678");
    Log_Debug("diagnostics: %d %d\n", diagnose(wrong), diagnose(other));
    int factory = WifiConfig_GetConnectedNetworkId();
    WifiConfig_SetNetworkEnabled(factory, false);
    network();
    say("reach", reach("service.acme.internal"));
    WifiConfig_ForgetNetworkById(wrong);
    WifiConfig_SetConfigName(add("House", "correct horse"), "home");
    network();
    say("reach", reach("service.acme.internal"));
    say("persist", WifiConfig_PersistConfig());
    say("release", Networking_IpConfig_ReleaseIp("wlan0"));
    Log_Debug("status %d\n", status());
    say("renew", Networking_IpConfig_RenewIp("wlan0"));
    say("addresses", serve_addresses());
    say("static", use_address("10.1.9.9"));
    say("addresses", serve_addresses());
    say("release", Networking_IpConfig_ReleaseIp("wlan0"));
    say("eth0", Networking_IpConfig_RenewIp("eth0"));
    say("reach", reach("service.acme.internal"));
    proxy();
    say("set proxy", set_proxy("proxy.example.com"));
    say("custom time", Networking_TimeSync_EnableCustomNtp("clock.acme.internal", NULL, Networking_NtpOption_FallbackServerEnabled));
    wait_for_sync();
    bool isReady = false;
    while (Application_IsDeviceAuthReady(&isReady) == 0 && !isReady) sleep(1);
    say("install", install("own"));
    say("count", CertStore_GetCertificateCount());
    say("no time sync", Networking_TimeSync_SetEnabled(false));
    say("clock", set_clock(1800000000));
    date("set");
}

static void later(int boots) {
    network();
    date("clock");
    proxy();
    bool isOn = true;
    Networking_TimeSync_GetEnabled(&isOn);
    CertStore_Identifier identifier = {""};
    CertStore_GetCertificateIdentifierAt(0, &identifier);
    Log_Debug("time sync %d, certificates %zd %s\n", isOn, CertStore_GetCertificateCount(), identifier.identifier);
    say("reach", reach("service.acme.internal"));
    if (boots == 1) {
        set_clock(1830000000);
        say("to hardware", clock_systohc());
    }
}

int main(int argc, char *argv[]) {
    if (argc > 1) {
        refused();
        for (;;) pause();
    }
    int fd = Storage_OpenMutableFile(), boots = 0;
    pread(fd, &boots, sizeof boots, 0);
    Log_Debug("boot %d\n", boots);
    if (boots == 0) first();
    else later(boots);
    boots++;
    pwrite(fd, &boots, sizeof boots, 0);
    fsync(fd);
    if (boots == 2 || boots == 1) PowerManagement_ForceSystemReboot();
    for (;;) pause();
}
