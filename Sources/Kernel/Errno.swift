/// Why a system call fails, with Linux's names and numbers for ARM (asm-generic/errno.h).
// swift-format-ignore: AlwaysUseLowerCamelCase
public enum Errno: Int32, Error, Sendable {
    case EPERM = 1, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EFAULT
    case EBUSY = 16
    case EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE, EMFILE, ENOTTY
    case EFBIG = 27
    case ENOSPC, ESPIPE, EROFS, EMLINK, EPIPE, EDOM, ERANGE
    case ENAMETOOLONG = 36
    case ENOSYS = 38
    case ENOTEMPTY, ELOOP
    case EPROTO = 71
    case ENOTSOCK = 88
    case EDESTADDRREQ, EMSGSIZE, EPROTOTYPE, ENOPROTOOPT, EPROTONOSUPPORT
    case EOPNOTSUPP = 95
    case EAFNOSUPPORT = 97
    case EADDRINUSE, EADDRNOTAVAIL
    case ENETDOWN = 100
    case ENETUNREACH
    case ECONNRESET = 104
    case ENOBUFS, EISCONN, ENOTCONN
    case ETIMEDOUT = 110
    case ECONNREFUSED
    case EALREADY = 114
    case EINPROGRESS
}
