// permessage-deflate (RFC 7692): what is agreed on, what is packed then, and what may not be.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import zlib from 'node:zlib';
import { configuration, folder, freePort, run, start } from './lib/daemon.mjs';
import { build } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { RSV1, webSocket } from './lib/ws.mjs';
import { demo, jsEnvelope, mcu, native, text, xsocketsnet } from './lib/clients.mjs';
import { BINARY, CONTINUATION, PING, TEXT, encode, pack } from './lib/frames.mjs';

const on = ({ min = 64, level, ...more } = {}) => ({
    server: { workers: 1 },
    'protocol websocket': { deflate: 'yes', deflate_min: `${min}B`, deflate_level: level },
    'subprotocol native': { controller: 'echo', topic: 'say' },
    ...more,
});
const HELLO = Buffer.from('f248cdc9c90700', 'hex'); // RFC 7692 section 7.2.3.1
const words = (n) => Array.from({ length: n }, (_, i) => `word${i % 17}`).join(' ');

// ---- section 5 and 7.1: the handshake ----

story('the first offer that can be kept is answered, and no window is kept from one message to the next', async (s) => {
    await start(s, on());
    for (const [deflate, window] of [
        ['permessage-deflate', 15],
        ['permessage-deflate; client_max_window_bits', 15], // as browsers offer it
        ['permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=9', 15],
        ['permessage-deflate; server_max_window_bits="11"', 11],
        ['foo; bar="permessage-deflate, x", permessage-deflate; server_max_window_bits=8, '
            + 'permessage-deflate; server_max_window_bits=10, permessage-deflate', 10],
        [['foo', 'permessage-deflate; unheard', 'permessage-deflate; server_max_window_bits=9'], 9],
    ]) {
        const client = await webSocket(s, { deflate });
        assert.equal(client.window, window);
        client.packed(words(500));
        await client.expectPacked(words(500));
        await client.close();
    }
    await s.daemon.nobodyLeft();
});

story('an offer with anything wrong is declined, and the connection goes on without', async (s) => {
    await start(s, on());
    for (const deflate of [
        'foo', 'x-webkit-deflate-frame', 'permessage-deflate; unheard', 'permessage-deflate; unheard=1, foo',
        'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
        'permessage-deflate; server_no_context_takeover=1',
        'permessage-deflate; server_max_window_bits', 'permessage-deflate; server_max_window_bits=8',
        'permessage-deflate; server_max_window_bits=16', 'permessage-deflate; server_max_window_bits=09',
        'permessage-deflate; client_max_window_bits=7', 'permessage-deflate;', 'permessage-deflate; client_max_window_bits="',
    ]) {
        const client = await webSocket(s, { deflate, declined: true });
        client.text(words(500));
        await client.expectText(words(500));
        await client.close();
    }
});

story('it is off unless it is switched on', async (s) => {
    await start(s, { 'subprotocol native': { controller: 'echo', topic: 'say' } });
    const client = await webSocket(s, { deflate: 'permessage-deflate; client_max_window_bits', declined: true });
    client.text(words(500));
    await client.expectText(words(500));
    client.packed('hello');
    await client.expectClose(1002);
});

story('who has not offered it is sent nothing packed and may send nothing packed', async (s) => {
    await start(s, on());
    const client = await webSocket(s);
    client.text(words(500));
    await client.expectText(words(500));
    client.frame({ payload: HELLO, rsv: RSV1 });
    await client.expectClose(1002);
});

story('a level that zlib does not have ends the start', async () => {
    const dir = folder();
    for (const level of [0, 10, -1]) {
        fs.writeFileSync(`${dir}/server.ini`, configuration(on({ level }), await freePort()));
        const { code, err } = await run(['-c', `${dir}/server.ini`]);
        assert.equal(code, 1);
        assert.match(err, /deflate_level is a number from 1 to 9/);
    }
    fs.rmSync(dir, { recursive: true });
});

// ---- section 6 and 7.2: messages ----

