/* A lamp on each board, by its own name, and what stands on other pins of it. */
#include <applibs/gpio.h>
#include <applibs/log.h>
#include BOARD_HEADER

#if defined BOARD_mt3620_rdb
#define LAMP MT3620_RDB_LED1_RED
_Static_assert(MT3620_RDB_HEADER2_PIN4_GPIO == 5 && MT3620_RDB_HEADER2_PIN14_GPIO == 44, "headers");
_Static_assert(MT3620_RDB_HEADER2_ISU0_UART == 4 && MT3620_RDB_HEADER4_ISU2_I2C == 2 && MT3620_RDB_HEADER4_ISU1_SPI == 1, "units");
_Static_assert(MT3620_RDB_LED_PWM_CONTROLLER == 2 && MT3620_RDB_ADC_CONTROLLER0 == 0 && MT3620_SPI_CS_B == -2, "controllers");
#elif defined BOARD_seeed_mt3620_mdb
#define LAMP SEEED_MT3620_MDB_USER_LED
#elif defined BOARD_usi_mt3620_bt_evb
#define LAMP MT3620_GPIO8
#elif defined BOARD_own_board
#define LAMP OWN_LED
#else
#define LAMP AVNET_MT3620_SK_USER_LED_RED
_Static_assert(AVNET_MT3620_SK_USER_BUTTON_A == 12 && AVNET_MT3620_SK_APP_STATUS_LED_YELLOW == 4, "pins");
_Static_assert(AVNET_MT3620_SK_ISU2_I2C == 2, "the sensor's bus");
#endif

int main(void) {
    int lamp = GPIO_OpenAsOutput(LAMP, GPIO_OutputMode_PushPull, GPIO_Value_High);
    if (lamp < 0) return 1;
    Log_Debug("lamp on pin %d\n", LAMP);
    return GPIO_SetValue(lamp, GPIO_Value_Low) < 0 ? 2 : 0;
}
