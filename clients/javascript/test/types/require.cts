// The same for those who require().
import xsockets = require('xsockets');

const client: xsockets.Client = new xsockets.Client('ws://x');
const error: xsockets.XSocketsError = new xsockets.ServerError('', '', null);
void [client, error.code];
