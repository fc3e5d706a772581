// In a page: the WebSocket of the browser fits.
import { connect } from 'xsockets';

await connect(location.origin, { WebSocket });
await connect(new URL(location.href), { WebSocket: globalThis.WebSocket, platform: { window, document } });
