# For those who name the file that Visual Studio takes.
include("${CMAKE_CURRENT_LIST_DIR}/AzureSphereRTCoreToolchain.cmake")
