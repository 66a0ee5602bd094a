/* SPI buses of the MT3620. */
#pragma once
#include <applibs/spi.h>
#define MT3620_SPI_ISU0 ((SPI_InterfaceId)0)
#define MT3620_SPI_ISU1 ((SPI_InterfaceId)1)
#define MT3620_SPI_ISU2 ((SPI_InterfaceId)2)
#define MT3620_SPI_ISU3 ((SPI_InterfaceId)3)
#define MT3620_SPI_ISU4 ((SPI_InterfaceId)4)
#define MT3620_SPI_CHIP_SELECT_A ((SPI_ChipSelectId)-1)
#define MT3620_SPI_CHIP_SELECT_B ((SPI_ChipSelectId)-2)
