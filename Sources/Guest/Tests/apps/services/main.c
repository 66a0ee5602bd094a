/* What the OS does for apps beside files: certificates, networks, power, memory; each with what its manifest says. */
#include <applibs/applications.h>
#include <applibs/certstore.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <applibs/powermanagement.h>
#include <applibs/rtc.h>
#include <applibs/storage.h>
#include <applibs/wificonfig.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t load(const char *path, char *text, size_t size) {
    int fd = Storage_OpenFileInImagePackage(path);
    ssize_t count = read(fd, text, size);
    close(fd);
    return count < 0 ? 0 : (size_t)count;
}
static void say(const char *what, long result) { Log_Debug("%s %ld%s%s\n", what, result, result < 0 ? " " : "", result < 0 ? strerror(errno) : ""); }

static void certificates(void) {
    static char root[4096], key[4096];
    size_t root_bytes = load("data/root.pem", root, sizeof root), key_bytes = load("data/key.pem", key, sizeof key);
    say("install", CertStore_InstallRootCACertificate("root", root, root_bytes));
    say("no certificate", CertStore_InstallRootCACertificate("bad", "nonsense", 8));
    say("no name", CertStore_InstallRootCACertificate("a b", root, root_bytes));
    say("empty", CertStore_InstallRootCACertificate("none", root, 0));
    say("wrong password", CertStore_InstallClientCertificate("own", root, root_bytes, key, key_bytes, "guess"));
    say("client", CertStore_InstallClientCertificate("own", root, root_bytes, key, key_bytes, "secret"));
    say("count", CertStore_GetCertificateCount());
    CertStore_Identifier id;
    say("at", CertStore_GetCertificateIdentifierAt(0, &id));
    CertStore_SubjectName name;
    struct tm date;
    say("subject", CertStore_GetCertificateSubjectName("root", &name));
    say("not after", CertStore_GetCertificateNotAfter("root", &date));
    Log_Debug("%s: %s until %d\n", id.identifier, name.name, date.tm_year + 1900);
    say("move", CertStore_MoveCertificate("own", "root"));
    say("gone", CertStore_DeleteCertificate("own"));
    say("count", CertStore_GetCertificateCount());
    say("space", CertStore_GetAvailableSpace() > 60000);
}
int main(void) {
    certificates();
    Networking_NetworkInterface interfaces[2];
    say("interfaces", Networking_GetInterfaces(interfaces, 2));
    Networking_InterfaceConnectionStatus status = 0;
    say("status", Networking_GetInterfaceConnectionStatus(interfaces[0].interfaceName, &status));
    Log_Debug("%s %u\n", interfaces[0].interfaceName, status);
    say("no interface", Networking_GetInterfaceConnectionStatus("eth7", &status));
    say("change network", Networking_SetInterfaceState("wlan0", false));
    say("networks", WifiConfig_GetStoredNetworkCount());
    say("reload", WifiConfig_ReloadConfig());
    say("add", WifiConfig_AddNetwork());
    say("identity", WifiConfig_SetClientIdentity(0, "me"));
    say("profile", PowerManagement_SetSystemPowerProfile(PowerManagement_PowerSaver));
    say("bad profile", PowerManagement_SetSystemPowerProfile(9));
    say("reboot", PowerManagement_ForceSystemReboot());
    say("clock", clock_systohc());
    Applications_OsVersion version;
    Applications_GetOsVersion(&version);
    Log_Debug("os %s, memory %d\n", version.version, Applications_GetUserModeMemoryUsageInKB() > 10);
    char *volatile block = NULL;
    for (int size = 1; size < 1000; size++) {
        block = malloc(20000);
        memset(block, 1, 20000);
    }
    return 0;
}
