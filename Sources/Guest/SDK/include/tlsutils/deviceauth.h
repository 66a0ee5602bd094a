/* The certificate that the security service has issued to this device. */
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
/* Of the certificate chain in PEM; it lives as long as the process. The file is there once the device is authenticated. */
const char *DeviceAuth_GetCertificatePath(void);
#ifdef __cplusplus
}
#endif
