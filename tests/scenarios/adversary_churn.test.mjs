// Everything at once: shared controllers, handlers that end their clients, resets in the middle, small mailboxes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { folder, start } from './lib/daemon.mjs';
import { build, gate } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { raw } from './lib/stream.mjs';
import { jsEnvelope, text, xsocketsnet } from './lib/clients.mjs';

const PI = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

function menace(more = {}) {
    const module = build('menace', folder());
    return { 'controller shy': { module }, 'controller crowd': { module }, 'controller brief': { module }, ...more };
}

const ends = ['opened', 'refused', 'reopened', 'no'];
const words = (n) => [
    jsEnvelope('crowd', '1'), jsEnvelope('crowd', '5', { T: '#', A: n % 2 === 0 }), jsEnvelope('crowd', 'say', n),
    jsEnvelope('crowd', 'later', n), jsEnvelope('crowd', 'timer'), jsEnvelope('shy', 'say', n), jsEnvelope('online', '1'),
    jsEnvelope('online', 'name', `n${n}`), jsEnvelope('clock', '5', { T: 'time', A: true }), jsEnvelope('generic', 'say', 'x'.repeat(n % 3000)),
    jsEnvelope('crowd', n % 7 === 0 ? 'kick' : 'other', n), jsEnvelope('brief', n % 5 === 0 ? 'bye' : '1'), jsEnvelope('crowd', n % 2 ? '3' : 'count'),
    `{"C":"crowd","T":"say","D":"1","Q":1,"I":${1 + n % 60000},"N":${n}}`,
];

async function churn(s, rounds, side) {
    let n = 0;
    const one = async () => {
        for (let i = 0; i < rounds; i++) {
            const k = n++;
            let client;
            try {
                client = k % 5 === 4
                    ? await text(s, { place: k % 4, query: { persistentid: PI } })
                    : await xsocketsnet(s, { place: k % 4, query: { qos: 1, end: ends[k % 4], persistentid: k % 3 ? PI : undefined } });
            } catch (error) {
                if (side.mayFail) continue;
                throw error;
            }
            if (k % 5 === 4) for (const word of ['crowd|1|', 'crowd|timer|', 'crowd|say|1', 'crowd|kick|']) client.line(word);
            else for (const word of words(k)) client.text(word);
            if (k % 3 === 0) await client.until('anything', () => client.received > 400 || client.gone || undefined).catch(() => {});
            if (k % 4 === 3) client.half();
            if (k % 8 !== 3) await client.leave({ reset: k % 2 === 0 });
            else await client.until('the end', () => client.gone || undefined).catch(() => {});
        }
    };
    await Promise.all(Array.from({ length: 12 }, one));
}

async function crowdIsEmpty(s) {
    const client = await text(s);
    client.line('crowd|count|');
    for (;;) {
        const line = await client.next();
        if (!line.startsWith('crowd|count|')) continue;
        assert.equal(line, 'crowd|count|1');
        break;
    }
    await client.leave();
}

for (const [kind, server] of Object.entries({ 'large mailboxes': {}, 'mailboxes of 16 letters': { mailbox_letters: 16 } })) {
    story(`controllers that do everything at the wrong moment leave nothing behind (${kind})`, { seconds: 180 }, async (s) => {
        await start(s, { server: { workers: 4, ...server }, ...menace() });
        await churn(s, 20, {});
        const total = await s.daemon.nobodyLeft();
        assert.equal(total.persistent_ids_live, 0);
        await crowdIsEmpty(s);
        await s.daemon.statsUntil('only timers of the shared ones', (now) => now.timers <= 2);
    });
}

for (const when of [5, 60, 150, 400]) {
    story(`a stop in the middle of all that ends in time (after ${when} clients)`, { seconds: 60 }, async (s) => {
        await start(s, { server: { workers: 4, drain_timeout: '2s', mailbox_letters: 16 }, ...menace() });
        const side = { mayFail: true };
        const all = churn(s, 40, side);
        all.catch(() => {});
        await s.daemon.statsUntil('so many came', (total) => total.accepted >= when);
        const began = Date.now();
        s.daemon.signal('SIGTERM');
        const { code } = await s.daemon.exit;
        const took = Date.now() - began;
        s.daemon.clean();
        assert.equal(code, 0, s.daemon.log.slice(-2000));
        assert.ok(took < 3000, `${took} ms`);
        assert.doesNotMatch(s.daemon.log, /the crowd ends with/);
        await all;
    });
}

for (const drain of ['0ms', '2ms', '20ms']) {
    story(`a stop that waits for nobody (${drain}) ends well too`, { seconds: 60 }, async (s) => {
        await start(s, { server: { workers: 4, drain_timeout: drain, mailbox_letters: 16 }, ...menace() });
        const all = churn(s, 40, { mayFail: true });
        all.catch(() => {});
        await s.daemon.statsUntil('so many came', (total) => total.accepted >= 100);
        s.daemon.signal('SIGTERM');
        const { code } = await s.daemon.exit;
        s.daemon.clean();
        assert.equal(code, 0, s.daemon.log.slice(-2000));
        await all;
    });
}

