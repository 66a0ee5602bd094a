/* How the library asks the OS for what is no file: one request and its answer, through /dev/services. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* Numbers are part of the interface between this library and the kernel (Kernel/Services). */
enum service_operation {
    SERVICE_MEMORY_USAGE = 1, /* out: three words, KiB: total, user mode, peak */
    SERVICE_OS_VERSION = 2,
    SERVICE_DEVICE_AUTH_READY = 3,
    SERVICE_NETWORK_READY = 4,
    SERVICE_NETWORK_INTERFACES = 5, /* out: 20 bytes each: enabled, medium, addressing, 0, name */
    SERVICE_NETWORK_STATUS = 6,     /* in: name; out: a word */
    SERVICE_NETWORK_ENABLE = 7,
    SERVICE_TIME_SYNC_ENABLED = 8,
    SERVICE_TIME_SYNC_ENABLE = 9,
    SERVICE_REBOOT = 10,
    SERVICE_POWER_DOWN = 11, /* in: seconds */
    SERVICE_POWER_PROFILE = 12,
    SERVICE_CLOCK_TO_HARDWARE = 13,
    SERVICE_CERTIFICATE_INSTALL_CLIENT = 20, /* in: identifier, 0, four words: lengths, then bytes */
    SERVICE_CERTIFICATE_INSTALL_ROOT = 21,
    SERVICE_CERTIFICATE_DELETE = 22,
    SERVICE_CERTIFICATE_COUNT = 23,
    SERVICE_CERTIFICATE_AT = 24,
    SERVICE_CERTIFICATE_SPACE = 25,
    SERVICE_CERTIFICATE_SUBJECT = 26,
    SERVICE_CERTIFICATE_ISSUER = 27,
    SERVICE_CERTIFICATE_NOT_BEFORE = 28, /* out: seconds since 1970, 8 bytes */
    SERVICE_CERTIFICATE_NOT_AFTER = 29,
    SERVICE_CERTIFICATE_MOVE = 30,
    SERVICE_WIFI = 31,            /* whether the app may ask */
    SERVICE_TIME_SOURCE = 60, /* in: kind, option; names, each with a zero behind it */
    SERVICE_LAST_TIME = 61,   /* out: seconds since 1970 before and after, 8 bytes each, and the server's name, whose length it returns */
    SERVICE_ADDRESS_SET = 62, /* in, as for those that follow: the interface's name in 16 bytes; is static, address, mask, gateway, servers */
    SERVICE_ADDRESS_RELEASE = 63,
    SERVICE_ADDRESS_RENEW = 64,
    SERVICE_TIME_SERVER_START = 65,
    SERVICE_ADDRESS_SERVER_START = 66, /* first, how many, mask, gateway, hours, time servers */
    SERVICE_HARDWARE_ADDRESS = 67,     /* in: name */
    SERVICE_PROXY_SET = 70,            /* in: options, port, type, authentication, four lengths; address, user, password, exceptions */
    SERVICE_PROXY_GET = 71,            /* out: the same */
    SERVICE_PROXY_STATUS = 72,
    SERVICE_WIFI_ADD = 80,       /* returns the network's number */
    SERVICE_WIFI_DUPLICATE = 81, /* in: number, name */
    SERVICE_WIFI_SET = 82,       /* in: number, field, bytes */
    SERVICE_WIFI_BY_NAME = 83,
    SERVICE_WIFI_PERSIST = 84,
    SERVICE_WIFI_RELOAD = 85,
    SERVICE_WIFI_FORGET = 86, /* in: number */
    SERVICE_WIFI_FORGET_ALL = 87,
    SERVICE_WIFI_LIST = 88, /* out: 40 bytes each: number, SSID's length, is enabled, is connected, security, SSID */
    SERVICE_WIFI_SCAN = 89, /* out: SSID's length, security, SSID */
    SERVICE_WIFI_DIAGNOSTICS = 90, /* in: number; out: is enabled, is connected, 0, 0, error, seconds since 1970 in 8 bytes */
    SERVICE_ENTERPRISE_SET = 91,   /* as SERVICE_WIFI_SET */
    SERVICE_ENTERPRISE_GET = 92,   /* in: number, field; out: bytes */
    SERVICE_DEFER_UPDATE = 40, /* in: event, minutes */
    SERVICE_RESUME_UPDATE = 41,
    SERVICE_SECURE_STREAM = 50, /* in: descriptor, flags (1: show the device's certificate, 2: common rule), lengths of host and roots; those */
    SERVICE_SIGN_DIGEST = 51,   /* in: 32 bytes, SHA-256; out: 64 bytes, r and s, with the device's key */
};

struct service_request {
    uint32_t operation;
    const void *input;
    uint32_t input_bytes;
    void *output;
    uint32_t output_bytes;
};
#define SERVICE_REQUEST _IOWR('o', 1, struct service_request)

/* What the OS answers: a number from 0 on, or -1 with errno. */
int service_request(enum service_operation operation, const void *input, size_t input_bytes, void *output, size_t output_bytes);
