/* bad_no_symbol - a shared object, but no module. */
#include <xsockets/base.h>

XS_API int nothing_of_ours(void);
XS_API int nothing_of_ours(void)
{
    return 0;
}
