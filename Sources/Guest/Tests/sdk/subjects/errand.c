/* A device that wakes up, does something, asks for updates, and sleeps: what it keeps is in its file. */
#include <applibs/eventloop.h>
#include <applibs/log.h>
#include <applibs/powermanagement.h>
#include <applibs/storage.h>
#include <applibs/sysevent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void updated(SysEvent_Events event, SysEvent_Status status, const SysEvent_Info *info, void *context) { Log_Debug("event %u\n", event); }

int main(void) {
    int count = 0, file = Storage_OpenMutableFile();
    if (read(file, &count, sizeof count) < 0) return 1;
    count++;
    lseek(file, 0, SEEK_SET);
    ssize_t written = write(file, &count, sizeof count);
    Log_Debug("errand %d, %zd bytes\n", count, written);
    close(file);
    EventLoop *loop = EventLoop_Create();
    EventRegistration *events = SysEvent_RegisterForEventNotifications(
        loop, SysEvent_Events_NoUpdateAvailable | SysEvent_Events_UpdateStarted | SysEvent_Events_UpdateReadyForInstall, updated, NULL);
    Log_Debug("registered: %d\n", events != NULL);
    EventLoop_Run(loop, 1000, false);
    int isDeferred = SysEvent_DeferEvent(SysEvent_Events_UpdateReadyForInstall, 1);
    Log_Debug("nothing to defer: %d %s\n", isDeferred, strerror(errno));
    SysEvent_UnregisterForEventNotifications(events);
    EventLoop_Close(loop);
    Log_Debug("sleep: %d\n", PowerManagement_ForceSystemPowerDown(10));
    sleep(3600);
    return 2;
}
