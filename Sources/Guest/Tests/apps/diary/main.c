/* Keeps a diary in its mutable file: one page at a time, in place of the page before. What it says it has synced must be there after any power
 * cut, or the page that it was about to sync, whole: never part of one, and never nothing. */
#include <applibs/log.h>
#include <applibs/storage.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

enum { LONGEST = 5000 };
static int page[LONGEST];

/* Pages are of different lengths, and each word of one is its number. */
static int length(int number) { return LONGEST - number % 4 * 1200; }

/* The page's number; 0 for an empty file, -1 for what no page is. */
static int held(int fd) {
    ssize_t count = read(fd, page, sizeof page);
    if (count <= 0) return (int)count;
    int number = page[0];
    if (number <= 0 || count != (ssize_t)(length(number) * sizeof number)) return -1;
    for (int word = 0; word < length(number); word++)
        if (page[word] != number) return -1;
    return number;
}

static bool keep(int *fd, int number) {
    ssize_t bytes = length(number) * sizeof number;
    for (int word = 0; word < length(number); word++) page[word] = number;
    if (lseek(*fd, 0, SEEK_SET) != 0 || write(*fd, page, bytes) != bytes || ftruncate(*fd, bytes) != 0) return false;
    if (number % 2 == 0) return fsync(*fd) == 0;
    if (close(*fd) != 0) return false;
    *fd = Storage_OpenMutableFile();
    return *fd >= 0;
}

int main(void) {
    int fd = Storage_OpenMutableFile();
    int number = held(fd);
    Log_Debug("diary: holds %d\n", number);
    if (number < 0) return 1;
    while (keep(&fd, ++number)) {
        Log_Debug("diary: synced %d\n", number);
        sleep(7);
    }
    return 2;
}
