/* Serial ports of the MT3620. */
#pragma once
#include <applibs/uart.h>
#define MT3620_UART_ISU0 ((UART_Id)4)
#define MT3620_UART_ISU1 ((UART_Id)5)
#define MT3620_UART_ISU2 ((UART_Id)6)
#define MT3620_UART_ISU3 ((UART_Id)7)
#define MT3620_UART_ISU4 ((UART_Id)8)
