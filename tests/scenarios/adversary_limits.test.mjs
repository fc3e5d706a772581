// Queries, names, upgrades and endpoints as nobody means them.
import assert from 'node:assert/strict';
import { start, freePort, folder } from './lib/daemon.mjs';
import { build } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { raw } from './lib/stream.mjs';
import { jsEnvelope, native, xsocketsnet } from './lib/clients.mjs';
import { CLOSE, PING, TEXT, encode } from './lib/frames.mjs';

const FIRST = '7c9e6679-7425-40de-944b-e07fc1f90ae7', SECOND = '11111111-2222-3333-4444-555555555555';
const upgrade = (target = '/', more = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

story('of two persistent ids in one query the first counts, and one that comes late changes nothing', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'echo', query: { persistentid: FIRST, PersistentId: SECOND } });
    assert.equal(client.ids.echo.PI, FIRST);
    const bad = await xsocketsnet(s, { open: 'echo', query: { persistentid: 'no guid', PERSISTENTID: SECOND } });
    assert.equal(bad.ids.echo.PI, SECOND);
    // A quiet greeting is welcomed before its query has come; what was opened before keeps its name.
    const one = await raw(s);
    one.send('PuttyProtocol');
    await one.expectExactly('Welcome to PuttyProtocol\r\n');
    one.send(`?persistentid=${FIRST}\r\necho|1|\r\n`);
    assert.match((await one.takeUntil('\r\n')).toString(), new RegExp(`^echo\\|2\\|PI:${FIRST},`));
    one.send(`?persistentid=${SECOND}\r\n`);
    one.send('echo|say|1\r\n');
    assert.match((await one.takeUntil('\r\n')).toString(), /\|4\|/);
    await one.expectExactly('echo|say|1\r\n');
    for (const each of [client, bad, one]) await each.leave();
    await s.daemon.nobodyLeft();
});

story('ten thousand parameters are refused, and so is a query that is all names', async (s) => {
    await start(s, { limits: { head: '1MiB' } });
    const many = '?' + Array.from({ length: 10000 }, (_, i) => `p${i}=v`).join('&');
    const line = await raw(s);
    line.send(`PuttyProtocol${many}\r\n`);
    await line.until('the end', () => line.gone || undefined);
    for (const query of [many, '?' + 'a'.repeat(5000), `?${'&'.repeat(9000)}`, '?%', '?%4', '?=&==&a==b', `?${'%00'.repeat(200)}=%00`, '?place=', '?place=9', '?place=:', '?place=1&place=2&place=1']) {
        const one = await raw(s);
        one.send(upgrade('/' + query));
        assert.match((await one.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 (101|4\d\d) /, query.slice(0, 40));
        await one.leave({ reset: true });
    }
    await s.daemon.nobodyLeft();
});

story('frames in the same segment as the request are answered behind the 101', async (s) => {
    await start(s, { server: { workers: 4 } });
    for (let place = 0; place < 4; place++) {
        const one = await raw(s);
        one.send(Buffer.concat([Buffer.from(upgrade(`/?place=${place}`, 'Sec-WebSocket-Protocol: XSocketsNET\r\n')),
            encode({ opcode: TEXT, payload: jsEnvelope('online', '1') }), encode({ opcode: TEXT, payload: jsEnvelope('echo', 'say', 1) }),
            encode({ opcode: PING, payload: 'ping' }), encode({ opcode: CLOSE, payload: Buffer.from([3, 232]) })]));
        assert.match((await one.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 101 /);
        await one.until('the end', () => one.gone || undefined);
        assert.equal(one.error, null);
        assert.deepEqual([...one.buffer.subarray(-4)], [0x88, 2, 3, 232]);
    }
    await s.daemon.nobodyLeft();
});

story('endpoints that allow one half of what an upgrade needs refuse cleanly', async (s) => {
    const [a, b, c, d] = [await freePort(), await freePort(), await freePort(), await freePort()];
    await start(s, {
        'endpoint websocket': { address: '127.0.0.1', port: a, protocols: 'websocket' },
        'endpoint http': { address: '127.0.0.1', port: b, protocols: 'http' },
        'endpoint both': { address: '127.0.0.1', port: c, protocols: 'http, websocket' },
        'endpoint one': { address: '127.0.0.1', port: d, protocols: 'http, websocket, xsocketsnet' },
    });
    for (const [port, protocol, wanted] of [[a, '', /^$/], [b, '', /^HTTP\/1\.1 4\d\d /], [c, '', /^HTTP\/1\.1 400 /], [c, 'XSocketsNET', /^HTTP\/1\.1 400 /],
        [d, '', /^HTTP\/1\.1 400 /], [d, 'XSocketsNET', /^HTTP\/1\.1 101 /], [d, 'nobody, XSocketsNET', /^HTTP\/1\.1 101 /], [d, 'nobody', /^HTTP\/1\.1 400 /]]) {
        const one = await raw(s, { host: '127.0.0.1', port });
        one.send(upgrade('/', protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : '') + encode({ payload: jsEnvelope('echo', 'say', 1) }).toString('latin1'));
        if (/101/.test(String(wanted))) await one.takeUntil('\r\n\r\n').then((head) => assert.match(head.toString(), wanted));
        else {
            await one.until('the end', () => one.gone || undefined);
            assert.match(one.buffer.toString('latin1'), wanted, `${port} ${protocol}`);
        }
        await one.leave({ reset: true });
    }
    await s.daemon.nobodyLeft();
});

story('one controller and one subscription too many are refused, and those before stay', { seconds: 60 }, async (s) => {
    const module = build('menace', folder());
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`controller c${i}`, { module, use: i % 2 ? 'crowd' : 'brief' }]));
    await start(s, { server: { workers: 4 }, ...many });
    const client = await xsocketsnet(s, { place: 1, query: { end: 'no' } });
    for (let i = 0; i < 129; i++) client.text(`{"C":"c${i}","T":"1","N":${i}}`);
    const answers = new Map();
    while (answers.size < 129) {
        const { T, N, D } = JSON.parse(await client.nextText());
        if (N !== undefined) answers.set(N, { T, D });
    }
    assert.deepEqual([...answers].filter(([, { T }]) => T === '4').map(([N]) => N), [128]);
    for (let i = 0; i < 128; i++) assert.equal(answers.get(i).T, '2');
    assert.equal((await s.daemon.stats()).total.instances, 128);
    const other = await xsocketsnet(s, { place: 2, open: 'chat' });
    for (let i = 0; i < 1025; i++) other.text(`{"C":"chat","T":"5","D":"{\\"T\\":\\"t${i}/+\\"}","N":${i}}`);
    for (let i = 0; i < 1025; i++) {
        const { T, N } = JSON.parse(await other.nextText());
        assert.equal(N, i);
        assert.equal(T, i < 1024 ? '9' : '4');
    }
    other.text('{"C":"chat","T":"5","D":"{\\"T\\":\\"T5/+\\",\\"A\\":true}"}');
    assert.match(await other.nextText(), /"T":"__t5\/\+"/);
    assert.equal((await s.daemon.stats()).total.subscriptions, 1024);
    await other.leave({ reset: true });
    await client.leave({ reset: true });
    await s.daemon.nobodyLeft();
});

