# Real-time apps: bare programs for a Cortex-M4F, with Arm's GNU compiler.
include_guard(GLOBAL)
get_filename_component(AZURE_SPHERE_SDK_PATH "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
set(AZURE_SPHERE_SDK_PATH "${AZURE_SPHERE_SDK_PATH}" CACHE PATH "The SDK")

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
if(NOT ARM_GNU_PATH AND DEFINED ENV{ArmGnuPath})
    set(ARM_GNU_PATH "$ENV{ArmGnuPath}")
endif()
find_program(ORRERY_ARM_GCC arm-none-eabi-gcc HINTS "${ARM_GNU_PATH}" "${ARM_GNU_PATH}/bin" REQUIRED)
set(CMAKE_C_COMPILER "${ORRERY_ARM_GCC}")
set(CMAKE_ASM_COMPILER "${ORRERY_ARM_GCC}")
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft -std=gnu11")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nosys.specs --specs=nano.specs -nostartfiles -Wl,--no-undefined -Wl,-n -T \"${CMAKE_SOURCE_DIR}/linker.ld\"")

include("${CMAKE_CURRENT_LIST_DIR}/AzureSphereFunctions.cmake")
