// What went wrong in other servers and is not seen elsewhere in these tests: docs/SECURITY.md has the list.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { binary, configuration, root, start } from './lib/daemon.mjs';
import { build, gate } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { Stream, raw } from './lib/stream.mjs';
import { WebSocketClient, webSocket } from './lib/ws.mjs';
import { jsEnvelope, native, text, xsocketsnet } from './lib/clients.mjs';
import { CONTINUATION, encode } from './lib/frames.mjs';

const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
const BIG = 'x'.repeat(60000);
const asan = (more) => ({ ASAN_OPTIONS: `detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1:${more}` });
const rss = (daemon) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))[1]);

// Processor time in hundredths of a second.
function ticks(daemon) {
    const parts = fs.readFileSync(`/proc/${daemon.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(parts[11]) + Number(parts[12]);
}

// What the daemon uses while `clock` tells the time twice.
async function ticksInTwoSeconds(daemon, clock) {
    await clock.takeUntil('clock|time|');
    const before = ticks(daemon);
    await clock.takeUntil('clock|time|');
    await clock.takeUntil('clock|time|');
    return ticks(daemon) - before;
}

test('every test that docs/SECURITY.md names is there', () => {
    const page = fs.readFileSync(path.join(root, 'docs/SECURITY.md'), 'utf8');
    const named = [...page.matchAll(/`(tests\/[\w./]+)`: ([^|<\n]+)/g)];
    assert.ok(named.length > 40, `${named.length} rows`);
    for (const [, file, names] of named) {
        const source = fs.readFileSync(path.join(root, file), 'utf8');
        for (const name of names.split(';').map((each) => each.trim()).filter(Boolean))
            assert.ok(source.includes(name), `${file} has no test "${name}"`);
    }
});

// ---- time ----

story('half a head and a dripping head end with the handshake timeout, a keep-alive that is never used with its own', async (s) => {
    await start(s, { 'endpoint main': { handshake_timeout: '600ms', sniff_timeout: '500ms' }, 'protocol http': { keepalive_timeout: '600ms' } });
    const began = Date.now();
    const half = await raw(s);
    half.send('GET /chat HTTP/1.1\r\nHost: x\r\n');
    const unused = await raw(s);
    unused.send(HEALTH);
    assert.match((await unused.takeUntil('ok\n')).toString(), /^HTTP\/1\.1 200 /);
    const dripping = await raw(s);
    dripping.send('GET /chat HTTP/1.1\r\nX: ');
    const drip = (async () => {
        // Each answer of the health check is the time for one more byte.
        while (!dripping.gone) {
            const one = await raw(s);
            one.send(HEALTH);
            await one.takeUntil('ok\n');
            dripping.send('x');
            await one.leave();
        }
    })();
    for (const one of [half, unused, dripping]) await one.until('the end', () => one.gone || undefined);
    await drip;
    const passed = Date.now() - began;
    assert.ok(passed >= 550, `${passed} ms`);
    const { total } = await s.daemon.stats();
    assert.equal(total.handshake_timeouts, 2);
    assert.equal(total.idle_timeouts, 1);
    await s.daemon.nobodyLeft();
});

story('half a line is ended by idle_timeout_without_ping', async (s) => {
    await start(s, { 'endpoint main': { idle_timeout_without_ping: '300ms' } });
    const line = await text(s, { open: 'echo' });
    line.send('echo|say|half');
    await line.until('the end', () => line.gone || undefined);
    assert.equal((await s.daemon.stats()).total.idle_timeouts, 1);
    await s.daemon.nobodyLeft();
});

story('half-closed clients who read nothing cost no processor time', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2, queue_bytes: '64MiB' }, 'endpoint main': { slow_timeout: '60s' } });
    const clock = await text(s, { open: 'clock' });
    const sender = await xsocketsnet(s, { open: 'chat' });
    const crowd = [];
    for (let i = 0; i < 6; i++) {
        const one = await xsocketsnet(s, { open: 'chat', place: i % 2 });
        one.subscribe('chat', 'flood', true);
        await one.nextText();
        one.pause();
        crowd.push(one);
    }
    await s.daemon.statsUntil('something queued for each', (total) => {
        for (let i = 0; i < 8; i++) sender.invoke('chat', 'flood', BIG);
        return total.queued_entries > 0 && total.queued_bytes > 6 * 1024 * 1024;
    });
    for (const one of crowd) one.half();
    await s.daemon.statsUntil('their end seen', (total) => total.instances === 2);
    clock.send('clock|5|time\r\n');
    const used = await ticksInTwoSeconds(s.daemon, clock);
    assert.ok(used < 60, `${used} ticks of 10 ms in two seconds`);
    assert.ok((await s.daemon.stats()).total.connections > 2, 'they are still told what is queued');
    for (const one of crowd) await one.leave({ reset: true });
    await sender.leave();
    await clock.leave();
    await s.daemon.nobodyLeft();
});

story('two thousand handshakes byte by byte at once are all answered', { seconds: 180 }, async (s) => {
    await start(s, { server: { workers: 2 }, log: { level: 'info' }, 'endpoint main': { sniff_timeout: '100s', handshake_timeout: '100s' } });
    const clients = Array.from({ length: 2000 }, () => new WebSocketClient(s, s.daemon.at(), 'crawler'));
    for (const client of clients) assert.ok(await client.connected);
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const request = clients[0].request({ key });
    const other = await native(s);
    for (const byte of request) {
        for (const client of clients) client.socket.write(byte);
        // The others are served all the while; the answer also says that the turn is over.
        await other.barrier();
    }
    for (const client of clients) {
        const { status, headers } = await client.answer();
        assert.equal(status, 101);
        assert.equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    }
    await Promise.all([...clients, other].map((client) => client.leave()));
    await s.daemon.nobodyLeft();
});

// ---- memory ----

story('a million fragments of one byte cost little more than a million bytes', { seconds: 120 }, async (s) => {
    await start(s, { server: { workers: 1 } }, { env: asan('quarantine_size_mb=1') });
    const client = await native(s);
    const warm = 'w'.repeat(1000000);
    client.text(warm);
    await client.expectText(warm);
    const before = rss(s.daemon);
    const piece = encode({ opcode: CONTINUATION, payload: 'a', fin: false });
    await client.frame({ payload: 'a', fin: false });
    for (let i = 0; i < 100; i++) await client.send(Buffer.concat(Array(10000).fill(piece)));
    await client.settled();
    const grown = rss(s.daemon) - before;
    assert.ok(grown < 8 * 1024, `${grown} KiB`);
    await client.frame({ opcode: CONTINUATION, payload: 'b' });
    await client.expectText(`${'a'.repeat(1000001)}b`);
});

story('a client that never acknowledges has nothing kept for it', async (s) => {
    await start(s, { server: { workers: 1 } });
    const deaf = await xsocketsnet(s, { open: 'chat', query: { qos: 1 } });
    const sender = await xsocketsnet(s, { open: 'chat', query: { qos: 1 } });
    deaf.subscribe('chat', 'news', true);
    await deaf.nextText();
    for (let i = 1; i <= 500; i++) {
        sender.text(JSON.stringify({ C: 'chat', T: 'news', D: String(i), Q: 1, I: i }));
        assert.equal(JSON.parse(await sender.nextText()).T, '9');
        assert.equal(JSON.parse(await deaf.nextText()).D, String(i));
    }
    const { total } = await s.daemon.stats();
    for (const gauge of ['messages', 'encoded', 'queued_bytes', 'queued_entries', 'inbox_messages']) assert.equal(total[gauge], 0, gauge);
});

story('memory that cannot be had for a message ends its sender with 1011, and nobody else', async (s) => {
    // Under AddressSanitizer a single allocation may be bounded; without it there is memory for it.
    const sections = { server: { workers: 1, queue_bytes: '64MiB' }, limits: { message: '16MiB' } };
    await start(s, sections, { env: asan('allocator_may_return_null=1:max_allocation_size_mb=5') });
    const bounded = fs.readFileSync(`/proc/${s.daemon.pid}/maps`, 'utf8').includes('libasan');
    const other = await xsocketsnet(s, { open: 'echo' });
    const word = 'x'.repeat(8 * 1024 * 1024);
    for (const cut of [false, true]) {
        const client = await native(s);
        if (cut) {
            for (let i = 0; i < 8; i++) client.frame({ opcode: i === 0 ? 1 : CONTINUATION, payload: word.slice(0, 1024 * 1024), fin: i === 7 });
        } else {
            client.text(word);
        }
        if (bounded) await client.expectClose(1011);
        else await client.expectText(word);
        await client.leave({ reset: true });
        other.invoke('echo', 'say', 1);
        await other.expect('echo', 'say', '1');
    }
    const line = await text(s, { open: 'echo' });
    line.line(`echo|say|${word}`);
    if (bounded) await line.until('the end', () => line.gone || undefined);
    else await line.expect(`echo|say|"${word}"`);
    other.invoke('echo', 'say', 2);
    await other.expect('echo', 'say', '2');
});

// ---- faults ----

const library = path.join(path.dirname(binary), 'tests/modules/faults.so');

for (const seed of [1, 20, 333]) {
    story(`with short reads and writes, EAGAIN, EINTR and failing accepts everybody is served in order (seed ${seed})`, { seconds: 120 }, async (s) => {
        const daemon = await start(s, { server: { workers: 2 } },
            { env: { ...asan('verify_asan_link_order=0'), LD_PRELOAD: library, FAULTS_SEED: String(seed) } });
        const clients = [];
        for (let i = 0; i < 6; i++) clients.push(await xsocketsnet(s, { open: ['echo', 'generic'], place: i % 2 }), await text(s, { open: 'generic', place: i % 2 }));
        const first = clients[0], size = 3000;
        for (let i = 0; i < 30; i++) first.invoke('generic', 'say', `n${i} ${'é'.repeat(i * size / 30)}`);
        for (let i = 0; i < 30; i++) {
            const word = `n${i} ${'é'.repeat(i * size / 30)}`;
            for (const client of clients) {
                if (client instanceof WebSocketClient) await client.expect('generic', 'say', `\\"${word}\\"`);
                else await client.expect(`generic|say|"${word}"`);
            }
        }
        const binaryWord = await webSocket(s);
        binaryWord.send(Buffer.concat(Array.from({ length: 40 }, (_, i) => encode({ opcode: 9, payload: `ping ${i}` }))));
        for (let i = 0; i < 40; i++) await binaryWord.expectPong(`ping ${i}`);
        const health = await raw(s);
        health.send(HEALTH);
        assert.match((await health.takeUntil('ok\n')).toString(), /^HTTP\/1\.1 200 /);
        for (const client of [...clients, binaryWord, health]) await client.leave({ reset: clients.indexOf(client) % 2 === 0 });
        await daemon.nobodyLeft();
        await daemon.stop();
        const told = /faults: cut=(\d+) again=(\d+) interrupted=(\d+) not_accepted=(\d+)/.exec(daemon.log);
        assert.ok(told, 'faults were made');
        for (const count of told.slice(1)) assert.ok(Number(count) > 0, told[0]);
    });
}

// ---- policy ----

story('a reload without a free descriptor leaves every setting as it was', { seconds: 60 }, async (s) => {
    const sections = { limits: { message: '1KiB', controllers: 2 }, 'endpoint main': { max_connections: 3 } };
    const daemon = await start(s, sections);
    const client = await xsocketsnet(s, { open: ['echo', 'chat'] });
    const limit = (soft) => execFileSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${soft}:`]);
    const soft = /Max open files\s+(\d+)/.exec(fs.readFileSync(`/proc/${daemon.pid}/limits`, 'utf8'))[1];
    limit(3);
    const since = daemon.log.length;
    daemon.signal('SIGHUP');
    await daemon.logged(/nothing is changed: .*server\.ini/, since);
    // Who knocks waits, who is here is served, and under the limits of before.
    const knocks = new Stream(s, daemon.at(), 'late');
    knocks.send('PuttyProtocol\r\n');
    await knocks.connected;
    await daemon.statsUntil('accepting failed', (total) => total.accept_errors >= 1);
    client.text(jsEnvelope('generic', '1'));
    await client.expectError('');
    client.invoke('echo', 'say', 1);
    await client.expect('echo', 'say', '1');
    limit(soft);
    await knocks.expectExactly('Welcome to PuttyProtocol\r\n');
    await raw(s);
    await daemon.statsUntil('the third is in, on whichever worker', (total) => total.connections === 3);
    const fourth = await raw(s);
    await fourth.expectEnd();
    client.invoke('echo', 'say', 'x'.repeat(2000));
    await client.expectClose(1009);
});

