/// Calls that are there and that no program of this OS may make, and those whose feature its kernel is built without (OS-3).
extension CallTable {
    static let refused: Group =
        privileged.map { ($0.0, $0.1, always(.EPERM)) } + withoutAttributes.map { ($0.0, $0.1, always(.EOPNOTSUPP)) }
        + withoutFeature.map { ($0.0, $0.1, always(.ENOSYS)) }

    private static func always(_ error: Errno) -> CallEntry.Body { { _, _, _ throws(Errno) in throw error } }

    private static let privileged: [(UInt32, String)] = [
        (14, "mknod"), (21, "mount"), (25, "stime"), (26, "ptrace"), (51, "acct"), (52, "umount2"), (74, "sethostname"),
        (79, "settimeofday"), (87, "swapon"), (88, "reboot"), (111, "vhangup"), (115, "swapoff"), (121, "setdomainname"),
        (128, "init_module"), (129, "delete_module"), (206, "setgroups32"), (218, "pivot_root"), (324, "mknodat"), (337, "unshare"),
        (371, "open_by_handle_at"), (375, "setns"), (376, "process_vm_readv"), (377, "process_vm_writev"), (378, "kcmp"),
        (379, "finit_module"), (386, "bpf"), (388, "userfaultfd"),
    ]

    /// Extended attributes: the file systems have none.
    private static let withoutAttributes: [(UInt32, String)] = [
        (226, "setxattr"), (227, "lsetxattr"), (228, "fsetxattr"), (229, "getxattr"), (230, "lgetxattr"), (231, "fgetxattr"),
        (232, "listxattr"), (233, "llistxattr"), (234, "flistxattr"), (235, "removexattr"), (236, "lremovexattr"), (237, "fremovexattr"),
    ]

    /// System V IPC, AIO, keys, kexec and io_uring are not built in; rseq, clone3 and openat2 are newer than the original's kernel:
    /// C libraries ask for them, and do without.
    private static let withoutFeature: [(UInt32, String)] = [
        (141, "getdents"), (243, "io_setup"), (244, "io_destroy"), (245, "io_getevents"), (246, "io_submit"), (247, "io_cancel"),
        (299, "semget"), (303, "msgget"), (307, "shmget"), (309, "add_key"), (310, "request_key"), (311, "keyctl"), (347, "kexec_load"),
        (383, "seccomp"), (398, "rseq"), (425, "io_uring_setup"), (435, "clone3"), (437, "openat2"),
    ]
}
