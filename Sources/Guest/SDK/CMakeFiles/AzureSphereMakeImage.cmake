# What projects of 2019 include at their end: the project's program as a package.
if(TARGET ${PROJECT_NAME})
    azsphere_target_add_image_package(${PROJECT_NAME} RESOURCE_FILES ${ADDITIONAL_APPROOT_INCLUDES})
else()
    message(FATAL_ERROR "AzureSphereMakeImage: the project has no target of its name, ${PROJECT_NAME}")
endif()
