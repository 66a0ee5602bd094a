#pragma once
#ifdef __cplusplus
extern "C" {
#endif
void uart_print(const char *text);
#ifdef __cplusplus
}
#endif
