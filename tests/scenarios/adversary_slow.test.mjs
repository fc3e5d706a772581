// Readers that are slow, and readers that only look so.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { text, xsocketsnet } from './lib/clients.mjs';
import { PING, encode } from './lib/frames.mjs';

const subscribed = async (client) => {
    client.subscribe('chat', 'flood', true);
    assert.match(await client.nextText(), /__flood/);
};

story('who has read all that was sent is not slow, although its queue was full a moment ago', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 1, queue_bytes: '256KiB' } });
    const sender = await xsocketsnet(s, { open: 'chat' });
    const reader = await xsocketsnet(s, { open: 'chat' });
    await subscribed(reader);
    reader.pause();
    const word = 'x'.repeat(20000);
    let n = 0;
    await s.daemon.statsUntil('something queued, and room for one more', (total) => {
        if (total.queued_bytes > 150 * 1024) return true;
        sender.invoke('chat', 'flood', `${n++} ${word}`);
        return false;
    });
    await sender.barrier();
    const { total } = await s.daemon.stats();
    assert.equal(total.subscriptions, 1, 'still there');
    // The daemon sleeps while the reader takes what the kernel has and the sender sends more than the queue has room for.
    const held = total.queued_bytes;
    s.daemon.signal('SIGSTOP');
    reader.resume();
    const sent = total.bytes_out;
    assert.ok(held > 0 && sent > 0);
    let seen = 0;
    for (let i = 0; i + Math.ceil(held / (word.length + 40)) < n; i++, seen++) await reader.expect('chat', 'flood', `\\"${i} ${word}\\"`);
    const more = 10;
    for (let i = 0; i < more; i++) await sender.invoke('chat', 'flood', `${n + i} ${word}`);
    s.daemon.signal('SIGCONT');
    for (let i = seen; i < n + more; i++) await reader.expect('chat', 'flood', `\\"${i} ${word}\\"`);
    const { total: after } = await s.daemon.stats();
    assert.equal(after.slow_closed + after.slow_reset, 0);
});

// What is asked in a few bytes and answered in many, by who reads no answer.
const floods = {
    'lines for unknown controllers': { come: (s) => text(s), bytes: Buffer.from('a|b\n'.repeat(1 << 16)) },
    'the shortest pings of the text protocol': { come: (s) => text(s), bytes: Buffer.from('|7\n'.repeat(1 << 16)) },
    'lines that are none': { come: (s) => text(s), bytes: Buffer.from('x\n'.repeat(1 << 17)) },
    'envelopes for unknown controllers': { come: (s) => xsocketsnet(s), bytes: Buffer.concat(Array.from({ length: 1 << 13 }, () => encode({ payload: '{"C":"a","T":"b"}' }))) },
    'a controller asked for its name over and over': { come: (s) => xsocketsnet(s, { open: 'echo' }), bytes: Buffer.concat(Array.from({ length: 1 << 13 }, () => encode({ payload: '{"C":"echo","T":"b"}' }))) },
    'pings of RFC 6455': { come: (s) => xsocketsnet(s), bytes: Buffer.concat(Array.from({ length: 1 << 15 }, () => encode({ opcode: PING, payload: '' }))) },
};
for (const [what, { come, bytes }] of Object.entries(floods)) {
    story(`a flood of ${what}, unread, is answered no further than the bound`, { seconds: 60 }, async (s) => {
        const bound = 1000;
        await start(s, { server: { workers: 1, queue_messages: bound }, log: { level: 'info' }, 'endpoint main': { slow_timeout: '1s', idle_timeout: '0' } });
        const clients = [];
        for (let i = 0; i < 4; i++) {
            const client = await come(s);
            client.pause();
            clients.push(client);
        }
        let most = 0;
        const sent = clients.map((client) => Promise.race([client.send(Buffer.concat(Array(20).fill(bytes)), what), new Promise((resolve) => client.socket.once('close', resolve))]));
        await s.daemon.statsUntil('all were ended', (total) => {
            most = Math.max(most, total.queued_entries);
            return total.slow_closed + total.slow_reset === clients.length || what.startsWith('pings');
        });
        assert.ok(most <= 4 * (bound + 10), `${most} answers were queued`);
        for (const client of clients) await client.leave({ reset: true });
        await Promise.all(sent);
        await s.daemon.nobodyLeft();
    });
}

story('who sends many requests at once and reads gets every answer, in order', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 4, queue_messages: 10 } });
    const line = await text(s, { place: 1 });
    const count = 20000;
    line.send(Array.from({ length: count }, (_, i) => `echo|say|${i}\n`).join('') + 'online|who|\necho|say|last\n', 'many');
    const heard = [];
    await line.opened('echo');
    for (let i = 0; i < count; i++) await line.expect(`echo|say|${i}`);
    while (heard.at(-1) !== 'echo|say|"last"') heard.push(await line.next());
    const client = await xsocketsnet(s, { place: 2, open: 'echo' });
    client.send(Buffer.concat(Array.from({ length: count }, (_, i) => encode({ payload: `{"C":"echo","T":"say","D":"${i}"}` }))), 'many');
    for (let i = 0; i < count; i++) await client.expect('echo', 'say', String(i));
    // And who ends its half behind its requests as well.
    const last = await text(s, { place: 3 });
    last.send(Array.from({ length: count }, (_, i) => `echo|say|${i}\n`).join(''), 'many');
    last.half();
    await last.opened('echo');
    for (let i = 0; i < count; i++) await last.expect(`echo|say|${i}`);
    await last.expectEnd();
    await s.daemon.statsUntil('nobody but two', (total) => total.connections === 2);
});