story('an N of every kind comes back as the integer it is, or ends the connection', async (s) => {
    await start(s);
    const client = await xsocketsnet(s, { open: 'echo' });
    for (const [sent, back] of [['0', '0'], ['-0', '0'], ['-1', '-1'], ['1e3', '1000'], ['9007199254740993', '9007199254740993'],
        ['9223372036854775807', '9223372036854775807'], ['-9223372036854775808', '-9223372036854775808']]) {
        client.text(`{"C":"echo","T":"say","D":"1","N":${sent}}`);
        await client.expectText(`{"C":"echo","T":"say","D":"1","N":${back}}`);
    }
    for (const wrong of ['1.5', '"x"', '[]', '{}', 'true', '9223372036854775808', '1e99']) {
        const one = await xsocketsnet(s, { open: 'echo' });
        one.text(`{"C":"echo","T":"say","D":"1","N":${wrong}}`);
        await one.expectError('', { sentence: 'N must be an integer' });
        await one.expectClose(1003);
    }
});

story('a connection that asks for a place again and again, byte by byte and in a crowd, is one connection', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 4 } });
    const crowd = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
        const one = await raw(s);
        for (const byte of `PuttyProtocol?place=${i % 11}&place=${i % 3}\r\n`) await one.send(byte);
        await one.expectExactly('Welcome to PuttyProtocol\r\n');
        return one;
    }));
    assert.equal((await s.daemon.stats()).total.sockets, crowd.length);
    for (const one of crowd) await one.leave({ reset: true });
    await s.daemon.nobodyLeft();
});

story('a native client subscribed by the ini file to a shared controller of another worker hears it', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 4 }, 'controller clock': { interval: '50ms' }, 'subprotocol native': { controller: 'clock', topic: 'time', subscribe: 'time' } });
    for (let place = 0; place < 4; place++) {
        const one = await native(s, { place });
        assert.match(await one.nextText(), /^\{"utc":/);
    }
});
