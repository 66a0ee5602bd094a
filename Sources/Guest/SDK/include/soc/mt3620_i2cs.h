/* I2C buses of the MT3620. */
#pragma once
#include <applibs/i2c.h>
#define MT3620_I2C_ISU0 ((I2C_InterfaceId)0)
#define MT3620_I2C_ISU1 ((I2C_InterfaceId)1)
#define MT3620_I2C_ISU2 ((I2C_InterfaceId)2)
#define MT3620_I2C_ISU3 ((I2C_InterfaceId)3)
#define MT3620_I2C_ISU4 ((I2C_InterfaceId)4)
