#pragma once
#include "mt3620_rdb.h"
#define OWN_LED MT3620_RDB_LED1_GREEN
#define OWN_BUZZER MT3620_RDB_BUZZER