story('packed messages arrive whole, in fragments around control frames, and byte by byte', async (s) => {
    await start(s, on());
    const client = await webSocket(s, { deflate: true });
    const long = words(20000);
    client.packed(long);
    await client.expectPacked(long);

    const packed = pack(long), cut = packed.length >> 1;
    client.frame({ rsv: RSV1, fin: false, payload: packed.subarray(0, 10) });
    client.frame({ opcode: PING, payload: 'between' });
    client.frame({ opcode: CONTINUATION, fin: false, payload: '' });
    client.frame({ opcode: CONTINUATION, fin: false, payload: packed.subarray(10, cut) });
    client.frame({ opcode: CONTINUATION, payload: packed.subarray(cut) });
    await client.expectPong('between');
    await client.expectPacked(long);

    // Between fragments of one the messages of another.
    const other = await webSocket(s, { deflate: true });
    client.frame({ rsv: RSV1, fin: false, payload: packed.subarray(0, cut) });
    await client.settled();
    other.packed(words(50));
    await other.expectPacked(words(50));
    client.frame({ opcode: CONTINUATION, payload: packed.subarray(cut) });
    await client.expectPacked(long);

    for (const byte of encode({ rsv: RSV1, payload: pack(words(60)) })) await client.send([byte]);
    await client.expectPacked(words(60));
    client.text('plain');
    await client.expectText('plain');
    client.frame({ opcode: BINARY, rsv: RSV1, payload: pack(Buffer.alloc(300)) });
    const frame = await client.next();
    assert.equal(frame.opcode, BINARY);
    assert.ok(frame.packed < 20);
    assert.deepEqual(frame.payload, Buffer.alloc(300));
});

story('the examples of RFC 7692 are read, and a message that leans on the one before is not', async (s) => {
    await start(s, on());
    const client = await webSocket(s, { deflate: true });
    for (const hex of ['f248cdc9c90700', '000500faff48656c6c6f00', 'f348cdc9c9070000', 'f24805000000ffffcac9c90700']) {
        client.frame({ rsv: RSV1, payload: Buffer.from(hex, 'hex') });
        await client.expectText('Hello');
    }
    client.frame({ rsv: RSV1, fin: false, payload: HELLO.subarray(0, 3) });
    client.frame({ opcode: CONTINUATION, payload: HELLO.subarray(3) });
    await client.expectText('Hello');
    client.frame({ rsv: RSV1, payload: Buffer.from([0]) });
    await client.expectText('');
    client.frame({ rsv: RSV1, payload: Buffer.from('f200110000', 'hex') });
    await client.expectClose(1002);
});

story('bytes that are no deflate end the connection with 1002, unpacked bytes that are no UTF-8 with 1007', async (s) => {
    await start(s, on());
    const bad = pack(Buffer.from([0xff]));
    for (const [code, ...frames] of [
        [1002, { rsv: RSV1, payload: 'not packed' }],
        [1002, { rsv: RSV1, payload: pack(words(100)).subarray(0, 40) }],
        [1002, { rsv: RSV1, payload: 'ff'.repeat(20) }],
        [1002, { rsv: RSV1, fin: false, payload: HELLO.subarray(0, 3) },
            { opcode: CONTINUATION, rsv: RSV1, payload: HELLO.subarray(3) }],
        [1002, { rsv: RSV1, opcode: PING, payload: 'ping' }],
        [1002, { rsv: 6, payload: HELLO }],
        [1002, { rsv: 2, payload: 'hello' }],
        [1007, { rsv: RSV1, payload: pack(Buffer.from('caf\xe9', 'latin1')) }],
        [1007, { rsv: RSV1, payload: pack(Buffer.from('€').subarray(0, 2)) }],
        [1007, { rsv: RSV1, fin: false, payload: bad.subarray(0, 1) }, { opcode: CONTINUATION, payload: bad.subarray(1) }],
    ]) {
        const client = await webSocket(s, { deflate: true });
        for (const frame of frames) client.frame(frame);
        await client.expectClose(code);
    }
    await s.daemon.nobodyLeft();
});

// ---- bounds ----

const rss = (daemon) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))[1]);
const asan = 'detect_leaks=1:quarantine_size_mb=1';

