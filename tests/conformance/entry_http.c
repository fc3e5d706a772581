/* entry_http - the http module beside another one in the same test. */
#define xs_plugin_entry xs_entry_http
#include "../../modules/protocols/http/http.c"
