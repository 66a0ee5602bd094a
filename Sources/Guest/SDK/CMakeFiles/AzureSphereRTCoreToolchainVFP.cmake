# Real-time apps whose floats are the core's own, as ports of FreeRTOS for the Cortex-M4F want. The silicon vendor's projects name this
# file, and ask for it to be copied here: theirs may replace it.
set(orrery_floats "-mfloat-abi=hard -mfpu=fpv4-sp-d16")
include("${CMAKE_CURRENT_LIST_DIR}/AzureSphereRTCoreToolchain.cmake")
