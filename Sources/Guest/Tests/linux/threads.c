/* Threads, locks and conditions; signals with handlers that return; memory that is mapped, protected and given back. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int total, turns;
static __thread int mine;

static void *work(void *argument) {
    for (int index = 0; index < 1000; index++) {
        pthread_mutex_lock(&lock);
        total++;
        pthread_mutex_unlock(&lock);
        mine++;
    }
    pthread_mutex_lock(&lock);
    turns++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    struct timespec rest = {0, 50000000};
    nanosleep(&rest, NULL);
    return (void *)((long)argument * 10 + (mine == 1000));
}
static volatile sig_atomic_t seen;
static volatile double kept = 1.5;
static void on_signal(int number, siginfo_t *information, void *context) {
    (void)context;
    seen = number * 100 + information->si_code;
    kept = kept * 2; /* the registers of whom it interrupts come back */
}
static sigjmp_buf escape;
static void on_fault(int number, siginfo_t *information, void *context) {
    (void)context;
    printf("fault %d at %p\n", number, information->si_addr);
    siglongjmp(escape, 1);
}
int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_t threads[4];
    for (long index = 0; index < 4; index++) pthread_create(&threads[index], NULL, work, (void *)index);
    pthread_mutex_lock(&lock);
    while (turns < 4) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    long sum = 0;
    for (int index = 0; index < 4; index++) {
        void *result;
        pthread_join(threads[index], &result);
        sum += (long)result;
    }
    printf("total %d, sum %ld\n", total, sum);

    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    double product = 3.25;
    raise(SIGUSR1);
    printf("signal %d, %.2f %.2f\n", seen, product, kept);
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    seen = 0;
    kill(getpid(), SIGUSR1);
    printf("blocked %d\n", seen);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("unblocked %d\n", seen);
    alarm(1);
    signal(SIGALRM, SIG_IGN);
    struct timespec two = {2, 0}, left;
    action.sa_sigaction = on_signal;
    sigaction(SIGALRM, &action, NULL);
    int result = nanosleep(&two, &left);
    printf("sleep %d %s\n", result, result ? strerror(errno) : "");

    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(page, "written");
    printf("both: %s\n", mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? strerror(errno) : "ok");
    printf("to code: %s\n", mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 ? strerror(errno) : "ok");
    mprotect(page, 4096, PROT_READ);
    action.sa_sigaction = on_fault;
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(escape, 1) == 0) *page = 'x';
    munmap(page, 4096);
    if (sigsetjmp(escape, 1) == 0) printf("%c\n", *page);
    printf("rest %d\n", page[4096]);
    int pipes[2];
    if (pipe(pipes)) return 1;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        write(pipes[1], "child", 5);
        *(volatile int *)16 = 1;
    }
    char text[8] = "";
    read(pipes[0], text, 5);
    int status;
    waitpid(child, &status, 0);
    printf("%s: signalled %d %d\n", text, WIFSIGNALED(status), WTERMSIG(status));
    return 0;
}
