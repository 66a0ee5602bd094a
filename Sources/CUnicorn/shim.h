#include <sys/prctl.h>
#include <unicorn/unicorn.h>

/* uc_hook_add and uc_ctl are variadic, which Swift cannot call. */

/* So is prctl. An engine touches a few pages of what it maps: with huge pages, two megabytes would be cleared for each. */
static inline void uc_without_huge_pages(void) { prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); }

static inline uc_err uc_use_cortex_m4(uc_engine *uc) { return uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M4); }
static inline uc_err uc_use_cortex_a7(uc_engine *uc) { return uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_A7); }
static inline uc_err uc_forget_code(uc_engine *uc, uint64_t begin, uint64_t end) { return uc_ctl_remove_cache(uc, begin, end); }
static inline uc_err uc_hook_blocks(uc_engine *uc, uc_hook *hook, uc_cb_hookcode_t call, void *user) {
    return uc_hook_add(uc, hook, UC_HOOK_BLOCK, (void *)call, user, 1, 0);
}
static inline uc_err uc_hook_instructions(uc_engine *uc, uc_hook *hook, uc_cb_hookcode_t call, void *user) {
    return uc_hook_add(uc, hook, UC_HOOK_CODE, (void *)call, user, 1, 0);
}
static inline uc_err uc_hook_interrupts(uc_engine *uc, uc_hook *hook, uc_cb_hookintr_t call, void *user) {
    return uc_hook_add(uc, hook, UC_HOOK_INTR, (void *)call, user, 1, 0);
}
static inline uc_err uc_hook_bad_memory(uc_engine *uc, uc_hook *hook, uc_cb_eventmem_t call, void *user) {
    return uc_hook_add(uc, hook, UC_HOOK_MEM_INVALID, (void *)call, user, 1, 0);
}
static inline uc_err uc_hook_accesses(uc_engine *uc, uc_hook *hook, uc_cb_hookmem_t call, void *user) {
    return uc_hook_add(uc, hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)call, user, 1, 0);
}
