/* entry_websocket - the websocket module beside another one in the same test. */
#define xs_plugin_entry xs_entry_websocket
#include "../../modules/protocols/websocket/websocket.c"
