/* The app's own image, which can be read, and one file that it may write. */
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
/* To be freed by the caller. NULL: EINVAL for a path that begins with '/' or '.', or has '..' in it. */
char *Storage_GetAbsolutePathInImagePackage(const char *relativePath);
int Storage_OpenFileInImagePackage(const char *relativePath);
/* EACCES without MutableStorage in the manifest. */
int Storage_OpenMutableFile(void);
int Storage_DeleteMutableFile(void);
#ifdef __cplusplus
}
#endif