story('threads of a plugin that go on answering while the server ends do no harm', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2 }, ...menace() });
    const client = await xsocketsnet(s, { open: 'crowd' });
    for (let i = 0; i < 4; i++) client.invoke('crowd', 'haunt', null);
    await client.until('the threads', () => client.received > 100 || undefined);
    s.daemon.signal('SIGTERM');
    const { code } = await s.daemon.exit;
    s.daemon.clean();
    assert.equal(code, 0, s.daemon.log.slice(-2000));
});

story('publishers to a worker that is held up lose nothing and keep their order, with boxes of 16 letters', { seconds: 120 }, async (s) => {
    await start(s, { server: { workers: 4, mailbox_letters: 16, queue_messages: 100000, queue_bytes: '64MiB' }, ...menace() });
    const receivers = [];
    for (let place = 0; place < 4; place++) {
        const one = await xsocketsnet(s, { open: ['chat'], place, name: `receiver ${place}` });
        one.subscribe('chat', 'flood', true);
        assert.match(await one.nextText(), /__flood/);
        receivers.push(one);
    }
    const publishers = [], doomed = [];
    for (let place = 0; place < 4; place++) {
        publishers.push(await xsocketsnet(s, { open: 'chat', place, name: `publisher ${place}` }));
        doomed.push(await xsocketsnet(s, { open: 'chat', place, name: `doomed ${place}` }));
    }
    const stallers = [];
    for (let place = 0; place < 4; place++) {
        const staller = await xsocketsnet(s, { place, query: { end: 'no' } });
        staller.text(jsEnvelope('brief', '1'));
        stallers.push(staller);
    }
    const count = 400;
    const held = gate(folder());
    for (const k of [1, 2]) stallers[k].text(jsEnvelope('brief', 'stall', held.path));
    for (let i = 0; i < count; i++) {
        for (const [k, publisher] of publishers.entries()) publisher.invoke('chat', 'flood', `${k} ${i}`);
        for (const one of doomed) one.invoke('chat', 'other', i);
    }
    await s.daemon.statsUntil('somebody is stalled', (total) => total.stalled > 0 && total.letters_waiting > 0);
    for (const one of doomed) await one.leave({ reset: true });
    held.open();
    for (const staller of stallers) await staller.leave();
    await Promise.all(receivers.map(async (receiver) => {
        const next = [0, 0, 0, 0];
        for (let i = 0; i < 4 * count; i++) {
            const { D } = JSON.parse(await receiver.nextText());
            const [k, number] = JSON.parse(D).split(' ').map(Number);
            assert.equal(number, next[k]++, `${receiver.name}: of publisher ${k}`);
        }
    }));
    // Reading goes on.
    for (const publisher of publishers) await publisher.barrier();
    for (const one of [...receivers, ...publishers]) await one.leave();
    await s.daemon.nobodyLeft();
});

story('half-closed clients cost no time in any state', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2 }, 'endpoint main': { handshake_timeout: '60s', sniff_timeout: '60s' }, ...menace() });
    const states = {
        nothing: (one) => one,
        'a piece of a greeting': (one) => one.send('Putty'),
        'a quiet greeting': (one) => one.send('PuttyProtocol'),
        'a greeting': (one) => one.send('PuttyProtocol\r\n'),
        'a greeting and half a line': (one) => one.send('PuttyProtocol\r\ngeneric|x'),
        'a shared controller': (one) => one.send('PuttyProtocol\r\ncrowd|1|\r\ncrowd|timer|\r\n'),
        'half a head': (one) => one.send('GET / HTTP/1.1\r\nHost:'),
        'a health check': (one) => one.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'),
        'an upgrade': (one) => one.send(one.upgrade),
        'bytes of nobody': (one) => one.send('\x00\x01\x02'),
    };
    const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
    for (const [, enter] of Object.entries(states)) {
        const one = await raw(s);
        one.upgrade = upgrade;
        await enter(one);
        one.half();
        await one.until('the end', () => one.gone || undefined);
        one.socket.destroy();
    }
    await s.daemon.nobodyLeft();
    const ticks = () => { const parts = fs.readFileSync(`/proc/${s.daemon.pid}/stat`, 'utf8').split(') ')[1].split(' '); return Number(parts[11]) + Number(parts[12]); };
    // Who has ended its half and does not read: what is queued keeps the connection, and nothing turns.
    const deaf = await xsocketsnet(s, { open: 'echo' });
    deaf.pause();
    for (let i = 0; i < 150; i++) deaf.invoke('echo', 'say', 'x'.repeat(60000));
    await s.daemon.statsUntil('queued', (total) => total.queued_bytes > 100000);
    deaf.half();
    const clock = await text(s);
    clock.line('clock|5|time');
    await clock.takeUntil('clock|time|');
    const before = ticks();
    await clock.takeUntil('clock|time|');
    await clock.takeUntil('clock|time|');
    const used = ticks() - before;
    assert.ok(used < 60, `${used} ticks of 10 ms in two seconds`);
    await deaf.leave({ reset: true });
});
