# High-level apps: static ARM Linux programs for the Cortex-A7, with the clang that comes with Swift or any other.
include_guard(GLOBAL)
get_filename_component(AZURE_SPHERE_SDK_PATH "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
set(AZURE_SPHERE_SDK_PATH "${AZURE_SPHERE_SDK_PATH}" CACHE PATH "The SDK")
set(AZURE_SPHERE_API_SET_DIR "${AZURE_SPHERE_SDK_PATH}/Sysroots/26" CACHE PATH "Headers and libraries")

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
find_program(ORRERY_CLANG clang REQUIRED)
set(CMAKE_C_COMPILER "${ORRERY_CLANG}")
set(CMAKE_C_COMPILER_TARGET arm-linux-gnueabihf)
find_program(ORRERY_AR NAMES llvm-ar ar REQUIRED)
find_program(ORRERY_RANLIB NAMES llvm-ranlib ranlib REQUIRED)
set(CMAKE_AR "${ORRERY_AR}" CACHE FILEPATH "")
set(CMAKE_RANLIB "${ORRERY_RANLIB}" CACHE FILEPATH "")

# -U_FORTIFY_SOURCE: the C library's checks make warnings of code that builds elsewhere.
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-a7 -mfloat-abi=hard -mfpu=neon-vfpv4 -std=gnu11 -D_GNU_SOURCE= -U_FORTIFY_SOURCE -Wno-format -Wno-pointer-sign -Werror=implicit-function-declaration -ffunction-sections -fdata-sections -isystem \"${AZURE_SPHERE_API_SET_DIR}/usr/include\"")
set(CMAKE_C_FLAGS_DEBUG_INIT "-O0 -g")
set(CMAKE_C_FLAGS_RELEASE_INIT "-Os -g1")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -fuse-ld=lld -Wl,--gc-sections -L\"${AZURE_SPHERE_API_SET_DIR}/usr/lib\"")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

include("${CMAKE_CURRENT_LIST_DIR}/AzureSphereFunctions.cmake")
