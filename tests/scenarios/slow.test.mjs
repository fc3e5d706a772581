// Slow readers: they are ended, nobody else notices, and memory stays bounded.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { jsEnvelope, text, xsocketsnet } from './lib/clients.mjs';
import { encode, PONG, CLOSE } from './lib/frames.mjs';

const BIG = 'x'.repeat(60000);
const subscribed = async (client) => {
    client.subscribe('chat', 'flood', true);
    assert.match(await client.nextText(), /__flood/);
};

// Publishes one after the other, each once the reader has had the last: until the daemon has given up on somebody, or n.
async function publish(sender, reader, n, done = () => false) {
    for (let i = 0; i < n && !done(); i++) {
        sender.invoke('chat', 'flood', `${i} ${BIG}`);
        const { D } = JSON.parse(await reader.nextText());
        assert.equal(JSON.parse(D), `${i} ${BIG}`);
    }
}

for (const place of [0, 1]) {
    story(`who reads nothing is ended and counted, and the others get everything (worker ${place})`, { seconds: 90 }, async (s) => {
        await start(s, { server: { queue_bytes: '256KiB', workers: 2 } });
        const sender = await xsocketsnet(s, { open: 'chat', place: 0 });
        const reader = await xsocketsnet(s, { open: 'chat', place });
        const slow = await xsocketsnet(s, { open: 'chat', place });
        await subscribed(reader);
        await subscribed(slow);
        slow.pause();
        await publish(sender, reader, 400);
        const total = await s.daemon.statsUntil('the slow one gone', (now) => now.slow_closed + now.slow_reset === 1);
        assert.equal(total.slow_reset, 1);
        await publish(sender, reader, 3);
        slow.resume();
        await slow.until('the end', () => slow.gone || undefined);
        await sender.leave();
        await reader.leave();
        await s.daemon.nobodyLeft();
    });
}

story('who begins to read again within a second is told 1008', { seconds: 90 }, async (s) => {
    await start(s, { server: { queue_bytes: '256KiB', workers: 1 } });
    const sender = await xsocketsnet(s, { open: 'chat' });
    const reader = await xsocketsnet(s, { open: 'chat' });
    const slow = await xsocketsnet(s, { open: 'chat' });
    await subscribed(reader);
    await subscribed(slow);
    slow.pause();
    let given = false;
    s.daemon.logged(/does not read|SLOW|slow/).then(() => { given = true; slow.resume(); }, () => {});
    const watch = async () => {
        for (let i = 0; i < 400 && !given; i++) {
            await publish(sender, reader, 1);
            const { total } = await s.daemon.stats();
            // Its queue was dropped, and it has a second from now.
            if (i > 20 && total.subscriptions === 1) {
                given = true;
                slow.resume();
            }
        }
    };
    await watch();
    for (let frame; (frame = await slow.next()).opcode !== CLOSE;) assert.ok(frame.payload.length > 60000);
    await slow.until('the end', () => slow.gone || undefined);
    const { total } = await s.daemon.stats();
    assert.equal(total.slow_closed + total.slow_reset, 1);
});

story('too many small messages are a slow reader as well', { seconds: 90 }, async (s) => {
    await start(s, { server: { queue_bytes: '64MiB', queue_messages: 50, workers: 1 } });
    const sender = await xsocketsnet(s, { open: 'chat' });
    const reader = await text(s, { open: 'chat' });
    const slow = await text(s, { open: 'chat' });
    for (const line of [reader, slow]) {
        line.line('chat|subscribe|flood');
        line.line('chat|get_room|');
        await line.expect('chat|get_room|""');
    }
    slow.pause();
    for (let i = 0; i < 600; i++) {
        sender.invoke('chat', 'flood', `${i} ${BIG}`);
        await reader.expect(`chat|flood|"${i} ${BIG}"`);
    }
    await s.daemon.statsUntil('the slow one gone', (now) => now.slow_closed + now.slow_reset === 1);
});

