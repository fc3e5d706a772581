// fake - a server that does what the story tells it, also what no server should: to see that the drivers can fail.
import assert from 'node:assert/strict';
import net from 'node:net';
import { TEXT, acceptOf, decode, encode } from '../../lib/frames.mjs';

class Peer {
    constructor(socket) {
        this.socket = socket;
        this.buffer = Buffer.alloc(0);
        this.waiters = new Set();
        this.ended = false;
        socket.setNoDelay(true);
        const wake = () => { for (const waiter of [...this.waiters]) waiter(); };
        socket.on('data', (bytes) => { this.buffer = Buffer.concat([this.buffer, bytes]); wake(); });
        socket.on('error', () => {});
        for (const event of ['end', 'close']) socket.on(event, () => { this.ended = true; wake(); });
    }

    until(look) {
        return new Promise((resolve, reject) => {
            const attempt = () => {
                const found = look();
                if (found === undefined && !this.ended) return;
                this.waiters.delete(attempt);
                if (found === undefined) reject(new Error('the client has gone'));
                else resolve(found);
            };
            this.waiters.add(attempt);
            attempt();
        });
    }

    // All up to and with the mark.
    take(mark) {
        return this.until(() => {
            const at = this.buffer.indexOf(mark);
            if (at < 0) return undefined;
            const bytes = this.buffer.subarray(0, at + Buffer.byteLength(mark));
            this.buffer = this.buffer.subarray(bytes.length);
            return bytes;
        });
    }

    // Nothing else came before.
    async expect(bytes) {
        const wanted = Buffer.from(bytes);
        await this.until(() => this.buffer.length >= wanted.length || undefined);
        assert.equal(this.buffer.toString('latin1', 0, wanted.length), wanted.toString('latin1'));
        this.buffer = this.buffer.subarray(wanted.length);
    }

    leaves() {
        return this.until(() => this.ended || undefined);
    }

    write(bytes) {
        this.socket.write(bytes);
        return this;
    }

    // The answer to the handshake, and what is written with it.
    accept(head, { and = '', headers = 'Sec-WebSocket-Protocol: XSocketsNET\r\n' } = {}) {
        const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(head)[1];
        return this.write(Buffer.concat([Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            + `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n${headers}\r\n`), Buffer.from(and)]));
    }

    async handshake(options) {
        const head = (await this.take('\r\n\r\n')).toString();
        this.accept(head, options);
        return head;
    }

    frame(options) {
        return this.write(encode({ mask: false, ...options }));
    }

    say(C, T, D, more = {}) {
        return this.frame({ opcode: TEXT, payload: JSON.stringify({ C, T, D, ...more }) });
    }

    // The client's next frame, unmasked.
    next() {
        return this.until(() => {
            const found = decode(this.buffer);
            if (found) this.buffer = found.rest;
            return found?.frame;
        });
    }

    async text() {
        const frame = await this.next();
        assert.equal(frame.opcode, TEXT);
        return frame.payload.toString();
    }

    async expectText(wanted) {
        assert.equal(await this.text(), wanted);
    }
}

export const CI = '11111111-1111-4111-8111-111111111111';
export const PI = '2222abcd-2222-4222-8222-222222222222';

export function opened(controller) {
    return JSON.stringify({ CI, PI, C: controller });
}

export const frame = (C, T, D) => encode({ mask: false, opcode: TEXT, payload: JSON.stringify({ C, T, D }) });

class Fake {
    constructor(server) {
        this.server = server;
        this.peers = [];
        this.wanting = [];
        server.on('connection', (socket) => {
            const peer = new Peer(socket);
            const want = this.wanting.shift();
            if (want) want(peer);
            else this.peers.push(peer);
        });
    }

    at() {
        return { host: '127.0.0.1', port: this.server.address().port };
    }

    // The next client that connects.
    next() {
        return this.peers.length ? Promise.resolve(this.peers.shift()) : new Promise((resolve) => this.wanting.push(resolve));
    }

    transcript() {
        return '[fake server]';
    }

    async end() {
        this.server.close();
    }
}

export async function fake(story) {
    const server = net.createServer({ allowHalfOpen: true });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return story.join(new Fake(server));
}
