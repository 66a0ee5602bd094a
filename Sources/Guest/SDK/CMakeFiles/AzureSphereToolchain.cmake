# High-level apps: static ARM Linux programs for the Cortex-A7, with the clang that comes with Swift or any other.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/AzureSphereToolchainBase.cmake")

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
find_program(ORRERY_CLANG clang REQUIRED)
find_program(ORRERY_CLANGXX clang++)
find_program(ORRERY_AR NAMES llvm-ar ar REQUIRED)
find_program(ORRERY_RANLIB NAMES llvm-ranlib ranlib REQUIRED)
set(CMAKE_C_COMPILER "${ORRERY_CLANG}")
set(CMAKE_ASM_COMPILER "${ORRERY_CLANG}")
set(CMAKE_CXX_COMPILER "${ORRERY_CLANGXX}")
foreach(language IN ITEMS C CXX ASM)
    set(CMAKE_${language}_COMPILER_TARGET arm-linux-gnueabihf)
endforeach()
set(CMAKE_AR "${ORRERY_AR}" CACHE FILEPATH "")
set(CMAKE_RANLIB "${ORRERY_RANLIB}" CACHE FILEPATH "")

# -U_FORTIFY_SOURCE: the C library's checks make warnings of code that builds elsewhere. Warnings that only GCC has are passed over.
set(orrery_core "-mcpu=cortex-a7 -mfloat-abi=hard -mfpu=neon-vfpv4")
set(orrery_both "${orrery_core} -D_GNU_SOURCE= -U_FORTIFY_SOURCE -Wno-format -Wno-unknown-warning-option -Qunused-arguments -ffunction-sections -fdata-sections -isystem \"${AZURE_SPHERE_API_SET_DIR}/usr/include\"")
set(CMAKE_C_FLAGS_INIT "-std=gnu11 -Wno-pointer-sign -Werror=implicit-function-declaration ${orrery_both}")
# The compiler defines _GNU_SOURCE for C++ by itself, as 1.
set(CMAKE_CXX_FLAGS_INIT "-Wno-macro-redefined ${orrery_both}")
set(CMAKE_ASM_FLAGS_INIT "${orrery_core}")
foreach(language IN ITEMS C CXX)
    set(CMAKE_${language}_FLAGS_DEBUG_INIT "-O0 -g")
    set(CMAKE_${language}_FLAGS_RELEASE_INIT "-Os -g1")
    # What the original's C library has in one file.
    set(CMAKE_${language}_STANDARD_LIBRARIES_INIT "-lm -lresolv -lpthread -ldl -lrt")
endforeach()
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -fuse-ld=lld -Wl,--gc-sections -L\"${AZURE_SPHERE_API_SET_DIR}/usr/lib\"")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
