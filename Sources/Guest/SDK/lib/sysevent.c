#include "service.h"
#include <applibs/sysevent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct SysEvent_Info {
    SysEvent_Events event;
    SysEvent_Status status;
    SysEvent_Info_UpdateData data;
};

/* One at a time for each app. */
static struct {
    int fd;
    EventLoop *loop;
    EventRegistration *registration;
    SysEvent_Events events;
    SysEvent_EventsCallback *callback;
    void *context;
} registered = {.fd = -1};

static void on_event(EventLoop *el, int fd, EventLoop_IoEvents events, void *context) {
    (void)el, (void)events, (void)context;
    struct SysEvent_Info info;
    if (read(fd, &info, sizeof info) != sizeof info) return;
    if (info.event & registered.events) registered.callback(info.event, info.status, &info, registered.context);
}

EventRegistration *SysEvent_RegisterForEventNotifications(
    EventLoop *el, SysEvent_Events eventBitmask, SysEvent_EventsCallback *callback, void *context) {
    errno = !el || !callback ? EFAULT : eventBitmask == 0 || eventBitmask & ~(uint32_t)SysEvent_Events_Mask ? EINVAL : 0;
    if (errno) return NULL;
    if (registered.fd >= 0) {
        errno = EBUSY;
        return NULL;
    }
    int fd = open("/dev/sysevent", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return NULL;
    EventRegistration *registration = EventLoop_RegisterIo(el, fd, EventLoop_Input, on_event, NULL);
    if (!registration) {
        close(fd);
        return NULL;
    }
    registered.fd = fd;
    registered.loop = el;
    registered.registration = registration;
    registered.events = eventBitmask;
    registered.callback = callback;
    registered.context = context;
    return registration;
}

int SysEvent_UnregisterForEventNotifications(EventRegistration *reg) {
    if (!reg || reg != registered.registration) {
        errno = reg ? EINVAL : EFAULT;
        return -1;
    }
    EventLoop_UnregisterIo(registered.loop, reg);
    close(registered.fd);
    registered.fd = -1;
    registered.registration = NULL;
    return 0;
}

int SysEvent_Info_GetUpdateData(const SysEvent_Info *info, SysEvent_Info_UpdateData *update_info) {
    if (!info || !update_info) {
        errno = EFAULT;
        return -1;
    }
    if (info->event != SysEvent_Events_UpdateReadyForInstall) {
        errno = EINVAL;
        return -1;
    }
    *update_info = info->data;
    return 0;
}

int SysEvent_DeferEvent(SysEvent_Events event, uint32_t requested_defer_time_in_minutes) {
    uint32_t words[2] = {event, requested_defer_time_in_minutes};
    return service_request(SERVICE_DEFER_UPDATE, words, sizeof words, NULL, 0);
}

int SysEvent_ResumeEvent(SysEvent_Events event) { return service_request(SERVICE_RESUME_UPDATE, &event, sizeof event, NULL, 0); }
