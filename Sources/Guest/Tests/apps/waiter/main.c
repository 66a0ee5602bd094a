/* Puts an update off by a day, and then has the device start again. */
#include <applibs/eventloop.h>
#include <applibs/log.h>
#include <applibs/powermanagement.h>
#include <applibs/sysevent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void happened(SysEvent_Events event, SysEvent_Status status, const SysEvent_Info *info, void *context) {
    (void)info, (void)context;
    if (event != SysEvent_Events_UpdateReadyForInstall || status != SysEvent_Status_Pending) return;
    Log_Debug("defer %d\n", SysEvent_DeferEvent(event, 24 * 60));
    sleep(2);
    Log_Debug("reboot %d\n", PowerManagement_ForceSystemReboot());
}

int main(void) {
    EventLoop *loop = EventLoop_Create();
    if (!SysEvent_RegisterForEventNotifications(loop, SysEvent_Events_Mask, happened, NULL)) Log_Debug("%s\n", strerror(errno));
    for (;;) EventLoop_Run(loop, -1, false);
}