story('a bomb is closed with 1009 and costs no more than a message at the limit', { seconds: 60 }, async (s) => {
    await start(s, on(), { env: { ASAN_OPTIONS: asan } });
    const bomb = pack(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
    assert.ok(bomb.length * 1000 < 64 * 1024 * 1024);
    const warm = await webSocket(s, { deflate: true });
    warm.frame({ opcode: BINARY, rsv: RSV1, payload: pack(Buffer.alloc(1024 * 1024)) });
    assert.equal((await warm.next()).payload.length, 1024 * 1024);
    const before = rss(s.daemon);
    for (let i = 0; i < 10; i++) {
        const client = await webSocket(s, { deflate: true });
        client.frame({ opcode: i % 2 ? TEXT : BINARY, rsv: RSV1, payload: bomb });
        await client.expectClose(1009);
        const other = await webSocket(s, { deflate: true });
        other.frame({ rsv: RSV1, fin: false, payload: bomb.subarray(0, 9) });
        other.frame({ opcode: CONTINUATION, payload: bomb.subarray(9) });
        await other.expectClose(1009);
    }
    const grown = rss(s.daemon) - before;
    assert.ok(grown < 4 * 1024, `${grown} KiB`);
    warm.packed(words(50));
    await warm.expectPacked(words(50));
    await warm.close();
    await s.daemon.nobodyLeft();
});

story('a message at the limit passes however it is packed, one byte more does not', async (s) => {
    await start(s, on({ limits: { message: '20000B' } }));
    const noise = crypto.randomBytes(20000);
    for (const options of [{}, { level: 0 }, { memLevel: 1 }, { strategy: zlib.constants.Z_FIXED }]) {
        const client = await webSocket(s, { deflate: true });
        client.frame({ opcode: BINARY, rsv: RSV1, payload: pack(noise, options) });
        await client.expectBinary(noise);
        client.frame({ opcode: BINARY, rsv: RSV1, payload: pack(Buffer.concat([noise, Buffer.of(1)]), options) });
        await client.expectClose(1009);
    }
    // Blocks that say nothing are not read for ever.
    const client = await webSocket(s, { deflate: true });
    client.frame({ rsv: RSV1, fin: false, payload: Buffer.alloc(20000) });
    client.frame({ opcode: CONTINUATION, payload: Buffer.alloc(3000) });
    await client.expectClose(1009);
    await s.daemon.nobodyLeft();
});

story('half a packed message is counted, and given back with its client', async (s) => {
    await start(s, on());
    const client = await webSocket(s, { deflate: true });
    client.frame({ opcode: BINARY, rsv: RSV1, fin: false, payload: crypto.randomBytes(100000) });
    await s.daemon.statsUntil('held', (total) => total.held_bytes >= 100000);
    await client.leave({ reset: true });
    await s.daemon.nobodyLeft();
});

// ---- what is packed ----

story('small messages, what would not become smaller and what is personal go unpacked', async (s) => {
    await start(s, on({ min: 200 }));
    const client = await xsocketsnet(s, { open: 'echo', deflate: true });
    const long = words(100);
    for (const [data, packed] of [['x'.repeat(100), false], ['x'.repeat(200), true], [long, true]]) {
        client.invoke('echo', 'say', data);
        await client.expectPacked(`{"C":"echo","T":"say","D":"\\"${data}\\""}`, packed);
    }
    client.text(`{"C":"echo","T":"say","D":"${long}","N":7}`);
    await client.expectPacked(`{"C":"echo","T":"say","D":"\\"${long}\\"","N":7}`, false);
    client.packed(`{"C":"echo","T":"say","D":"${long}","N":-12345678901}`);
    await client.expectPacked(`{"C":"echo","T":"say","D":"\\"${long}\\"","N":-12345678901}`, false);
    client.invoke('echo', 'say', long);
    await client.expectPacked(`{"C":"echo","T":"say","D":"\\"${long}\\""}`);

    const other = await webSocket(s, { deflate: true });
    const noise = crypto.randomBytes(5000);
    other.binary(noise);
    const frame = await other.next();
    assert.equal(frame.packed, undefined);
    assert.deepEqual(frame.payload, noise);
    // Pongs and close frames never are.
    other.frame({ opcode: PING, payload: 'p'.repeat(125) });
    await other.expectPong('p'.repeat(125));
    await other.close();
});

story('a message of QoS 1 goes unpacked to who acknowledges it, packed to others', async (s) => {
    await start(s, on());
    const careful = await xsocketsnet(s, { open: 'chat', deflate: true, query: { qos: 1 } });
    const other = await xsocketsnet(s, { open: 'chat', deflate: true });
    const long = words(100);
    careful.text(`{"C":"chat","T":"say","D":"${long}","Q":1,"I":3}`);
    await other.expectPacked(`{"C":"chat","T":"say","D":"\\"${long}\\""}`);
    const heard = [];
    while (heard.length < 2) heard.push(JSON.parse(await careful.nextText()));
    assert.deepEqual(heard.map(({ T }) => T).sort(), ['9', 'say']);
    assert.equal(heard.find(({ T }) => T === 'say').D, JSON.stringify(long));
});

story('who has agreed and who has not hear the same, and each encoding is made once', async (s) => {
    await start(s, on({
        'subprotocol demo': { controller: 'chat' }, 'subprotocol native': { controller: 'chat', topic: 'say' },
    }));
    const long = words(200);
    const envelope = `{"C":"chat","T":"say","D":"\\"${long}\\""}`;
    const open = 'chat';
    const packs = [], plain = [], lines = [];
    for (let i = 0; i < 5; i++) {
        packs.push(await xsocketsnet(s, { open, deflate: 'permessage-deflate; client_max_window_bits' }));
        plain.push(await xsocketsnet(s, { open }));
        lines.push(await text(s, { open }), await mcu(s, { open }));
    }
    const small = await xsocketsnet(s, { open, deflate: 'permessage-deflate; server_max_window_bits=9' });
    const bare = await native(s, { deflate: true });
    const foo = await demo(s, { controller: 'chat', deflate: true });
    const sender = await xsocketsnet(s, { open });
    const before = await s.daemon.stats();
    sender.invoke('chat', 'say', long);
    for (const client of packs) await client.expectPacked(envelope);
    for (const client of [...plain, sender]) await client.expectText(envelope);
    for (const client of lines) await client.expect(`chat|say|"${long}"`);
    await small.expectPacked(envelope);
    await bare.expectPacked(`"${long}"`);
    await foo.expectPacked(`{"M":"say","J":"\\"${long}\\""}`);
    const { total } = await s.daemon.stats();
    // xsocketsnet plain, packed, packed with a small window; text, mcu; native and demo packed.
    assert.equal(total.encodes - before.total.encodes, 7);
    // Packed ones speak to the others as well.
    packs[0].packed(jsEnvelope('chat', 'say', 'short'));
    await packs[1].expectPacked('{"C":"chat","T":"say","D":"\\"short\\""}', false);
    await plain[0].expectText('{"C":"chat","T":"say","D":"\\"short\\""}');
});

story('a subprotocol has variants of its own beside it, and cannot pack for who has not agreed', async (s) => {
    const dir = folder();
    try {
        await start(s, on({ 'subprotocol versions': { module: build('versions', dir) } }));
        const protocols = ['Versions'];
        const opened = /^1 \{"CI":/;
        const packs = await webSocket(s, { protocols, deflate: true });
        const plain = await webSocket(s, { protocols });
        for (const client of [packs, plain]) assert.match(await client.nextText(), opened);
        const said = JSON.stringify(words(100));
        packs.text(said);
        await packs.expectPacked(`1 ${said}`);
        await plain.expectPacked(`1 ${said}`, false);
        plain.text('2');
        await plain.settled();
        packs.text(said);
        await packs.expectPacked(`1 ${said}`);
        await plain.expectPacked(`2 ${said}`, false);
        packs.text('2');
        packs.packed(said);
        await packs.expectPacked(`2 ${said}`);
        await plain.expectPacked(`2 ${said}`, false);
    } finally {
        fs.rmSync(dir, { recursive: true, force: true });
    }
});

story('two hundred who have agreed hear a hundred messages, and nothing is left of them', { seconds: 90 }, async (s) => {
    await start(s, on({ server: { workers: 2 } }));
    const clients = await Promise.all(Array.from({ length: 200 }, (_, i) =>
        xsocketsnet(s, { open: 'chat', deflate: true, place: i % 2 })));
    const sender = await xsocketsnet(s, { open: 'chat', deflate: true });
    const said = (n) => `${n} ${words(30 + n)}`;
    for (let n = 0; n < 100; n++) sender.packed(jsEnvelope('chat', 'say', said(n)));
    for (const client of [...clients, sender])
        for (let n = 0; n < 100; n++) await client.expectPacked(`{"C":"chat","T":"say","D":"\\"${said(n)}\\""}`);
    await Promise.all([...clients, sender].map((client) => client.leave()));
    await s.daemon.nobodyLeft();
});

story('packed or not, the same order', async (s) => {
    await start(s, on());
    const client = await xsocketsnet(s, { open: 'echo', deflate: true });
    const wanted = [];
    for (let n = 0; n < 200; n++) {
        const data = n % 3 ? `${n}` : `${n} ${words(40)}`;
        const asks = n % 5 === 0;
        client.text(`{"C":"echo","T":"say","D":${JSON.stringify(`${data}!`)}${asks ? `,"N":${n}` : ''}}`);
        wanted.push(`{"C":"echo","T":"say","D":"\\"${data}!\\""${asks ? `,"N":${n}` : ''}}`);
    }
    for (const text of wanted) await client.expectText(text);
});

story('a stop closes who has agreed like everybody', async (s) => {
    await start(s, on());
    const client = await webSocket(s, { deflate: true });
    client.packed(words(50));
    await client.expectPacked(words(50));
    s.daemon.signal('SIGTERM');
    await client.expectClose(1001);
    await s.daemon.stop();
});
