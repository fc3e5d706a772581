// Clients that vanish in the middle of anything leave nothing behind.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { Stream, raw } from './lib/stream.mjs';
import { demo, jsEnvelope, native, text, xsocketsnet } from './lib/clients.mjs';
import { webSocket } from './lib/ws.mjs';
import { CONTINUATION, PING, encode } from './lib/frames.mjs';

const BIG = 'x'.repeat(50000);

story('clients killed in the middle of anything give back what they held', { seconds: 120 }, async (s) => {
    await start(s, { server: { workers: 4 } });
    // Shared instances stay; they are counted before anybody comes and after all have gone.
    const first = await xsocketsnet(s, { open: ['online', 'clock'] });
    await first.leave();
    await s.daemon.nobodyLeft();
    const descriptors = s.daemon.descriptors();
    const middles = {
        'before a byte': () => raw(s),
        'in a greeting': async () => { const one = await raw(s); await one.send('Putty'); return one; },
        'in a quiet greeting': async () => { const one = await raw(s); await one.send('PuttyProtocol'); return one; },
        'in a head': async () => { const one = await raw(s); await one.send('GET /x HTTP/1.1\r\nHost: '); return one; },
        'after a handshake': (place) => xsocketsnet(s, { place }),
        'in a frame head': async (place) => { const one = await xsocketsnet(s, { place, open: 'generic' }); await one.send([0x81, 0xfe, 1]); return one; },
        'in a frame': async (place) => { const one = await xsocketsnet(s, { place }); await one.send(encode({ payload: 'x', announce: 60000 })); return one; },
        'in a message of fragments': async (place) => { const one = await native(s, { place }); await one.frame({ payload: BIG, fin: false }); await one.frame({ opcode: CONTINUATION, payload: BIG, fin: false }); return one; },
        'in a line': async (place) => { const one = await text(s, { place, open: 'chat' }); await one.send(`chat|say|${BIG}`); return one; },
        'with many controllers and subscriptions': async (place) => {
            const one = await xsocketsnet(s, { place, open: ['generic', 'chat', 'echo', 'demo', 'clock', 'online'] });
            for (let i = 0; i < 50; i++) one.subscribe('chat', `t${i}/+/#`);
            return one;
        },
        'after asking and before hearing': async (place) => { const one = await xsocketsnet(s, { place }); for (let i = 0; i < 30; i++) one.invoke('generic', 'say', BIG); return one; },
        'while it reads nothing': async (place) => { const one = await xsocketsnet(s, { place, open: 'echo' }); one.pause(); for (let i = 0; i < 60; i++) one.invoke('echo', 'say', BIG); return one; },
        'in the middle of closing': async (place) => { const one = await webSocket(s, { path: `/?place=${place}` }); await one.frame({ opcode: 8 }); return one; },
        'after a fault': async (place) => { const one = await webSocket(s, { path: `/?place=${place}` }); await one.frame({ rsv: 7 }); return one; },
        'in a ping': async (place) => { const one = await webSocket(s, { path: `/?place=${place}` }); await one.send(encode({ opcode: PING, payload: 'abcdef' }).subarray(0, 8)); return one; },
        'as a demo client': (place) => demo(s, { place, controller: 'demo' }),
        'with a qos message': async (place) => { const one = await xsocketsnet(s, { place, query: { qos: 1 }, open: 'chat' }); one.text('{"C":"chat","T":"foo","D":"1","Q":1,"I":5}'); return one; },
    };
    for (const reset of [false, true]) {
        for (const [when, come] of Object.entries(middles)) {
            const clients = [];
            for (let i = 0; i < 8; i++) clients.push(await come(i % 4));
            for (const client of clients) await client.leave({ reset });
            try {
                await s.daemon.nobodyLeft();
            } catch (error) {
                throw Object.assign(error, { message: `${when}, ${reset ? 'reset' : 'ended'}: ${error.message}` });
            }
        }
    }
    assert.equal(s.daemon.descriptors(), descriptors);
});

story('a storm of clients that come and vanish ends at zero', { seconds: 120 }, async (s) => {
    await start(s, { server: { workers: 4 }, 'subprotocol native': { controller: 'chat', topic: 'say', subscribe: 'news' } });
    let n = 0;
    const one = async () => {
        for (let i = 0; i < 12; i++) {
            const place = n++ % 4;
            const client = n % 3 ? await xsocketsnet(s, { place }) : await native(s, { place });
            if (n % 3) for (const word of [jsEnvelope('chat', '1'), jsEnvelope('chat', '5', { T: '#', A: true }), jsEnvelope('chat', 'news', n), jsEnvelope('chat', 'say', BIG.slice(0, n % 5000))]) client.text(word);
            else client.text('said');
            if (n % 2) await client.next();
            await client.leave({ reset: n % 5 < 3 });
        }
    };
    await Promise.all(Array.from({ length: 24 }, one));
    await s.daemon.nobodyLeft();
});

