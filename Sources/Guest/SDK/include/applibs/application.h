/* Other apps of the device, and real-time cores. */
#pragma once
#include <stdbool.h>
#ifdef __cplusplus
extern "C" {
#endif
/* A socket to the app with a component ID, which the manifest must list. -1: EINVAL, EACCES. */
int Application_Connect(const char *componentId);
int Application_IsDeviceAuthReady(bool *outIsDeviceAuthReady);
#ifdef __cplusplus
}
#endif
