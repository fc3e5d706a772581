// node-ws - the package `ws` as a peer for bench/compare: node node-ws.mjs FOLDER, where FOLDER has it installed.
//
// Prints "port N" when it listens on 127.0.0.1. What comes in on the path /echo goes back. On the path /room the
// message "subscribe" makes a connection a subscriber, which "subscribed" confirms; any other goes to all subscribers.
import { createRequire } from 'node:module';
import path from 'node:path';

const { WebSocketServer } = createRequire(path.resolve(process.argv[2], 'package.json'))('ws');
const subscribers = new Set();

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate: false, clientTracking: false });

function inRoom(socket, data, binary) {
    if (data.length === 9 && data.toString() === 'subscribe') {
        subscribers.add(socket);
        socket.send('subscribed');
        return;
    }
    for (const subscriber of subscribers) subscriber.send(data, { binary });
}

server.on('connection', (socket, request) => {
    socket.on('error', () => {}); // a client that resets its connection is the usual end here
    if (request.url !== '/room') {
        socket.on('message', (data, binary) => socket.send(data, { binary }));
        return;
    }
    socket.on('message', (data, binary) => inRoom(socket, data, binary));
    socket.on('close', () => subscribers.delete(socket));
});
server.on('listening', () => console.log(`port ${server.address().port}`));
