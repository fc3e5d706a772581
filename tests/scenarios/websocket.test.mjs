// RFC 6455, clause by clause, against the echo controller through native clients.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { webSocket, WebSocketClient } from './lib/ws.mjs';
import { raw } from './lib/stream.mjs';
import { XSocketsNet } from './lib/clients.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, acceptOf, closePayload, encode } from './lib/frames.mjs';

const echo = (more = {}) => ({ 'subprotocol native': { controller: 'echo', topic: 'say' }, ...more });
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

// Sends frames (options of encode, or bytes) in one write.
function frames(client, ...list) {
    return client.send(Buffer.concat(list.map((one) => Buffer.isBuffer(one) ? one : encode(one))));
}

// ---- section 4: the handshake ----

async function refusedHandshake(s, headers, statuses, { path = '/', request } = {}) {
    const client = new WebSocketClient(s, s.daemon.at(), 'handshake');
    await client.connected;
    client.send(request ?? client.request({ path, key: KEY, headers }));
    const { status, headers: got, text } = await client.answer();
    assert.ok(statuses.includes(status), text);
    await client.until('the end', () => client.gone || undefined);
    assert.ok(text.length + client.buffer.length > 3);
    await client.leave();
    return got;
}

story('a handshake that is wrong anywhere is refused with a status', async (s) => {
    await start(s, echo());
    for (const headers of [
        { 'Sec-WebSocket-Key': null },
        { 'Sec-WebSocket-Key': '' },
        { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, // 5 bytes
        { 'Sec-WebSocket-Key': 'not base64 at all!!!!!!!' },
        { 'Sec-WebSocket-Key': `${KEY.slice(0, -2)}==${'A'.repeat(2000)}` },
        { 'Sec-WebSocket-Key': [KEY, KEY] },
        { Connection: 'close' },
        { Connection: 'keep-alive' },
        { 'Sec-WebSocket-Protocol': 'Unheard' },
        { 'Sec-WebSocket-Protocol': 'xsocketsnet' }, // compared exactly
        { 'Sec-WebSocket-Protocol': 'a b' },
        { Host: null },
    ]) await refusedHandshake(s, headers, [400]);
    for (const version of [null, '8', '0', '14', '13, 8', 'x']) {
        const got = await refusedHandshake(s, { 'Sec-WebSocket-Version': version }, [426, 400]);
        if (version === '8') assert.equal(got['sec-websocket-version'], '13');
    }
    await refusedHandshake(s, { Upgrade: 'h2c' }, [400, 404, 426, 501]);
    const request = (first) => `${first}\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    await refusedHandshake(s, {}, [400, 404, 405], { request: request('POST / HTTP/1.1') });
    await refusedHandshake(s, {}, [400, 426, 505], { request: request('GET / HTTP/1.0') });
    await s.daemon.nobodyLeft();
});

story('a handshake may be written in any case, with lists, on any path', async (s) => {
    await start(s, echo());
    for (const [path, headers] of [
        ['/', { Upgrade: 'WebSocket', Connection: 'keep-alive, Upgrade' }],
        ['/Foo', { Upgrade: null, upgrade: 'WEBSOCKET', Connection: null, CONNECTION: 'UPGRADE,Keep-Alive' }],
        ['/a/b/c?x=1&y=%20', { Origin: 'http://elsewhere', Cookie: 'a=b; c=d', 'User-Agent': 'x'.repeat(800) }],
        ['/?', { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }],
        ['/', { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=8; server_max_window_bits=8' }],
    ]) {
        const client = await webSocket(s, { path, headers });
        client.text('hi');
        await client.expectText('hi');
    }
});

story('the first offered subprotocol that is spoken here is chosen', async (s) => {
    await start(s, echo());
    for (const protocols of [['Other', 'XSocketsNET'], ['XSocketsNET', 'DemoProtocol'], ['a', 'b', 'DemoProtocol', 'c']]) {
        const client = new XSocketsNet(s, s.daemon.at(), 'choice');
        const answer = await client.handshake({ protocols });
        assert.equal(answer.headers['sec-websocket-protocol'], protocols.find((name) => ['XSocketsNET', 'DemoProtocol'].includes(name)));
    }
    const several = new XSocketsNet(s, s.daemon.at(), 'two headers');
    await several.connected;
    several.send(several.request({ key: KEY, headers: { 'Sec-WebSocket-Protocol': ['Other', 'XSocketsNET'] } }));
    const { status, headers } = await several.answer();
    assert.equal(status, 101);
    assert.equal(headers['sec-websocket-protocol'], 'XSocketsNET');
});

story('a list of very many subprotocols is read in no time', async (s) => {
    await start(s, echo());
    const client = new XSocketsNet(s, s.daemon.at(), 'many');
    const protocols = Array.from({ length: 3000 }, (_, i) => `p${i}`);
    const began = process.hrtime.bigint();
    await client.handshake({ protocols: [...protocols.slice(0, 2000), 'XSocketsNET'] });
    assert.ok(process.hrtime.bigint() - began < 2_000_000_000n);
});

story('frames behind the head in the same write are taken after the 101', async (s) => {
    await start(s, echo());
    const client = new WebSocketClient(s, s.daemon.at(), 'early');
    await client.connected;
    client.send(Buffer.concat([Buffer.from(client.request({ key: KEY })), encode({ payload: 'early' }), encode({ payload: 'also' }).subarray(0, 4)]));
    assert.equal((await client.answer()).headers['sec-websocket-accept'], acceptOf(KEY));
    client.upgraded = true;
    client.split();
    await client.expectText('early');
});

// ---- section 5: frames ----

story('payloads of every length come back as they were, text and binary', { seconds: 60 }, async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    for (const size of [0, 1, 2, 3, 4, 7, 125, 126, 127, 128, 1023, 65535, 65536, 65537, 262144, 1048576]) {
        const text = 'a'.repeat(size), bytes = Buffer.alloc(size, 0xfe);
        client.text(text);
        await client.expectText(text);
        client.binary(bytes);
        const frame = await client.next();
        assert.equal(frame.opcode, BINARY, `${size} bytes: ${frame.payload}`);
        assert.ok(frame.payload.equals(bytes), `${size} bytes`);
    }
    await client.close();
});

story('frames that are cut anywhere are put together', async (s) => {
    await start(s, echo());
    for (const size of [0, 5, 125, 126, 300]) {
        const bytes = encode({ payload: 'x'.repeat(size) });
        for (let cut = 1; cut < Math.min(bytes.length, 20); cut++) {
            const client = await webSocket(s);
            await client.send(bytes.subarray(0, cut));
            client.send(bytes.subarray(cut));
            await client.expectText('x'.repeat(size));
            await client.leave();
        }
    }
    const client = await webSocket(s);
    for (const byte of encode({ payload: 'byte by byte' })) await client.send([byte]);
    await client.expectText('byte by byte');
    const long = encode({ payload: 'y'.repeat(70000) });
    for (let at = 0; at < long.length; at += 997) await client.send(long.subarray(at, at + 997));
    await client.expectText('y'.repeat(70000));
});

story('many frames in one write are all taken, in order', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    const count = 3000;
    client.send(Buffer.concat(Array.from({ length: count }, (_, i) => encode({ payload: `number ${i}` }))));
    for (let i = 0; i < count; i++) await client.expectText(`number ${i}`);
});

story('pings are answered with their payload, also between fragments; pongs are taken silently', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    for (const payload of ['', 'hello', Buffer.from([0, 0xff, 0xfe, 0xfd]), Buffer.alloc(125, 0x2a)]) await client.barrier(payload);
    client.frame({ opcode: PONG, payload: 'unasked' });
    client.frame({ opcode: PONG });
    await client.barrier();
    frames(client, { payload: 'frag', fin: false }, { opcode: PING, payload: 'between' }, { opcode: PONG, payload: 'too' }, { opcode: CONTINUATION, payload: 'ment' });
    await client.expectPong('between');
    await client.expectText('fragment');
    frames(client, ...Array.from({ length: 10 }, (_, i) => ({ opcode: PING, payload: `p${i}` })));
    for (let i = 0; i < 10; i++) await client.expectPong(`p${i}`);
});

story('fragments of every number and size are one message', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    frames(client, { payload: '', fin: false }, { opcode: CONTINUATION, payload: '', fin: false }, { opcode: CONTINUATION, payload: '' });
    await client.expectText('');
    frames(client, { payload: '', fin: false }, { opcode: CONTINUATION, payload: 'middle', fin: false }, { opcode: CONTINUATION, payload: '' });
    await client.expectText('middle');
    frames(client, { payload: 'a', opcode: BINARY, fin: false }, { opcode: CONTINUATION, payload: 'b' });
    await client.expectBinary('ab');
    for (const frame of [{ payload: 'one', fin: false }, { opcode: CONTINUATION, payload: 'two', fin: false }, { opcode: CONTINUATION, payload: 'three' }]) await client.frame(frame);
    await client.expectText('onetwothree');
    // Characters may be cut anywhere.
    const bytes = Buffer.from('κόσμε 😀');
    for (let cut = 1; cut < bytes.length; cut++) {
        frames(client, { payload: bytes.subarray(0, cut), fin: false }, { opcode: CONTINUATION, payload: bytes.subarray(cut) });
        await client.expectText('κόσμε 😀');
    }
    frames(client, { payload: bytes.subarray(0, 1), fin: false }, ...[...bytes.subarray(1, -1)].map((byte) => ({ opcode: CONTINUATION, payload: [byte], fin: false })),
        { opcode: CONTINUATION, payload: bytes.subarray(-1) });
    await client.expectText('κόσμε 😀');
});

story('65,536 fragments of 64 bytes are one message', { seconds: 120 }, async (s) => {
    await start(s, echo({ limits: { message: '8MiB' }, server: { queue_bytes: '16MiB' } }));
    const client = await webSocket(s);
    const part = Buffer.alloc(64, 'f');
    const middle = encode({ opcode: CONTINUATION, payload: part, fin: false });
    frames(client, { payload: part, fin: false });
    for (let i = 0; i < 64; i++) await client.send(Buffer.concat(Array.from({ length: i === 63 ? 1022 : 1024 }, () => middle)));
    frames(client, { opcode: CONTINUATION, payload: part });
    const frame = await client.next();
    assert.equal(frame.opcode, TEXT);
    assert.equal(frame.payload.length, 4194304);
    assert.ok(frame.payload.every((byte) => byte === 0x66));
    await client.close();
    await s.daemon.nobodyLeft();
});

story('what breaks the framing is closed with 1002', async (s) => {
    await start(s, echo());
    const control = [CLOSE, PING, PONG];
    const wrong = [
        ['unmasked', [{ payload: 'x', mask: false }]],
        ['an unmasked ping', [{ opcode: PING, payload: 'x', mask: false }]],
        ...[1, 2, 4, 7].map((rsv) => [`reserved bits ${rsv}`, [{ payload: 'x', rsv }]]),
        ['a reserved bit on a ping', [{ opcode: PING, payload: 'x', rsv: 4 }]],
        ['a reserved bit on a fragment', [{ payload: 'x', fin: false }, { opcode: CONTINUATION, payload: 'y', rsv: 4 }]],
        ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, [{ opcode, payload: 'x' }]]),
        ...control.map((opcode) => [`a fragmented control frame ${opcode}`, [{ opcode, payload: 'abcd', fin: false }]]),
        ...control.map((opcode) => [`a control frame ${opcode} of 126 bytes`, [{ opcode, payload: Buffer.alloc(126, 'a') }]]),
        ['a continuation of nothing', [{ opcode: CONTINUATION, payload: 'x' }]],
        ['a fragment of nothing', [{ opcode: CONTINUATION, payload: 'x', fin: false }]],
        ['a text inside a text', [{ payload: 'x', fin: false }, { payload: 'y' }]],
        ['a binary inside a text', [{ payload: 'x', fin: false }, { opcode: BINARY, payload: 'y', fin: false }]],
        ['a continuation after the end', [{ payload: 'x', fin: false }, { opcode: CONTINUATION, payload: 'y' }, { opcode: CONTINUATION, payload: 'z' }]],
        ['a 16-bit length for 125 bytes', [{ payload: Buffer.alloc(125, 'a'), length: 16 }]],
        ['a 64-bit length for 65535 bytes', [{ payload: Buffer.alloc(65535, 'a'), length: 64 }]],
        ['a length with the highest bit', [{ payload: 'x', announce: 0x8000000000000001n }]],
    ];
    for (const [what, list] of wrong) {
        const client = await webSocket(s);
        frames(client, ...list);
        try {
            for (;;) {
                const frame = await client.next();
                if (frame.opcode !== CLOSE) continue;
                assert.equal(frame.payload.readUInt16BE(0), 1002);
                client.frame({ opcode: CLOSE, payload: closePayload(1002) });
                break;
            }
            await client.until('the end', () => client.gone || undefined);
        } catch (error) {
            error.message = `${what}: ${error.message}`;
            throw error;
        }
        await client.leave();
    }
    assert.equal((await s.daemon.nobodyLeft()).protocol_errors, wrong.length);
});

story('a frame after a bad one is not taken', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    frames(client, { payload: 'before' }, { payload: 'bad', rsv: 2 }, { payload: 'after' });
    await client.expectText('before');
    await client.expectClose(1002);
});

// ---- section 7: closing ----

story('a close is answered with its code, and nothing more is said', async (s) => {
    await start(s, echo());
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
        const client = await webSocket(s);
        frames(client, { opcode: CLOSE, payload: closePayload(code, 'bye') }, { payload: 'too late' }, { opcode: PING, payload: 'late' });
        await client.expectClose(code, { answer: false });
    }
    const empty = await webSocket(s);
    empty.frame({ opcode: CLOSE });
    const frame = await empty.next();
    assert.equal(frame.opcode, CLOSE);
    assert.ok(frame.payload.length === 0 || frame.payload.readUInt16BE(0) === 1000);
    await empty.until('the end', () => empty.gone || undefined);
    const long = await webSocket(s);
    frames(long, { opcode: CLOSE, payload: closePayload(1000, 'r'.repeat(123)) });
    await long.expectClose(1000, { answer: false });
    await s.daemon.nobodyLeft();
});

story('a close with a bad code is 1002, with a bad reason 1007', async (s) => {
    await start(s, echo());
    for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
        const client = await webSocket(s);
        frames(client, { opcode: CLOSE, payload: closePayload(code) });
        await client.expectClose(1002).catch((error) => { throw Object.assign(error, { message: `${code}: ${error.message}` }); });
    }
    const one = await webSocket(s);
    frames(one, { opcode: CLOSE, payload: [3] });
    await one.expectClose(1002, { answer: false });
    const bad = await webSocket(s);
    frames(bad, { opcode: CLOSE, payload: Buffer.concat([closePayload(1000), Buffer.from([0xce, 0xba, 0xff])]) });
    await bad.expectClose(1007, { answer: false });
});

story('a close inside a fragmented message ends it', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    frames(client, { payload: 'never', fin: false }, { opcode: CLOSE, payload: closePayload(1000) }, { opcode: CONTINUATION, payload: 'whole' });
    await client.expectClose(1000, { answer: false });
});

story('a client that closes as C# does, frame and socket in one breath, leaves nothing', async (s) => {
    await start(s, echo());
    for (let i = 0; i < 20; i++) {
        const client = await webSocket(s);
        client.frame({ opcode: CLOSE });
        client.socket.end();
        await client.until('the end', () => client.gone || undefined);
        await client.leave();
    }
    await s.daemon.nobodyLeft();
});

story('a client that does not answer our close is let go', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    frames(client, { payload: 'x', rsv: 1 });
    const frame = await client.next();
    assert.equal(frame.opcode, CLOSE);
    // It keeps the socket open and says nothing: after a short wait the server ends it.
    await client.until('the end', () => client.gone || undefined);
    await s.daemon.nobodyLeft();
});

// ---- section 8: UTF-8 ----

story('text that is no UTF-8 is closed with 1007', async (s) => {
    await start(s, echo());
    const wrong = ['80', 'c0af', 'c1bf', 'e08080', 'eda080', 'edbfbf', 'f08080af', 'f4908080', 'f5808080', 'fe', 'ff', '61e282', '61c3', 'f09f98',
        'cebae1bdb9cf83cebcceb5eda080656469746564'];
    for (const hex of wrong) {
        const whole = await webSocket(s);
        frames(whole, { payload: Buffer.from(hex, 'hex') });
        await whole.expectClose(1007).catch((error) => { throw Object.assign(error, { message: `${hex}: ${error.message}` }); });
        const cut = await webSocket(s);
        const bytes = Buffer.from(hex, 'hex');
        frames(cut, { payload: bytes.subarray(0, 1), fin: false }, { opcode: CONTINUATION, payload: bytes.subarray(1) });
        await cut.expectClose(1007).catch((error) => { throw Object.assign(error, { message: `${hex} in two: ${error.message}` }); });
        const binary = await webSocket(s);
        binary.binary(bytes);
        await binary.expectBinary(bytes);
        await binary.leave();
    }
    const right = await webSocket(s);
    for (const text of ['\u0000', '\u007f\u0080\u07ff\u0800\uffff', '\u{10000}\u{10ffff}', '\ufffd\ufffe\uffff', '\ud7ff\ue000']) {
        right.text(text);
        await right.expectText(text);
    }
});

story('bad UTF-8 fails inside the fragment, before the message or even the frame is whole', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    frames(client, { payload: Buffer.from('cebae1bdb9cf83cebcceb5f4', 'hex'), fin: false }, { opcode: CONTINUATION, payload: Buffer.from('90', 'hex'), fin: false });
    await client.expectClose(1007);
    const inside = await webSocket(s);
    // A frame of 100,000 bytes of which 2,000 come, bad ones among them.
    inside.send(encode({ payload: Buffer.concat([Buffer.alloc(1999, 'a'), Buffer.from([0xff])]), announce: 100000 }));
    await inside.expectClose(1007);
});

// ---- limits ----

story('a message of exactly the limit passes and one byte more is 1009, told before the bytes come', { seconds: 60 }, async (s) => {
    await start(s, echo());
    const limit = 1048576;
    const client = await webSocket(s);
    client.text('m'.repeat(limit));
    assert.equal((await client.next()).payload.length, limit);
    const over = await webSocket(s);
    over.send(encode({ payload: 'only the beginning', announce: limit + 1 }));
    await over.expectClose(1009);
    for (const announce of [0x7fffffffffffffffn, 0xffffffffn, 0x100000000n]) {
        const huge = await webSocket(s);
        huge.send(encode({ payload: 'x', announce }));
        await huge.expectClose(1009);
    }
    const parts = await webSocket(s);
    frames(parts, { payload: 'p'.repeat(600000), fin: false });
    frames(parts, { opcode: CONTINUATION, payload: 'p'.repeat(448576), fin: false });
    await parts.barrier();
    frames(parts, { opcode: CONTINUATION, payload: 'p', fin: false });
    await parts.expectClose(1009);
    await client.close();
    await s.daemon.nobodyLeft();
});

story('announced lengths cost nothing until the bytes are there', async (s) => {
    await start(s, echo({ server: { workers: 1 } }));
    const rss = () => import('node:fs').then((fs) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${s.daemon.pid}/status`, 'utf8'))[1]));
    const clients = [];
    const before = await rss();
    for (let i = 0; i < 200; i++) {
        const client = await webSocket(s);
        client.send(encode({ payload: 'x', announce: 1048576 }));
        clients.push(client);
    }
    await s.daemon.statsUntil('held', (total) => total.held_bytes > 0 || total.connections === 200);
    assert.ok(await rss() - before < 100 * 1024, 'kilobytes');
    for (const client of clients) await client.leave({ reset: true });
    await s.daemon.nobodyLeft();
});

story('bytes in a close are not read as HTTP, and HTTP on an open WebSocket is 1002', async (s) => {
    await start(s, echo());
    const client = await webSocket(s);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.expectClose(1002);
    const plain = await raw(s);
    plain.send(encode({ payload: 'no handshake' }));
    await plain.until('the end', () => plain.gone || undefined);
});
