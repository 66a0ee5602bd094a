# Real-time apps: bare programs for a Cortex-M4F, with Arm's GNU compiler.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/AzureSphereToolchainBase.cmake")

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
if(NOT ARM_GNU_PATH AND DEFINED ENV{ArmGnuPath})
    set(ARM_GNU_PATH "$ENV{ArmGnuPath}")
endif()
set(orrery_hints HINTS "${ARM_GNU_PATH}" "${ARM_GNU_PATH}/bin")
find_program(ORRERY_ARM_GCC arm-none-eabi-gcc ${orrery_hints} REQUIRED)
find_program(ORRERY_ARM_GXX arm-none-eabi-g++ ${orrery_hints})
set(CMAKE_C_COMPILER "${ORRERY_ARM_GCC}")
set(CMAKE_ASM_COMPILER "${ORRERY_ARM_GCC}")
set(CMAKE_CXX_COMPILER "${ORRERY_ARM_GXX}")

# The small C library, and calls to an OS that is not there. GCC takes each of its specs files once: these copies have other names
# inside, so that a project may give -specs=nano.specs and the like itself.
set(orrery_specs "")
foreach(name IN ITEMS nano nosys)
    execute_process(COMMAND "${ORRERY_ARM_GCC}" -print-file-name=${name}.specs OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT EXISTS "${path}")
        message(FATAL_ERROR "${ORRERY_ARM_GCC} has no ${name}.specs: install libnewlib-arm-none-eabi")
    endif()
    file(READ "${path}" text)
    string(REGEX REPLACE "${name}_(link|cpp|libc|libgloss)" "orrery_${name}_\\1" text "${text}")
    set(path "${CMAKE_BINARY_DIR}/CMakeFiles/orrery-${name}.specs")
    file(WRITE "${path}.new" "${text}")
    file(COPY_FILE "${path}.new" "${path}" ONLY_IF_DIFFERENT)
    string(APPEND orrery_specs " \"--specs=${path}\"")
endforeach()

set(orrery_core "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft")
set(CMAKE_C_FLAGS_INIT "${orrery_core} -std=gnu11${orrery_specs}")
# Nobody catches or tidies up on a core that never ends; a project that does says -fexceptions.
set(CMAKE_CXX_FLAGS_INIT "${orrery_core} -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit${orrery_specs}")
set(CMAKE_ASM_FLAGS_INIT "${orrery_core}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles -Wl,--no-undefined -Wl,-n -Wl,--no-warn-rwx-segments")
# A project with its script elsewhere names it.
if(EXISTS "${CMAKE_SOURCE_DIR}/linker.ld")
    string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -T \"${CMAKE_SOURCE_DIR}/linker.ld\"")
endif()
