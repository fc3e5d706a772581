// ws - a WebSocket client that can be as wrong as a test needs, and is strict with what it receives.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { Stream } from './stream.mjs';
import { show } from './story.mjs';
import { BINARY, CLOSE, PING, PONG, TEXT, CONTINUATION, acceptOf, closePayload, decode, encode, pack, unpack } from './frames.mjs';

export const RSV1 = 4;

export class WebSocketClient extends Stream {
    constructor(story, where, name) {
        super(story, where, name);
        this.frames = [];
        this.upgraded = false; // from here on what comes is frames
        this.minimum = 0;  // no data or ping frame may be shorter
        this.window = 0;   // bits; 0: permessage-deflate was not agreed on
    }

    took(bytes) {
        this.buffer = this.buffer.length ? Buffer.concat([this.buffer, bytes]) : bytes;
        if (this.upgraded) this.split();
        this.wake();
    }

    split() {
        for (let found; (found = decode(this.buffer));) {
            this.buffer = found.rest;
            this.frames.push(found.frame);
        }
    }

    // The request as text; headers given as [name, value] pairs replace or (value null) remove the standard ones.
    // deflate: what is offered, true for the plain offer.
    request({ path = '/', protocols = [], headers = {}, deflate, key }) {
        const lines = {
            Host: 'localhost:4502', Upgrade: 'websocket', Connection: 'Upgrade',
            'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13',
            ...(protocols.length ? { 'Sec-WebSocket-Protocol': protocols.join(', ') } : {}),
            ...(deflate ? { 'Sec-WebSocket-Extensions': deflate === true ? 'permessage-deflate' : deflate } : {}),
            ...headers,
        };
        return [`GET ${path} HTTP/1.1`,
            ...Object.entries(lines).filter(([, value]) => value !== null)
                .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`)), '', ''].join('\r\n');
    }

    // The head of an answer: { status, headers, text }.
    async answer() {
        const text = (await this.takeUntil('\r\n\r\n')).toString('latin1');
        const [first, ...rest] = text.trimEnd().split('\r\n');
        const headers = {};
        for (const line of rest) {
            const at = line.indexOf(':');
            headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
        }
        const status = /^HTTP\/1\.1 (\d{3}) /.exec(first);
        assert.ok(status, `no status line: ${first}`);
        return { status: Number(status[1]), headers, text };
    }

    async handshake(options = {}) {
        const key = options.key ?? crypto.randomBytes(16).toString('base64');
        const { protocols = [] } = options;
        await this.connected;
        this.send(this.request({ ...options, key }));
        const answer = await this.answer();
        assert.equal(answer.status, 101, answer.text);
        assert.equal(answer.headers['sec-websocket-accept'], acceptOf(key));
        assert.equal(answer.headers.upgrade?.toLowerCase(), 'websocket');
        assert.match(answer.headers.connection ?? '', /upgrade/i);
        if (protocols.length) assert.ok(protocols.includes(answer.headers['sec-websocket-protocol']), answer.text);
        else assert.equal(answer.headers['sec-websocket-protocol'], undefined);
        this.agreed(answer.headers['sec-websocket-extensions'], options);
        this.upgraded = true;
        this.split();
        return answer;
    }

    // declined: what was offered must not be answered.
    agreed(extension, { deflate, declined = !deflate }) {
        if (declined) return assert.equal(extension, undefined);
        const exact = /^permessage-deflate; server_no_context_takeover; client_no_context_takeover(?:; server_max_window_bits=(\d+))?$/
            .exec(extension);
        assert.ok(exact, `agreed on ${extension}`);
        this.window = Number(exact[1] ?? 15);
    }

    frame(options) {
        return this.send(encode(options), `frame ${options.opcode ?? TEXT}: ${show(Buffer.from(options.payload ?? ''))}`);
    }

    text(payload) {
        return this.frame({ opcode: TEXT, payload });
    }

    binary(payload) {
        return this.frame({ opcode: BINARY, payload });
    }

    // A text frame that is packed.
    packed(payload) {
        return this.frame({ opcode: TEXT, rsv: RSV1, payload: pack(payload) });
    }

    // The next frame, checked for what a server must never do. One that was packed has `packed`, the bytes it had then.
    async next() {
        const frame = await this.until('a frame came', () => this.frames.shift());
        assert.equal(frame.masked, false, 'a server masked a frame (RFC 6455 5.1)');
        const packed = frame.rsv === RSV1 && this.window > 0 && (frame.opcode === TEXT || frame.opcode === BINARY);
        assert.ok(frame.rsv === 0 || packed, 'a reserved bit is set');
        assert.ok(frame.fin && frame.opcode !== CONTINUATION, 'a fragment came');
        const size = frame.payload.length;
        assert.equal(frame.form, size < 126 ? 7 : size < 65536 ? 16 : 64, 'not the shortest length (RFC 6455 5.2)');
        if (frame.opcode !== CLOSE && frame.opcode !== PONG)
            assert.ok(size >= this.minimum, `a frame with ${size} bytes`);
        if (!packed) return frame;
        const payload = unpack(frame.payload, { windowBits: this.window });
        assert.ok(size < payload.length, `${payload.length} bytes were packed into ${size}`);
        return { ...frame, payload, packed: size };
    }

    // The next frame is a text frame with this payload, and packed or not.
    async expectPacked(wanted, is = true) {
        const frame = await this.next();
        assert.equal(frame.payload.toString(), wanted, this.name);
        assert.equal(frame.opcode, TEXT);
        assert.equal(frame.packed !== undefined, is, `${this.name}: ${wanted.length} bytes ${is ? 'not ' : ''}packed`);
        return frame;
    }

    // The next frame is a text frame; its payload as a string.
    async nextText() {
        const frame = await this.next();
        assert.equal(frame.opcode, TEXT, `opcode ${frame.opcode}, ${show(frame.payload)}`);
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame.payload);
    }

    async expectText(wanted) {
        const text = await this.nextText();
        assert.equal(text, wanted, this.name);
    }

    async expectBinary(wanted) {
        const frame = await this.next();
        assert.equal(frame.opcode, BINARY, `opcode ${frame.opcode}, ${show(frame.payload)}`);
        assert.equal(show(frame.payload, 1e6), show(Buffer.from(wanted), 1e6), this.name);
    }

    // Nothing else is on its way to us from what the server has done so far on this connection: a ping is answered first.
    async barrier(payload = crypto.randomBytes(6).toString('hex')) {
        this.frame({ opcode: PING, payload });
        await this.expectPong(payload);
    }

    // The same with other frames allowed before the pong; they stay to be read.
    async settled() {
        const payload = crypto.randomBytes(6).toString('hex');
        this.frame({ opcode: PING, payload });
        await this.until('a pong', () => {
            const at = this.frames.findIndex((frame) => frame.opcode === PONG && frame.payload.toString() === payload);
            if (at < 0) return undefined;
            this.frames.splice(at, 1);
            return true;
        });
    }

    async expectPong(payload) {
        const frame = await this.next();
        assert.equal(frame.opcode, PONG, `opcode ${frame.opcode}, ${show(frame.payload)}`);
        assert.equal(show(frame.payload), show(Buffer.from(payload)), this.name);
    }

    async expectPing() {
        const frame = await this.next();
        assert.equal(frame.opcode, PING, `opcode ${frame.opcode}, ${show(frame.payload)}`);
        return frame.payload;
    }

    // A close frame with this code (null: an empty one) comes next; answers it and sees the end of the connection.
    async expectClose(code, { answer = true } = {}) {
        const frame = await this.next();
        assert.equal(frame.opcode, CLOSE, `opcode ${frame.opcode}, ${show(frame.payload)}`);
        const got = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : null;
        const reason = frame.payload.subarray(2).toString();
        assert.equal(got, code, `${this.name}: close ${got} ${reason}`);
        if (answer) this.frame({ opcode: CLOSE, payload: frame.payload.subarray(0, 2) });
        await this.until('the end', () => this.gone || undefined);
        assert.equal(this.frames.length, 0, 'frames behind a close frame');
        this.socket.destroy();
        return reason;
    }

    // Closes in order and sees the answer.
    async close(code = 1000) {
        this.frame({ opcode: CLOSE, payload: closePayload(code) });
        for (;;) {
            const frame = await this.next();
            if (frame.opcode !== CLOSE) continue;
            assert.equal(frame.payload.readUInt16BE(0), code);
            break;
        }
        await this.until('the end', () => this.gone || undefined);
        this.socket.destroy();
    }
}

export async function webSocket(story, options = {}) {
    const client = new WebSocketClient(story, options.at ?? story.daemon.at(), options.name ?? 'websocket');
    await client.handshake(options);
    return client;
}

// `?place=2&x=y` from an object; undefined members are left out.
export function query(parameters) {
    const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return pairs.length ? `?${pairs.join('&')}` : '';
}
