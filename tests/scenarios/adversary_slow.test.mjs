// Readers that are slow, and readers that only look so.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { jsEnvelope, xsocketsnet } from './lib/clients.mjs';
import { encode } from './lib/frames.mjs';

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
