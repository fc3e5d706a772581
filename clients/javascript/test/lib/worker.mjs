// worker - a client that lives in a worker thread.
import { parentPort, workerData } from 'node:worker_threads';
import WebSocket from 'ws';
import { connect } from 'xsockets';

const client = await connect(workerData, { WebSocket });
const echoed = await client.controller('echo').invoke('x', { from: 'a worker' });
await client.close();
parentPort.postMessage({ echoed, state: client.state });