story('a publish to clients of whom some vanish reaches the others', async (s) => {
    await start(s, { server: { workers: 4 } });
    const sender = await xsocketsnet(s, { open: 'generic' });
    const stay = [], go = [];
    for (let i = 0; i < 20; i++) (i % 2 ? stay : go).push(await xsocketsnet(s, { open: 'generic', place: i % 4 }));
    for (let i = 0; i < 10; i++) {
        sender.invoke('generic', 'say', i);
        go[i].leave({ reset: true });
    }
    for (const client of stay) for (let i = 0; i < 10; i++) await client.expect('generic', 'say', String(i));
});

story('half-closed clients are answered and then gone', async (s) => {
    await start(s);
    const line = await text(s, { open: 'echo' });
    line.line('echo|say|last');
    line.half();
    await line.expect('echo|say|"last"');
    await line.expectEnd();
    const client = await xsocketsnet(s, { open: 'echo' });
    client.invoke('echo', 'say', 'last');
    client.half();
    await client.expect('echo', 'say', '\\"last\\"');
    await client.until('the end', () => client.gone || undefined);
    await s.daemon.nobodyLeft();
});

story('online is right after a churn of clients on four workers', { seconds: 120 }, async (s) => {
    await start(s, { server: { workers: 4 } });
    const watcher = await xsocketsnet(s, { open: 'online', place: 3 });
    const present = new Set();
    let n = 0;
    const churn = async () => {
        for (let i = 0; i < 15; i++) {
            const client = await xsocketsnet(s, { open: 'online', place: n++ % 4, name: `churn ${n}` });
            present.add(client);
            if (n % 3 !== 0) {
                present.delete(client);
                if (n % 2) {
                    client.text('{"C":"online","T":"3"}');
                    if (n % 4 === 1) await client.leave();
                } else {
                    await client.leave({ reset: n % 4 === 0 });
                }
            }
        }
    };
    await Promise.all(Array.from({ length: 10 }, churn));
    const wanted = present.size + 1;
    for (;;) {
        const { T, D } = JSON.parse(await watcher.nextText());
        assert.equal(T, 'online');
        if (D === String(wanted)) break;
    }
    // And it stays so: all have been seen to come and go.
    watcher.text('{"C":"online","T":"who","N":1}');
    for (;;) {
        const { T, D } = JSON.parse(await watcher.nextText());
        if (T !== 'who') continue;
        assert.equal(JSON.parse(D).count, wanted);
        break;
    }
});

story('at the bound of file descriptors nobody who is connected is dropped, and who waits comes in when others leave', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2 } }, { before: ['prlimit', '--nofile=100:100'] });
    await s.daemon.logged(/connections/i);
    const served = [], waiting = [];
    const greet = (one) => { one.send('PuttyProtocol\r\n'); return one; };
    for (let i = 0; i < 120; i++) {
        const one = greet(new Stream(s, s.daemon.at(), 'crowd'));
        await one.connected;
        waiting.push(one);
    }
    const { total } = await s.daemon.statsUntil('the reserve was reached', (now) => now.accept_paused >= 1);
    assert.equal(total?.accept_errors ?? 0, 0);
    assert.ok(s.daemon.descriptors() <= 100);
    // Who is in is served.
    const inside = (await Promise.all(waiting.map(async (one) => ({ one, in: one.buffer.length > 0 || one.received > 0 })))).filter((each) => each.in).map((each) => each.one);
    for (const one of inside) {
        await one.expectExactly('Welcome to PuttyProtocol\r\n');
        served.push(one);
    }
    assert.ok(served.length >= 20, `${served.length} served`);
    for (const one of served) one.send('echo|say|1\r\n');
    for (const one of served) await one.takeUntil('echo|say|1\r\n');
    assert.ok(served.every((one) => !one.gone));
    // They leave, and everybody else gets in.
    for (const one of served) await one.leave();
    const rest = waiting.filter((one) => !served.includes(one));
    for (const one of rest) {
        await one.expectExactly('Welcome to PuttyProtocol\r\n');
        await one.leave();
    }
    await s.daemon.nobodyLeft();
});

story('at the bound of file descriptors the daemon does not spin', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2 } }, { before: ['prlimit', '--nofile=64:64'] });
    const { readFileSync } = await import('node:fs');
    const ticks = () => { const parts = readFileSync(`/proc/${s.daemon.pid}/stat`, 'utf8').split(') ')[1].split(' '); return Number(parts[11]) + Number(parts[12]); };
    const crowd = [];
    for (let i = 0; i < 80; i++) {
        const one = new Stream(s, s.daemon.at(), 'crowd');
        one.send('PuttyProtocol\r\n');
        await one.connected;
        crowd.push(one);
    }
    await s.daemon.statsUntil('the reserve was reached', (now) => now.accept_paused >= 1);
    const client = crowd.find((one) => one.received > 0);
    await client.expectExactly('Welcome to PuttyProtocol\r\n');
    // The clock of the daemon's own messages measures two seconds of waiting.
    client.send('clock|5|time\r\n');
    await client.takeUntil('clock|time|');
    const before = ticks();
    await client.takeUntil('clock|time|');
    await client.takeUntil('clock|time|');
    const used = ticks() - before;
    assert.ok(used < 100, `${used} ticks of 10 ms in two seconds`);
});
