/* A lamp on each board, by its own name, and what stands on other pins of it. */
#include <applibs/gpio.h>
#include <applibs/log.h>
#include BOARD_HEADER

#if defined BOARD_mt3620_rdb
#define LAMP MT3620_RDB_LED1_RED
_Static_assert(MT3620_RDB_HEADER2_PIN4_GPIO == 5 && MT3620_RDB_HEADER2_PIN14_GPIO == 44, "headers");
_Static_assert(MT3620_RDB_HEADER1_PIN11_GPIO == 60 && MT3620_RDB_HEADER3_PIN12_GPIO == 70, "headers");
_Static_assert(MT3620_RDB_HEADER4_PIN6_GPIO == 38 && MT3620_RDB_HEADER4_PIN12_GPIO == 37 && MT3620_RDB_HEADER4_PIN14_GPIO == 40, "headers");
_Static_assert(MT3620_RDB_HEADER2_ISU0_UART == 4 && MT3620_RDB_HEADER4_ISU2_I2C == 2 && MT3620_RDB_HEADER4_ISU1_SPI == 1, "units");
_Static_assert(MT3620_RDB_LED_PWM_CONTROLLER2 == 2 && MT3620_RDB_ADC_CONTROLLER0 == 0 && MT3620_SPI_CS_B == -2, "controllers");
#elif defined BOARD_seeed_mt3620_mdb
#define LAMP SEEED_MT3620_MDB_USER_LED
_Static_assert(SEEED_MT3620_MDB_J1_PIN9_GPIO30 == 30 && SEEED_MT3620_MDB_J2_PIN15_GPIO35 == 35, "pins");
_Static_assert(SEEED_MT3620_MDB_J1J2_ISU1_I2C == 1 && SEEED_MT3620_MDB_PWM_CONTROLLER1 == 1, "units");
#elif defined BOARD_usi_mt3620_bt_evb
#define LAMP USI_MT3620_BT_EVB_J32_PIN9_GPIO8
_Static_assert(USI_MT3620_BT_EVB_J35_PIN20_GPIO57 == 57 && USI_MT3620_BT_EVB_ISU3_SPI == 3, "pins and units");
_Static_assert(USI_MT3620_BT_COMBO_NRF52_RESET == 22 && USI_MT3620_BT_COMBO_NRF52_UART == 8, "the module's other chip");
#elif defined BOARD_own_board
#define LAMP OWN_LED
#else
#define LAMP AVNET_MT3620_SK_USER_LED_RED
_Static_assert(AVNET_MT3620_SK_USER_BUTTON_A == 12 && AVNET_MT3620_SK_APP_STATUS_LED_YELLOW == 4, "pins");
_Static_assert(AVNET_MT3620_SK_ISU2_I2C == 2, "the sensor's bus");
#ifdef BOARD_avnet_mt3620_sk
_Static_assert(AVNET_MT3620_SK_WLAN_STATUS_LED_YELLOW == 5 && AVNET_MT3620_SK_GPIO17 == 17 && AVNET_AESMS_PIN16_GPIO16 == 16, "revision 1");
#else
_Static_assert(AVNET_MT3620_SK_WLAN_STATUS_LED_YELLOW == 0 && AVNET_MT3620_SK_GPIO39 == 39 && AVNET_AESMS_PIN16_GPIO39 == 39, "revision 2");
_Static_assert(AVNET_MT3620_SK_ISU1_SPI_CONFIGURABLE_PMOD == 1 && AVNET_MT3620_SK_ISU2_UART_CONFIGURABLE_GROVE == 6, "units");
#endif
#endif

int main(void) {
    int lamp = GPIO_OpenAsOutput(LAMP, GPIO_OutputMode_PushPull, GPIO_Value_High);
    if (lamp < 0) return 1;
    Log_Debug("lamp on pin %d\n", LAMP);
    return GPIO_SetValue(lamp, GPIO_Value_Low) < 0 ? 2 : 0;
}
