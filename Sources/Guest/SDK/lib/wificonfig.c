#include "service.h"
#include <applibs/wificonfig.h>
#include <errno.h>
#include <string.h>

/* The one network. */
static const char own_name[] = "orrery";
enum { OWN_ID = 0, OWN_FREQUENCY_MHZ = 2412, OWN_RSSI = -50, CONNECTED = 2 };

static int fail(int error) {
    errno = error;
    return -1;
}
/* EACCES without the capability. */
static int allowed(void) { return service_request(SERVICE_WIFI, NULL, 0, NULL, 0); }
static int enterprise(void) { return service_request(SERVICE_ENTERPRISE_WIFI, NULL, 0, NULL, 0); }
static int refuse(int is_allowed) { return is_allowed < 0 ? -1 : fail(ENOSYS); }
static int known(int id) { return allowed() < 0 ? -1 : id == OWN_ID ? 0 : fail(ENODEV); }

int WifiConfig_AddNetwork(void) { return refuse(allowed()); }
int WifiConfig_AddDuplicateNetwork(int networkId, const char *configName) { return (void)configName, refuse(known(networkId)); }
int WifiConfig_SetSSID(int networkId, const uint8_t *ssid, size_t ssidLength) { return (void)ssid, (void)ssidLength, refuse(known(networkId)); }
int WifiConfig_SetSecurityType(int networkId, WifiConfig_Security_Type securityType) { return (void)securityType, refuse(known(networkId)); }
int WifiConfig_SetPSK(int networkId, const char *psk, size_t pskLength) { return (void)psk, (void)pskLength, refuse(known(networkId)); }
int WifiConfig_SetTargetedScanEnabled(int networkId, bool enabled) { return (void)enabled, known(networkId); }
int WifiConfig_SetNetworkEnabled(int networkId, bool enabled) { return enabled ? known(networkId) : refuse(known(networkId)); }
int WifiConfig_SetConfigName(int networkId, const char *configName) { return (void)configName, refuse(known(networkId)); }
int WifiConfig_GetNetworkIdByConfigName(const char *configName) {
    if (!configName) return fail(EFAULT);
    return allowed() < 0 ? -1 : strcmp(configName, own_name) == 0 ? OWN_ID : fail(ENODEV);
}
int WifiConfig_PersistConfig(void) { return allowed(); }
int WifiConfig_ReloadConfig(void) { return allowed(); }
int WifiConfig_ForgetNetworkById(int networkId) { return refuse(known(networkId)); }
int WifiConfig_ForgetNetwork(const WifiConfig_StoredNetwork *storedNetwork) { return storedNetwork ? refuse(allowed()) : fail(EFAULT); }
int WifiConfig_ForgetAllNetworks(void) { return refuse(allowed()); }
int WifiConfig_StoreOpenNetwork(const uint8_t *ssid, size_t ssidLength) { return (void)ssid, (void)ssidLength, refuse(allowed()); }
int WifiConfig_StoreWpa2Network(const uint8_t *ssid, size_t ssidLength, const char *psk, size_t pskLength) {
    return (void)ssid, (void)ssidLength, (void)psk, (void)pskLength, refuse(allowed());
}

static int is_connected(void) {
    uint32_t status = 0;
    return service_request(SERVICE_NETWORK_STATUS, "wlan0", 5, &status, sizeof status) == 0 && (status & CONNECTED) != 0;
}
ssize_t WifiConfig_GetStoredNetworkCount(void) { return allowed() < 0 ? -1 : 1; }
ssize_t WifiConfig_GetStoredNetworks(WifiConfig_StoredNetwork *storedNetworkArray, size_t storedNetworkArrayCount) {
    if (!storedNetworkArray) return fail(EFAULT);
    if (storedNetworkArrayCount == 0) return fail(ERANGE);
    if (allowed() < 0) return -1;
    memset(storedNetworkArray, 0, sizeof *storedNetworkArray);
    memcpy(storedNetworkArray->ssid, own_name, sizeof own_name - 1);
    storedNetworkArray->ssidLength = sizeof own_name - 1;
    storedNetworkArray->isEnabled = true;
    storedNetworkArray->isConnected = is_connected();
    storedNetworkArray->security = WifiConfig_Security_Wpa2_Psk;
    return 1;
}
static void describe(WifiConfig_ConnectedNetwork *network) {
    memset(network, 0, sizeof *network);
    memcpy(network->ssid, own_name, sizeof own_name - 1);
    network->ssidLength = sizeof own_name - 1;
    network->security = WifiConfig_Security_Wpa2_Psk;
    network->frequencyMHz = OWN_FREQUENCY_MHZ;
    network->signalRssi = OWN_RSSI;
}
int WifiConfig_GetCurrentNetwork(WifiConfig_ConnectedNetwork *connectedNetwork) {
    if (!connectedNetwork) return fail(EFAULT);
    if (!is_connected()) return fail(ENODATA);
    describe(connectedNetwork);
    return 0;
}
int WifiConfig_GetConnectedNetworkId(void) { return allowed() < 0 ? -1 : is_connected() ? OWN_ID : fail(ENOTCONN); }
ssize_t WifiConfig_TriggerScanAndGetScannedNetworkCount(void) { return allowed() < 0 ? -1 : 1; }
ssize_t WifiConfig_GetScannedNetworks(WifiConfig_ScannedNetwork *scannedNetworkArray, size_t scannedNetworkArrayCount) {
    if (!scannedNetworkArray) return fail(EFAULT);
    if (scannedNetworkArrayCount == 0) return fail(ERANGE);
    if (allowed() < 0) return -1;
    describe(scannedNetworkArray);
    return 1;
}
/* Nothing has failed. */
int WifiConfig_GetNetworkDiagnostics(int networkId, WifiConfig_NetworkDiagnostics *networkDiagnostics) {
    return networkDiagnostics ? known(networkId) < 0 ? -1 : fail(ENODEV) : fail(EFAULT);
}
int WifiConfig_GetClientIdentity(int networkId, WifiConfig_ClientIdentity *outIdentity) { return (void)networkId, (void)outIdentity, refuse(enterprise()); }
int WifiConfig_SetClientIdentity(int networkId, const char *identity) { return (void)networkId, (void)identity, refuse(enterprise()); }
int WifiConfig_GetClientCertStoreIdentifier(int networkId, CertStore_Identifier *outIdentifier) {
    return (void)networkId, (void)outIdentifier, refuse(enterprise());
}
int WifiConfig_SetClientCertStoreIdentifier(int networkId, const char *certStoreIdentifier) {
    return (void)networkId, (void)certStoreIdentifier, refuse(enterprise());
}
int WifiConfig_GetRootCACertStoreIdentifier(int networkId, CertStore_Identifier *outIdentifier) {
    return (void)networkId, (void)outIdentifier, refuse(enterprise());
}
int WifiConfig_SetRootCACertStoreIdentifier(int networkId, const char *certStoreIdentifier) {
    return (void)networkId, (void)certStoreIdentifier, refuse(enterprise());
}
int WifiConfig_SetPowerSavingsEnabled(bool enabled) { return (void)enabled, allowed(); }
