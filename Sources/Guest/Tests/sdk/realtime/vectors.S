    .syntax unified
    .cpu cortex-m4
    .thumb
    .section .vectors, "a"
    .global vectors
vectors:
    .word __stack_top
    .word reset
    .rept 114
    .word stuck
    .endr
    .text
    .thumb_func
stuck:
    b stuck
