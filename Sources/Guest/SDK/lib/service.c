#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int service_request(enum service_operation operation, const void *input, size_t input_bytes, void *output, size_t output_bytes) {
    int fd = open("/dev/services", O_RDWR | O_CLOEXEC);
    if (fd < 0) return -1;
    struct service_request request = {operation, input, input_bytes, output, output_bytes};
    int result = ioctl(fd, SERVICE_REQUEST, &request);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}
