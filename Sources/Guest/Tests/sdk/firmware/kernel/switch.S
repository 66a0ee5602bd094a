    .syntax unified
    .thumb
    .text
    .global PendSV_Handler
    .thumb_func
PendSV_Handler:
    mrs r0, psp
#ifndef __SOFTFP__
    tst lr, #0x10
    it eq
    vstmdbeq r0!, {s16-s31}
#endif
    stmdb r0!, {r4-r11, lr}
    ldr r4, =kernel_current
    ldr r5, =kernel_saved
    ldr r1, [r4]
    str r0, [r5, r1, lsl #2]
    bl kernel_next
    ldr r1, [r4]
    ldr r0, [r5, r1, lsl #2]
resume:
    ldmia r0!, {r4-r11, lr}
#ifndef __SOFTFP__
    tst lr, #0x10
    it eq
    vldmiaeq r0!, {s16-s31}
#endif
    msr psp, r0
    isb
    bx lr
    .global SVC_Handler
    .thumb_func
SVC_Handler:
    ldr r5, =kernel_saved
    ldr r0, [r5]
    b resume
    /* Called by name, so that whoever links a library takes these handlers for the weak ones. */
    .global kernel_enter
    .thumb_func
kernel_enter:
    cpsie i
    svc 0
    b .
