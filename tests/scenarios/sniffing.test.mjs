// Which protocol is this? Told by the first bytes, however they come.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { raw } from './lib/stream.mjs';
import { Json, Len16, Text, XFrame, XSocketsNet, text, xsocketsnet } from './lib/clients.mjs';
import { WebSocketClient } from './lib/ws.mjs';
import { acceptOf, encode } from './lib/frames.mjs';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HEAD = (more = '') => 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;
const PI = '11111111-2222-3333-4444-555555555555';

const WELCOME_JSON = '{"T":"1","D":"Welcome","C":""}';
const INIT_JSON = '{"T":"1","D":"{\\"init\\":true}","C":"echo"}';
const xframe = (payload) => Buffer.concat([Buffer.from([0x00]), Buffer.from(payload), Buffer.from([0xff])]);

// One byte at a time, as a slow device writes. The pauses are what is tested.
async function drip(client, bytes, ms = 200) {
    for (const byte of Buffer.from(bytes)) {
        client.send([byte]);
        await pause(ms);
    }
}

story('byte by byte, 200 ms apart, gives the same as at once', { seconds: 120 }, async (s) => {
    await start(s, { 'endpoint main': { sniff_timeout: '100s', handshake_timeout: '100s' } });
    const upgraded = async (client) => {
        const { status, headers } = await client.answer();
        assert.equal(status, 101);
        assert.equal(headers['sec-websocket-accept'], acceptOf(KEY));
        client.upgraded = true;
        client.split();
    };
    await Promise.all([
        (async () => {
            const client = new WebSocketClient(s, s.daemon.at(), 'slow native');
            await drip(client, HEAD());
            await upgraded(client);
            await drip(client, encode({ payload: 'hi' }), 20);
            await client.expectText('hi');
        })(),
        (async () => {
            const client = new XSocketsNet(s, s.daemon.at(), 'slow xsocketsnet');
            await drip(client, HEAD('Sec-WebSocket-Protocol: XSocketsNET\r\n'), 200);
            await upgraded(client);
            await client.open('echo');
        })(),
        (async () => {
            const client = new Text(s, s.daemon.at(), 'slow text');
            await drip(client, 'PuttyProtocol\r\n');
            await client.expect('Welcome to PuttyProtocol');
            await drip(client, 'echo|1|\r\necho|say|hi\r\n', 50);
            await client.opened('echo');
            await client.expect('echo|say|"hi"');
        })(),
        (async () => {
            // The query comes after the greeting was taken as complete, and counts all the same.
            const client = new Text(s, s.daemon.at(), 'slow text with a query');
            await drip(client, `PuttyProtocol?PersistentId=${PI}\n`);
            await client.expect('Welcome to PuttyProtocol');
            client.line('echo|1|');
            assert.equal((await client.opened('echo')).PI, PI);
        })(),
        (async () => {
            const client = new XFrame(s, s.daemon.at(), 'slow mcu');
            await drip(client, 'McuProtocol\r\n');
            await client.expect('McuProtocol');
            await drip(client, xframe('echo|say|hi'), 50);
            await client.opened('echo');
            await client.expect('echo|say|"hi"');
        })(),
        (async () => {
            const client = new XFrame(s, s.daemon.at(), 'slow photon');
            await drip(client, `PhotonProtocol?PersistentId=${PI}`);
            await client.expect('welcome');
            await drip(client, xframe('echo|1|'), 50);
            assert.equal((await client.opened('echo')).PI, PI);
        })(),
        (async () => {
            const client = new Json(s, s.daemon.at(), 'slow json');
            await drip(client, 'JsonProtocol');
            await client.expectExactly(client.wrap(WELCOME_JSON));
            await drip(client, xframe(INIT_JSON), 20);
            await client.opened('echo');
        })(),
        (async () => {
            const client = new Len16(s, s.daemon.at(), 'slow len16');
            await drip(client, 'Len16Protocol?x=y\r\n');
            await client.expect('welcome');
            await drip(client, client.wrap('echo|say|hi'), 50);
            await client.opened('echo');
            await client.expect('echo|say|"hi"');
        })(),
        (async () => {
            const client = await raw(s);
            await drip(client, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
            assert.match((await client.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 200 /);
        })(),
        (async () => {
            const client = await raw(s);
            await drip(client, 'Putz').catch(() => {});
            await client.expectEnd();
        })(),
    ]);
});

story('every cut of a greeting in two gives the same', async (s) => {
    await start(s);
    const greeting = 'PuttyProtocol?qos=0\r\necho|1|\r\n';
    for (let cut = 1; cut < greeting.length; cut++) {
        const client = new Text(s, s.daemon.at(), 'text');
        await client.connected;
        await client.send(greeting.slice(0, cut));
        client.send(greeting.slice(cut));
        await client.expect('Welcome to PuttyProtocol');
        await client.opened('echo');
        await client.leave();
    }
    const framed = [
        [XFrame, 'McuProtocol\r\n', 'echo|1|', 'McuProtocol'],
        [XFrame, `PhotonProtocol?PersistentId=${PI}`, 'echo|1|', 'welcome'],
        [Json, 'JsonProtocol', INIT_JSON, WELCOME_JSON],
        [Len16, 'Len16Protocol?qos=0\n', 'echo|1|', 'welcome'],
    ];
    for (const [Kind, first, next, welcome] of framed) {
        const whole = Buffer.concat([Buffer.from(first), Kind.prototype.wrap(next)]);
        for (let cut = 1; cut < whole.length; cut++) {
            const client = new Kind(s, s.daemon.at(), first);
            await client.connected;
            await client.send(whole.subarray(0, cut));
            client.send(whole.subarray(cut));
            await client.expectExactly(client.wrap(welcome));
            const { PI: id } = await client.opened('echo');
            if (first.includes(PI)) assert.equal(id, PI);
            await client.leave();
        }
    }
    const head = HEAD('Sec-WebSocket-Protocol: XSocketsNET\r\n');
    for (let cut = 1; cut < head.length; cut += 3) {
        const client = new XSocketsNet(s, s.daemon.at(), 'xsocketsnet');
        await client.connected;
        await client.send(head.slice(0, cut));
        client.send(head.slice(cut));
        assert.equal((await client.answer()).status, 101);
        await client.leave();
    }
});

story('a greeting without a line end is taken when nothing more comes', async (s) => {
    await start(s, { 'endpoint main': { sniff_quiet: '75ms' } });
    const client = new Text(s, s.daemon.at(), 'quiet');
    client.send('PuttyProtocol');
    await client.expect('Welcome to PuttyProtocol');
    client.send('\r\necho|1|\r\n');
    await client.opened('echo');
    const zero = new Text(s, s.daemon.at(), 'zero');
    zero.send('PuttyProtocol\0echo|1|\r\n');
    await zero.expect('Welcome to PuttyProtocol');
    await zero.opened('echo');
    const feed = new Text(s, s.daemon.at(), 'line feed');
    feed.send('PuttyProtocol\necho|1|\n');
    await feed.expect('Welcome to PuttyProtocol');
    await feed.opened('echo');
});

story('a board and a NodeJS client greet without an end, and what comes later still counts', async (s) => {
    await start(s, { 'endpoint main': { sniff_quiet: '75ms' } });
    const board = new XFrame(s, s.daemon.at(), 'mcu');
    board.send('McuProtocol');
    await board.expect('McuProtocol');
    board.send('\r\n');
    board.line('echo|1|');
    await board.opened('echo');
    const late = new XFrame(s, s.daemon.at(), 'photon');
    late.send('PhotonProtocol');
    await late.expect('welcome');
    late.send(`?PersistentId=${PI}`);
    late.line('echo|1|');
    assert.equal((await late.opened('echo')).PI, PI);
    const node = new Json(s, s.daemon.at(), 'json');
    node.send('JsonProtocol');
    await node.expectExactly(node.wrap(WELCOME_JSON));
    node.line(INIT_JSON);
    await node.opened('echo');
    const wrong = new XFrame(s, s.daemon.at(), 'mcu');
    wrong.send('McuProtocol');
    await wrong.expect('McuProtocol');
    wrong.send('echo|1|\n');
    await wrong.expectError('');
    await wrong.expectEnd();
});

story('a persistent id of 36 characters needs no end and no silence, and len16 needs its line end', async (s) => {
    await start(s, { 'endpoint main': { sniff_quiet: '10s', sniff_timeout: '12s' } });
    const photon = new XFrame(s, s.daemon.at(), 'photon');
    photon.send(`PhotonProtocol?PersistentId=${PI}`);
    await photon.expect('welcome');
    photon.line('echo|1|');
    assert.equal((await photon.opened('echo')).PI, PI);
    // What follows it counts as if it had come at once.
    const more = new XFrame(s, s.daemon.at(), 'photon');
    more.send(`PhotonProtocol?persistentid=${PI}`);
    await more.expect('welcome');
    more.send(`0&x=y\r\n`);
    more.line('echo|1|');
    assert.notEqual((await more.opened('echo')).PI, PI);
});

story('a greeting of len16 without a line end is none', async (s) => {
    await start(s, { 'endpoint main': { sniff_quiet: '20ms', sniff_timeout: '300ms' } });
    const client = new Len16(s, s.daemon.at(), 'len16');
    client.send(Buffer.from('Len16Protocol\0\x07echo|1|'));
    await client.expectEnd();
});

story('bytes that nobody claims end the connection, are counted and stand in the log in hex', async (s) => {
    await start(s);
    const beginnings = ['McuProtocolX\n', 'PhotonProtocol PersistentId', 'jsonprotocol', 'Len16Protocol;\n', 'Len17Protocol\n', '\x01\x02\x03\xfe', 'HELO there\r\n', 'puttyprotocol\r\n', 'PuttyProtocolX\r\n', 'PuttyProtocol x\r\n',
        '\r\nPuttyProtocol\r\n', '\0', '\x10\x10\x00\x04MQTT'];
    for (const bytes of beginnings) {
        const client = await raw(s);
        client.send(Buffer.from(bytes, 'latin1'));
        await client.expectEnd();
    }
    const { total } = await s.daemon.stats();
    assert.equal(total.unclaimed, beginnings.length);
    await s.daemon.logged(/010203fe/);
    assert.doesNotMatch(s.daemon.log, /HELO there/);
    await s.daemon.nobodyLeft();
});

story('an HTTP/2 preface and a TLS hello come to a clean end', async (s) => {
    await start(s);
    const preface = await raw(s);
    preface.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await preface.until('the end', () => preface.gone || undefined);
    const hello = await raw(s);
    hello.send(Buffer.from('1603010200010001fc0303' + '00'.repeat(500), 'hex'));
    await hello.expectEnd();
    await s.daemon.nobodyLeft();
});

story('a silent client may stay until the handshake timeout, half a greeting until the sniff timeout', async (s) => {
    await start(s, { 'endpoint main': { handshake_timeout: '1s', sniff_timeout: '200ms' } });
    const began = Date.now();
    const silent = await raw(s);
    const half = await raw(s);
    half.send('Putty');
    const head = await raw(s);
    head.send('GET / HTTP/1.1\r\nHost:');
    await half.expectEnd();
    const passed = Date.now() - began;
    assert.ok(passed >= 190, `${passed} ms`);
    await silent.expectEnd();
    assert.ok(Date.now() - began >= 950, `${Date.now() - began} ms`);
    await head.until('the end', () => head.gone || undefined);
    const { total } = await s.daemon.stats();
    assert.ok(total.sniff_timeouts >= 1);
    assert.ok(total.handshake_timeouts >= 1);
    assert.equal(total.sniff_timeouts + total.handshake_timeouts, 3);
    await s.daemon.nobodyLeft();
});

story('more first bytes than any module asks for come to an end', async (s) => {
    await start(s);
    const query = await raw(s);
    query.send(`PuttyProtocol?${'a'.repeat(8000)}`);
    await query.until('the end', () => query.gone || undefined);
    const head = await raw(s);
    head.send(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20000)}`);
    assert.match((await head.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 431 /);
    await head.until('the end', () => head.gone || undefined);
    await s.daemon.nobodyLeft();
});

story('three hundred clients who write byte by byte are all served, and the others do not notice', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 4 } });
    const clients = Array.from({ length: 300 }, () => new Text(s, s.daemon.at(), 'slow'));
    await Promise.all(clients.map((client) => client.connected));
    const quick = await xsocketsnet(s, { open: 'echo' });
    for (const byte of 'PuttyProtocol\r\n') for (const client of clients) await client.send(byte);
    quick.invoke('echo', 'say', 1);
    await quick.expect('echo', 'say', '1');
    for (const client of clients) await client.expect('Welcome to PuttyProtocol');
});

story('a client that ends its direction before a protocol is known is done', async (s) => {
    await start(s);
    for (const bytes of ['', 'P', 'GET / HT']) {
        const client = await raw(s);
        if (bytes) client.send(bytes);
        client.half();
        await client.until('the end', () => client.gone || undefined);
    }
    // A whole greeting and the end behind it: served as far as it goes.
    const client = await raw(s);
    client.send('PuttyProtocol\r\necho|1|\r\necho|say|hi\r\n');
    client.half();
    assert.match((await client.takeUntil('echo|say|"hi"\r\n')).toString(), /^Welcome to PuttyProtocol\r\necho\|2\|PI:/);
    await client.expectEnd();
    await s.daemon.nobodyLeft();
});

story('the test hook puts a client on the worker it names', async (s) => {
    await start(s, { server: { workers: 4 } });
    for (let place = 0; place < 4; place++) {
        await xsocketsnet(s, { place, open: 'generic' });
        await text(s, { place, open: 'generic' });
    }
    const { workers } = await s.daemon.stats();
    assert.deepEqual(workers.map((worker) => worker.instances), [2, 2, 2, 2]);
});