story('a plugin that takes its time holds up its own worker only, and is named', async (s) => {
    const { folder } = await import('./lib/daemon.mjs');
    const daemon = await start(s, { server: { workers: 2, slow_callback: '50ms' }, 'controller brief': { module: build('menace', folder()) } });
    const held = await xsocketsnet(s, { place: 0 });
    const other = await xsocketsnet(s, { place: 1, open: 'echo' });
    held.text(jsEnvelope('brief', '1'));
    await held.opened('brief');
    const closed = gate(folder());
    held.text(JSON.stringify({ C: 'brief', T: 'stall', D: closed.path, N: 7 }));
    await daemon.statsUntil('read', (total) => total.bytes_in >= held.sent + other.sent);
    const began = Date.now();
    for (let i = 0; i < 20 || Date.now() - began < 100; i++) {
        other.invoke('echo', 'say', i);
        await other.expect('echo', 'say', String(i));
    }
    assert.equal(held.frames.filter((frame) => frame.payload.includes('"N":7')).length, 0, 'it is still held up');
    closed.open();
    await held.until('its answer', () => held.frames.find((frame) => frame.payload.includes('"N":7')));
    await daemon.logged(/controller brief took \d+ ms in a callback/);
    assert.equal((await daemon.stats()).total.slow_callbacks, 1);
});

story('who takes its time before it lets a client in is named, not who is called after it', async (s) => {
    const { folder } = await import('./lib/daemon.mjs');
    const daemon = await start(s, { server: { workers: 1, slow_callback: '50ms' }, 'controller brief': { module: build('menace', folder()) } });
    const closed = gate(folder());
    const held = await xsocketsnet(s, { open: 'echo', query: { gate: closed.path } });
    held.send(Buffer.concat([encode({ payload: jsEnvelope('brief', '1') }), encode({ payload: jsEnvelope('echo', 'say', '1') })]), 'both at once');
    await daemon.statsUntil('read', (total) => total.bytes_in >= held.sent);
    const began = Date.now();
    await daemon.statsUntil('it is slow by now', () => Date.now() - began > 100);
    closed.open();
    await held.until('its echo', () => held.frames.find((frame) => frame.payload.includes('"C":"echo","T":"say"')));
    await daemon.logged(/controller brief took \d+ ms in a callback/);
    assert.doesNotMatch(daemon.log, /controller echo took/);
    assert.equal((await daemon.stats()).total.slow_callbacks, 1);
});
