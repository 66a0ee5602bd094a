#include <applibs/storage.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char image_folder[] = "/mnt/app/";
static const char mutable_file[] = "/mnt/config/mutable";

char *Storage_GetAbsolutePathInImagePackage(const char *relativePath) {
    if (!relativePath) {
        errno = EFAULT;
        return NULL;
    }
    if (!*relativePath || *relativePath == '/' || *relativePath == '.' || strstr(relativePath, "..")) {
        errno = EINVAL;
        return NULL;
    }
    char *path = malloc(sizeof image_folder + strlen(relativePath));
    if (!path) return NULL;
    strcpy(path, image_folder);
    return strcat(path, relativePath);
}

int Storage_OpenFileInImagePackage(const char *relativePath) {
    char *path = Storage_GetAbsolutePathInImagePackage(relativePath);
    if (!path) return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = errno;
    free(path);
    errno = error;
    return fd;
}

int Storage_OpenMutableFile(void) { return open(mutable_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600); }
int Storage_DeleteMutableFile(void) { return unlink(mutable_file); }
