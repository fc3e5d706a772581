// own - a client with the WebSocket that Node has itself.
import { connect } from 'xsockets';

const client = await connect(process.argv[2]);
const echo = client.controller('echo');
const echoed = await Promise.all([echo.invoke('x', 1), echo.invoke('x', 2)]);
const { bytes } = await echo.request('x', null, { bytes: new Uint8Array([3, 4]) });
const lost = await connect('ws://127.0.0.1:1').catch(({ code }) => code);
await client.close();
console.log(JSON.stringify({ echoed, bytes: [...bytes], lost, state: client.state }));
