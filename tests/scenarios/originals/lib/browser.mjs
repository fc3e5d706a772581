// browser - a page: a WebSocket that does what those of browsers do, a localStorage that the profile's pages share, timers.
import crypto from 'node:crypto';
import { Original, Wire } from './original.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, acceptOf, closePayload, decode, encode } from '../../lib/frames.mjs';
import { show } from '../../lib/story.mjs';

// What pages from one place have in common.
export class Profile {
    constructor() {
        this.values = new Map();
        this.localStorage = {
            getItem: (key) => this.values.get(String(key)) ?? null,
            setItem: (key, value) => { this.values.set(String(key), String(value)); },
        };
    }
}

class BrowserSocket {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;

    constructor(page, url, protocols) {
        this.page = page;
        this.url = new URL(url);
        this.protocols = [protocols ?? []].flat();
        this.readyState = BrowserSocket.CONNECTING;
        this.binaryType = 'blob';
        this.buffer = Buffer.alloc(0);
        this.parts = [];
        this.end = { code: 1006, reason: '', wasClean: false };
        this.key = crypto.randomBytes(16).toString('base64');
        this.wire = new Wire(page, { host: this.url.hostname, port: Number(this.url.port || 80) },
            { data: (bytes) => this.took(bytes), closed: () => this.finished() });
        this.wire.connected.then((connected) => connected && this.wire.send(this.request()));
    }

    request() {
        const { host, pathname, search } = this.url;
        return [`GET ${pathname}${search} HTTP/1.1`, `Host: ${host}`, 'Connection: Upgrade', 'Pragma: no-cache', 'Cache-Control: no-cache',
            'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
            'Upgrade: websocket', 'Origin: http://localhost', 'Sec-WebSocket-Version: 13', 'Accept-Encoding: gzip, deflate, br',
            'Accept-Language: en-GB,en;q=0.9', `Sec-WebSocket-Key: ${this.key}`,
            'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
            ...(this.protocols.length ? [`Sec-WebSocket-Protocol: ${this.protocols.join(', ')}`] : []), '', ''].join('\r\n');
    }

    took(bytes) {
        this.buffer = Buffer.concat([this.buffer, bytes]);
        if (this.readyState === BrowserSocket.CONNECTING && !this.answered()) return;
        for (let found; this.readyState !== BrowserSocket.CLOSED && (found = decode(this.buffer));) {
            this.buffer = found.rest;
            this.frame(found.frame);
        }
    }

    // RFC 6455 section 4.1, as far as a server can be wrong.
    answered() {
        const end = this.buffer.indexOf('\r\n\r\n');
        if (end < 0) return false;
        const [status, ...lines] = this.buffer.subarray(0, end).toString('latin1').split('\r\n');
        const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
        this.buffer = this.buffer.subarray(end + 4);
        const protocol = headers.get('sec-websocket-protocol');
        if (!/^HTTP\/1\.1 101 /.test(status)) this.fail(); // refused, and the page is told
        else if (headers.get('upgrade')?.toLowerCase() !== 'websocket') this.fail('no Upgrade in the answer');
        else if (!/\bupgrade\b/i.test(headers.get('connection') ?? '')) this.fail('no Connection in the answer');
        else if (headers.get('sec-websocket-accept') !== acceptOf(this.key)) this.fail('a wrong Sec-WebSocket-Accept');
        else if (headers.has('sec-websocket-extensions')) this.fail('an extension that this driver does not speak');
        else if (this.protocols.length ? !this.protocols.includes(protocol) : protocol !== undefined) this.fail(`the subprotocol ${protocol}`);
        else {
            this.readyState = BrowserSocket.OPEN;
            this.tell('open', {});
            return true;
        }
        return false;
    }

    frame({ fin, rsv, opcode, masked, payload }) {
        if (masked || rsv !== 0) return this.fail(`a frame that is ${masked ? 'masked' : 'with a reserved bit'}`);
        if (opcode >= CLOSE) return this.control(opcode, payload);
        if ((opcode === CONTINUATION) !== (this.parts.length > 0)) return this.fail('a fragment that belongs nowhere');
        this.kind = opcode === CONTINUATION ? this.kind : opcode;
        this.parts.push(payload);
        if (!fin) return undefined;
        const whole = Buffer.concat(this.parts);
        this.parts = [];
        if (this.readyState !== BrowserSocket.OPEN) return undefined;
        if (this.kind === BINARY) return this.tell('message', { data: new Uint8Array(whole).buffer });
        let data;
        try {
            data = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole);
        } catch {
            return this.fail('text that is no UTF-8');
        }
        return this.tell('message', { data });
    }

    control(opcode, payload) {
        if (opcode === PING) return this.write({ opcode: PONG, payload });
        if (opcode !== CLOSE) return undefined;
        this.end = { code: payload.length >= 2 ? payload.readUInt16BE(0) : 1005, reason: payload.subarray(2).toString(), wasClean: true };
        if (this.readyState === BrowserSocket.OPEN) this.write({ opcode: CLOSE, payload: payload.subarray(0, 2) });
        this.readyState = BrowserSocket.CLOSING;
        return undefined; // the server ends the connection
    }

    // why: what a server must never do; without it the page alone is told.
    fail(why) {
        if (why) this.page.fault(`the browser gives the connection up: ${why}`);
        this.failed = true;
        this.tell('error', {});
        this.wire.socket.destroy();
    }

    finished() {
        const never = this.readyState === BrowserSocket.CONNECTING;
        this.readyState = BrowserSocket.CLOSED;
        if (never && !this.failed) this.tell('error', {});
        this.tell('close', this.end);
    }

    tell(type, event) {
        this.page.attempt(`uncaught in on${type}`, () => this[`on${type}`]?.({ type, ...event }));
    }

    write(options) {
        this.wire.send(encode(options), `frame ${options.opcode}: ${show(Buffer.from(options.payload ?? ''))}`);
    }

    send(data) {
        if (this.readyState === BrowserSocket.CONNECTING)
            throw new Error("InvalidStateError: Failed to execute 'send' on 'WebSocket': Still in CONNECTING state.");
        if (this.readyState !== BrowserSocket.OPEN) return;
        const view = ArrayBuffer.isView(data), binary = view || data instanceof ArrayBuffer;
        const payload = view ? Buffer.from(data) : binary ? Buffer.from(data.slice(0)) : String(data);
        this.page.sent.push(payload);
        this.write({ opcode: binary ? BINARY : TEXT, payload });
    }

    close(code) {
        if (this.readyState === BrowserSocket.CONNECTING) return this.fail();
        if (this.readyState !== BrowserSocket.OPEN) return undefined;
        this.readyState = BrowserSocket.CLOSING;
        return this.write({ opcode: CLOSE, payload: code === undefined ? '' : closePayload(code) });
    }
}

// One page; a driver loads its client into it, as a <script> did.
export class Page extends Original {
    constructor(story, { profile = new Profile(), name = 'page' } = {}) {
        super(story, name);
        const page = this;
        this.localStorage = profile.localStorage;
        this.sent = []; // what the page's script sent, in its own words
        this.WebSocket = class WebSocket extends BrowserSocket {
            constructor(url, protocols) {
                super(page, url, protocols);
            }
        };
    }

    // What the script has sent since the last look.
    said() {
        return this.sent.splice(0);
    }
}

// Where this daemon is for a client that takes a URL.
export function urlOf(daemon, path = '') {
    const { host, port } = daemon.at();
    return `ws://${host}:${port}${path}`;
}
