#include <libtpms/tpm_types.h>
#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_memory.h>
#include <libtpms/tpm_nvfilename.h>
#include <stdlib.h>

/* Results are sums of macros, which Swift cannot see. */
static const TPM_RESULT tpms_success = TPM_SUCCESS;
/* "The file is not there." */
static const TPM_RESULT tpms_not_there = TPM_RETRY;
static const TPM_RESULT tpms_failed = TPM_FAIL;
