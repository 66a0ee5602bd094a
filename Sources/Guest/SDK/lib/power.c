#include "service.h"
#include <applibs/powermanagement.h>
#include <applibs/rtc.h>

int PowerManagement_ForceSystemReboot(void) { return service_request(SERVICE_REBOOT, NULL, 0, NULL, 0); }

int PowerManagement_ForceSystemPowerDown(unsigned int maximum_residency_in_seconds) {
    return service_request(SERVICE_POWER_DOWN, &maximum_residency_in_seconds, sizeof maximum_residency_in_seconds, NULL, 0);
}

int PowerManagement_SetSystemPowerProfile(PowerManagement_System_PowerProfile desired_profile) {
    return service_request(SERVICE_POWER_PROFILE, &desired_profile, sizeof desired_profile, NULL, 0);
}

int clock_systohc(void) { return service_request(SERVICE_CLOCK_TO_HARDWARE, NULL, 0, NULL, 0); }
