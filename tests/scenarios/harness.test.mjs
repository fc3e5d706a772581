// The harness itself: its frames against the examples of RFC 6455, its client against a server made of the same frames.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { acceptOf, closePayload, decode, encode, BINARY, CLOSE, PING, PONG, TEXT } from './lib/frames.mjs';
import { story, show } from './lib/story.mjs';
import { jsEnvelope, csEnvelope } from './lib/clients.mjs';
import { webSocket } from './lib/ws.mjs';
import { raw } from './lib/stream.mjs';
import { iniOf } from './lib/daemon.mjs';

test('the accept value is that of RFC 6455 section 1.3', () => {
    assert.equal(acceptOf('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

test('the frames are those of RFC 6455 section 5.7', () => {
    const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');
    const key = hex('37fa213d');
    assert.deepEqual(encode({ payload: 'Hello', mask: false }), hex('81 05 48 65 6c 6c 6f'));
    assert.deepEqual(encode({ payload: 'Hello', key }), hex('81 85 37 fa 21 3d 7f 9f 4d 51 58'));
    assert.deepEqual(encode({ payload: 'Hel', fin: false, mask: false }), hex('01 03 48 65 6c'));
    assert.deepEqual(encode({ payload: 'lo', opcode: 0, mask: false }), hex('80 02 6c 6f'));
    assert.deepEqual(encode({ payload: 'Hello', opcode: PING, mask: false }), hex('89 05 48 65 6c 6c 6f'));
    assert.deepEqual(encode({ payload: 'Hello', opcode: PONG, key }), hex('8a 85 37 fa 21 3d 7f 9f 4d 51 58'));
    assert.deepEqual(encode({ payload: Buffer.alloc(256), opcode: BINARY, mask: false }).subarray(0, 4), hex('82 7e 01 00'));
    assert.deepEqual(encode({ payload: Buffer.alloc(65536), opcode: BINARY, mask: false }).subarray(0, 10), hex('82 7f 00 00 00 00 00 01 00 00'));
    assert.deepEqual(encode({ payload: '', announce: 0x8000000000000001n, mask: false }), hex('81 7f 80 00 00 00 00 00 00 01'));
});

test('what is encoded is decoded, whole or not yet', () => {
    for (const size of [0, 1, 125, 126, 65535, 65536]) {
        for (const mask of [true, false]) {
            const payload = Buffer.alloc(size, 'x');
            const bytes = encode({ payload, mask, opcode: TEXT });
            const whole = decode(Buffer.concat([bytes, Buffer.from('more')]));
            assert.deepEqual(whole.frame.payload, payload);
            assert.equal(whole.frame.masked, mask);
            assert.equal(whole.rest.toString(), 'more');
            for (const cut of [0, 1, 2, 3, bytes.length - 1]) {
                if (cut < bytes.length) assert.equal(decode(bytes.subarray(0, cut)), null);
            }
        }
    }
});

test('a close payload is the code in network order and the reason', () => {
    assert.deepEqual(closePayload(1001, 'ab'), Buffer.from([0x03, 0xe9, 0x61, 0x62]));
});

test('envelopes look as the original clients write them', () => {
    assert.equal(jsEnvelope('generic', '1'), '{"C":"generic","T":"1"}');
    assert.equal(jsEnvelope('chat', 'say', 'hello'), '{"C":"chat","D":"\\"hello\\"","T":"say"}');
    assert.equal(jsEnvelope('chat', 'say', 42), '{"C":"chat","D":42,"T":"say"}');
    assert.equal(jsEnvelope('chat', 'say', { a: 1 }), '{"C":"chat","D":"{\\"a\\":1}","T":"say"}');
    assert.equal(jsEnvelope('chat', '5', { T: 'foo', A: false }), '{"C":"chat","D":"{\\"T\\":\\"foo\\",\\"A\\":false}","T":"5"}');
    assert.equal(csEnvelope('Generic', '1', '{"Init":true}'),
        '{"I":0,"Q":0,"R":false,"B":null,"D":"{\\"Init\\":true}","MessageType":0,"C":"Generic","T":"1"}');
});

test('an ini file is sections with keys', () => {
    assert.equal(iniOf({ server: { workers: 2, nothing: undefined, list: ['a', 'b'] }, 'endpoint main': { port: 1 }, gone: null }),
        '[server]\nworkers = 2\nlist = a, b\n\n[endpoint main]\nport = 1\n');
});

test('bytes are shown readably', () => {
    assert.equal(show(Buffer.from('a\r\n\0\xff', 'latin1')), 'a\\r\\n\\x00\\xff');
});

// A server of three lines, to see that the client waits, compares and refuses as it should.
function mirror(run) {
    return async (s) => {
        const server = net.createServer((socket) => {
            let rest = Buffer.alloc(0), upgraded = false;
            socket.on('error', () => {});
            socket.on('data', (bytes) => {
                rest = Buffer.concat([rest, bytes]);
                const end = rest.indexOf('\r\n\r\n');
                if (!upgraded && end >= 0) {
                    const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(rest.toString())[1];
                    rest = rest.subarray(end + 4);
                    upgraded = true;
                    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`);
                }
                for (let found; upgraded && (found = decode(rest)); rest = found.rest) {
                    const { opcode, payload } = found.frame;
                    if (!found.frame.masked) return socket.destroy();
                    if (opcode === TEXT && payload.toString() === 'mask') socket.write(encode({ payload: 'masked' }));
                    else if (opcode === TEXT && payload.toString() === 'bits') socket.write(encode({ payload: 'bits', rsv: 4, mask: false }));
                    else if (opcode === TEXT && payload.toString() === 'part') socket.write(encode({ payload: 'part', fin: false, mask: false }));
                    else if (opcode === TEXT && payload.toString() === 'long') socket.write(encode({ payload: 'long', length: 16, mask: false }));
                    else socket.write(encode({ opcode: opcode === PING ? PONG : opcode, payload, mask: false }));
                    if (opcode === CLOSE) socket.end();
                }
            });
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        s.daemon = { at: () => ({ port: server.address().port, host: '127.0.0.1' }) };
        try {
            await run(s);
        } finally {
            server.close();
        }
    };
}

story('the client hears what it says to a mirror', mirror(async (s) => {
    const client = await webSocket(s);
    client.text('hé');
    await client.expectText('hé');
    client.binary(Buffer.alloc(70000, 7));
    await client.expectBinary(Buffer.alloc(70000, 7));
    await client.barrier();
    await client.close(1000);
}));

story('the client refuses masks, reserved bits, fragments and long lengths from a server', mirror(async (s) => {
    for (const word of ['mask', 'bits', 'part', 'long']) {
        const client = await webSocket(s);
        client.text(word);
        await assert.rejects(client.next());
    }
}));

story('the client tells other bytes and an early end', mirror(async (s) => {
    const client = await webSocket(s);
    client.text('one');
    await assert.rejects(client.expectText('two'), { actual: 'one', expected: 'two' });
    client.frame({ payload: 'x', mask: false });
    await assert.rejects(client.next(), /ended/);
    const plain = await raw(s);
    plain.send('GET / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n');
    await assert.rejects(plain.expectExactly('HTTP/1.0'), { actual: /HTTP\/1\.1/ });
}));
