/* TLS that the OS makes: a program reads and writes a socket as before, and sees what is inside. The device's key stays in
 * Pluton. This header is Orrery's own: the original has curl and wolfSSL here. */
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef enum {
    Tls_Identity_None = 0,
    Tls_Identity_Device = 1, /* the certificate that the security service has issued; needs DeviceAuthentication in the manifest */
} Tls_Identity;

/* What a peer must have. */
typedef enum {
    Tls_Rule_Strict = 0, /* as the device's own links: TLS 1.3, chains on P-256 that keep RFC 5280 to the letter */
    Tls_Rule_Common = 1, /* as servers of the world: TLS 1.2 (ECDHE, AEAD) or 1.3; RSA from 2,048 bits on, P-256 or P-384; needs roots */
} Tls_Rule;

/* TLS on a connected socket, from now on.
 *   serverName  what the peer's certificate must name
 *   rootsPath   certificates to trust, in PEM; NULL for those that the device itself trusts
 * Returns 0, or -1 with errno: EACCES without the capability, EAGAIN before the device is authenticated, EINVAL for roots that
 * are none, ENOTCONN. The handshake goes on meanwhile: writing waits for it, and EPROTO says that it has failed. */
int Tls_SecureByRule(int socket, const char *serverName, Tls_Identity identity, const char *rootsPath, Tls_Rule rule);
/* By the strict rule. */
int Tls_Secure(int socket, const char *serverName, Tls_Identity identity, const char *rootsPath);

/* Looks up a host (of the manifest's AllowedConnections), connects and secures. Returns a socket, or -1 with errno; EHOSTUNREACH
 * for a name that is not known. */
int Tls_ConnectByRule(const char *serverName, uint16_t port, Tls_Identity identity, const char *rootsPath, Tls_Rule rule);
/* By the strict rule. */
int Tls_Connect(const char *serverName, uint16_t port, Tls_Identity identity, const char *rootsPath);
#ifdef __cplusplus
}
#endif
