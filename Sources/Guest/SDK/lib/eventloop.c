#include <applibs/eventloop.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct EventRegistration {
    EventRegistration *next;
    int fd;
    EventLoop_IoEvents events;
    EventLoopIoCallback *callback;
    void *context;
    bool is_gone;
    bool is_watched;
};
struct EventLoop {
    int poller;
    int stop_event;
    bool is_running, is_stopped;
    EventRegistration *registrations;
};

static int fail(int error) {
    errno = error;
    return -1;
}

EventLoop *EventLoop_Create(void) {
    EventLoop *el = calloc(1, sizeof *el);
    if (!el) return NULL;
    el->poller = epoll_create1(EPOLL_CLOEXEC);
    el->stop_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (el->poller < 0 || el->stop_event < 0 || epoll_ctl(el->poller, EPOLL_CTL_ADD, el->stop_event, &event) < 0) {
        EventLoop_Close(el);
        return NULL;
    }
    return el;
}

static void sweep(EventLoop *el, bool all) {
    for (EventRegistration **link = &el->registrations; *link;) {
        EventRegistration *reg = *link;
        if (all || reg->is_gone) {
            *link = reg->next;
            free(reg);
        } else {
            link = &reg->next;
        }
    }
}

void EventLoop_Close(EventLoop *el) {
    if (!el) return;
    sweep(el, true);
    if (el->poller >= 0) close(el->poller);
    if (el->stop_event >= 0) close(el->stop_event);
    free(el);
}

static long long now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 1 if a callback ran, 0 if none did, -1 with errno. */
static int run_one(EventLoop *el, int milliseconds) {
    struct epoll_event event;
    int count = epoll_wait(el->poller, &event, 1, milliseconds);
    if (count <= 0) return count;
    EventRegistration *reg = event.data.ptr;
    if (!reg) {
        uint64_t value;
        if (read(el->stop_event, &value, sizeof value) > 0) el->is_stopped = true;
        return 0;
    }
    if (reg->is_gone) return 0;
    EventLoop_IoEvents events = event.events & (EventLoop_Input | EventLoop_Output | EventLoop_Error);
    if (event.events & (EPOLLHUP | EPOLLERR)) events |= EventLoop_Error;
    reg->callback(el, reg->fd, events, reg->context);
    return 1;
}

EventLoop_Run_Result EventLoop_Run(EventLoop *el, int duration_in_milliseconds, bool process_one_event) {
    if (!el) return fail(EFAULT);
    if (el->is_running) return fail(EBUSY);
    el->is_running = true;
    el->is_stopped = false;
    long long end = duration_in_milliseconds > 0 ? now_milliseconds() + duration_in_milliseconds : 0;
    int result = EventLoop_Run_FinishedEmpty;
    for (;;) {
        long long left = duration_in_milliseconds > 0 ? end - now_milliseconds() : duration_in_milliseconds;
        if (duration_in_milliseconds > 0 && left <= 0) break;
        int one = run_one(el, (int)left);
        if (one < 0) {
            result = EventLoop_Run_Failed;
            break;
        }
        if (one > 0) result = EventLoop_Run_Finished;
        if (el->is_stopped || duration_in_milliseconds == 0 || (one > 0 && process_one_event)) break;
    }
    int error = errno;
    el->is_running = false;
    sweep(el, false);
    errno = error;
    return result;
}

int EventLoop_GetWaitDescriptor(EventLoop *el) { return el ? el->poller : fail(EFAULT); }

int EventLoop_Stop(EventLoop *el) {
    if (!el) return fail(EFAULT);
    uint64_t one = 1;
    return write(el->stop_event, &one, sizeof one) == sizeof one ? 0 : -1;
}

static int watch(EventLoop *el, EventRegistration *reg, EventLoop_IoEvents events) {
    struct epoll_event event = {.events = events & (EventLoop_Input | EventLoop_Output), .data.ptr = reg};
    int operation = reg->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(el->poller, operation, reg->fd, &event) < 0) return -1;
    reg->is_watched = true;
    reg->events = events;
    return 0;
}

EventRegistration *EventLoop_RegisterIo(
    EventLoop *el, int fd, EventLoop_IoEvents eventBitmask, EventLoopIoCallback *callback, void *context) {
    int error = !el || !callback ? EFAULT : eventBitmask & ~(uint32_t)(EventLoop_Input | EventLoop_Output | EventLoop_Error) ? EINVAL : 0;
    EventRegistration *reg = error ? NULL : calloc(1, sizeof *reg);
    if (!reg) {
        if (error) errno = error;
        return NULL;
    }
    reg->fd = fd;
    reg->callback = callback;
    reg->context = context;
    if (watch(el, reg, eventBitmask) < 0) {
        free(reg);
        return NULL;
    }
    reg->next = el->registrations;
    el->registrations = reg;
    return reg;
}

int EventLoop_ModifyIoEvents(EventLoop *el, EventRegistration *reg, EventLoop_IoEvents eventBitmask) {
    if (!el || !reg) return fail(EFAULT);
    if (eventBitmask & ~(uint32_t)(EventLoop_Input | EventLoop_Output | EventLoop_Error)) return fail(EINVAL);
    return watch(el, reg, eventBitmask);
}

int EventLoop_UnregisterIo(EventLoop *el, EventRegistration *reg) {
    if (!reg) return 0;
    if (!el) return fail(EFAULT);
    /* The descriptor may be closed already. */
    int error = errno;
    reg->is_gone = true;
    bool is_taken = false; /* by another registration of a descriptor that has the number now */
    for (EventRegistration *other = el->registrations; other; other = other->next) is_taken |= !other->is_gone && other->fd == reg->fd;
    if (!is_taken) epoll_ctl(el->poller, EPOLL_CTL_DEL, reg->fd, NULL);
    errno = error;
    if (!el->is_running) sweep(el, false);
    return 0;
}