story('who asks without reading the answers is read no more, and ended after slow_timeout', { seconds: 90 }, async (s) => {
    await start(s, { server: { queue_bytes: '256KiB', workers: 1 }, 'endpoint main': { slow_timeout: '700ms' } });
    const greedy = await xsocketsnet(s, { open: 'echo' });
    const other = await xsocketsnet(s, { open: 'echo' });
    greedy.pause();
    const frame = encode({ payload: jsEnvelope('echo', 'say', BIG) });
    let ended = false;
    greedy.socket.once('close', () => { ended = true; });
    const asking = (async () => { for (let i = 0; i < 1000 && !ended; i++) await Promise.race([greedy.send(frame), new Promise((resolve) => greedy.socket.once('close', resolve))]); })();
    await s.daemon.statsUntil('reading stopped', (total) => total.reads_paused >= 1);
    assert.ok((await s.daemon.stats()).total.queued_bytes < 2 * 1024 * 1024);
    other.invoke('echo', 'say', 1);
    await other.expect('echo', 'say', '1');
    await s.daemon.statsUntil('the greedy one gone', (total) => total.slow_closed + total.slow_reset === 1);
    await other.barrier();
    greedy.resume();
    await greedy.leave({ reset: true });
    await asking;
    await other.leave();
    await s.daemon.nobodyLeft();
});

story('who stops reading for a while and goes on in time loses nothing', { seconds: 90 }, async (s) => {
    await start(s, { server: { queue_bytes: '256KiB', workers: 1 }, 'endpoint main': { slow_timeout: '60s' } });
    const client = await xsocketsnet(s, { open: 'echo' });
    client.pause();
    const count = 300;
    const asking = (async () => { for (let i = 0; i < count; i++) await client.send(encode({ payload: jsEnvelope('echo', 'say', `${i} ${BIG}`) })); })();
    await s.daemon.statsUntil('reading stopped', (total) => total.reads_paused >= 1);
    client.resume();
    for (let i = 0; i < count; i++) await client.expect('echo', 'say', `\\"${i} ${BIG}\\"`);
    await asking;
});

story('a flood of pings from who does not read costs no more than a few answers', { seconds: 90 }, async (s) => {
    await start(s, { server: { workers: 1 }, 'endpoint main': { slow_timeout: '60s' } });
    const client = await xsocketsnet(s, { open: 'echo' });
    client.pause();
    const pings = Buffer.concat(Array.from({ length: 5000 }, () => encode({ opcode: 9, payload: Buffer.alloc(125, 'p') })));
    for (let i = 0; i < 20; i++) {
        client.send(pings);
        assert.ok((await s.daemon.stats()).total.queued_bytes < 2 * 1024 * 1024);
    }
    client.resume();
    const { payload } = await client.next();
    assert.equal(payload.length, 125);
    await client.leave({ reset: true });
    await s.daemon.nobodyLeft();
});

story('many slow readers together stay under the bound of the process', { seconds: 120 }, async (s) => {
    const bound = 2 * 1024 * 1024;
    await start(s, { server: { queue_bytes: '1MiB', max_queued_bytes: '2MiB', workers: 2 } });
    const sender = await xsocketsnet(s, { open: 'chat', place: 0 });
    const reader = await xsocketsnet(s, { open: 'chat', place: 1 });
    await subscribed(reader);
    const slow = [];
    for (let i = 0; i < 12; i++) {
        const client = await xsocketsnet(s, { open: 'chat', place: i % 2 });
        await subscribed(client);
        client.pause();
        slow.push(client);
    }
    let most = 0;
    for (let i = 0; i < 300; i++) {
        await publish(sender, reader, 1);
        const { total } = await s.daemon.stats();
        most = Math.max(most, total.queued_bytes);
        if (total.slow_closed + total.slow_reset === slow.length) break;
    }
    assert.ok(most <= bound + 300 * 1024, `${most} bytes were queued`);
    await publish(sender, reader, 3);
    for (const client of slow) client.leave({ reset: true });
    await sender.leave();
    await reader.leave();
    await s.daemon.nobodyLeft();
});

story('one message larger than the bound is delivered to an empty queue', async (s) => {
    await start(s, { server: { queue_bytes: '64KiB' } });
    const sender = await xsocketsnet(s, { open: 'chat', place: 0 });
    const reader = await xsocketsnet(s, { open: 'chat', place: 1 });
    await subscribed(reader);
    const word = 'y'.repeat(900000);
    sender.invoke('chat', 'flood', word);
    await reader.expect('chat', 'flood', `\\"${word}\\"`);
});
