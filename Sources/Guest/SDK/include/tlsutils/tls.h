/* TLS 1.3 that the OS makes: a program reads and writes a socket as before, and sees what is inside. The device's key stays in
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

/* TLS on a connected socket, from now on.
 *   serverName  what the peer's certificate must name
 *   rootsPath   certificates to trust, in PEM; NULL for those that the device itself trusts. Chains on P-256 that keep RFC 5280
 *               to the letter: an authority without key usage is refused
 * Returns 0, or -1 with errno: EACCES without the capability, EAGAIN before the device is authenticated, EINVAL for roots that
 * are none, ENOTCONN. The handshake goes on meanwhile: writing waits for it, and EPROTO says that it has failed. */
int Tls_Secure(int socket, const char *serverName, Tls_Identity identity, const char *rootsPath);

/* Looks up a host (of the manifest's AllowedConnections), connects and secures. Returns a socket, or -1 with errno; EHOSTUNREACH
 * for a name that is not known. */
int Tls_Connect(const char *serverName, uint16_t port, Tls_Identity identity, const char *rootsPath);
#ifdef __cplusplus
}
#endif
