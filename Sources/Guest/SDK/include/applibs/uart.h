/* Serial ports. Reading an empty one gives 0. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef int UART_Id;
typedef uint32_t UART_BaudRate_Type;
typedef uint8_t UART_BlockingMode_Type;
typedef enum { UART_BlockingMode_NonBlocking = 0 } UART_BlockingMode;
typedef uint8_t UART_DataBits_Type;
typedef enum { UART_DataBits_Five = 5, UART_DataBits_Six = 6, UART_DataBits_Seven = 7, UART_DataBits_Eight = 8 } UART_DataBits;
typedef uint8_t UART_Parity_Type;
typedef enum { UART_Parity_None = 0, UART_Parity_Even = 1, UART_Parity_Odd = 2 } UART_Parity;
typedef uint8_t UART_StopBits_Type;
typedef enum { UART_StopBits_One = 1, UART_StopBits_Two = 2 } UART_StopBits;
typedef uint8_t UART_FlowControl_Type;
typedef enum { UART_FlowControl_None = 0, UART_FlowControl_RTSCTS = 1, UART_FlowControl_XONXOFF = 2 } UART_FlowControl;
typedef struct UART_Config {
    uint32_t z__magicAndVersion;
    UART_BaudRate_Type baudRate;
    UART_BlockingMode_Type blockingMode;
    UART_DataBits_Type dataBits;
    UART_Parity_Type parity;
    UART_StopBits_Type stopBits;
    UART_FlowControl_Type flowControl;
} UART_Config;

void UART_InitConfig(UART_Config *uartConfig);
int UART_Open(UART_Id uartId, const UART_Config *uartConfig);
#ifdef __cplusplus
}
#endif
