// A client that the daemon itself slows down by its pace is not slow: it gets all that was queued for it.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { json, xsocketsnet } from './lib/clients.mjs';

const ASKED = 100;
const ask = (i) => JSON.stringify({ C: 'echo', T: 'say', D: String(i) });
// 100 answers take at least two seconds at this pace, four times slow_timeout.
const slowly = { server: { workers: 1, queue_messages: 40 }, 'protocol json': { pace: '20ms' }, 'endpoint main': { slow_timeout: '500ms' } };

async function answers(client) {
    for (let i = 0; i < ASKED; i++) await client.expect('echo', 'say', String(i));
}

story('who asks for more than its pace lets through, and reads, gets every answer', { seconds: 60 }, async (s) => {
    await start(s, slowly);
    const client = await json(s, { open: 'echo' });
    client.send(Buffer.concat(Array.from({ length: ASKED }, (_, i) => client.wrap(ask(i)))));
    await answers(client);
    const { total } = await s.daemon.stats();
    assert.equal(total.slow_closed + total.slow_reset, 0);
});

story('who has said all there is to say still gets every answer at its pace', { seconds: 60 }, async (s) => {
    await start(s, { ...slowly, server: { workers: 1 } });
    const client = await json(s, { open: 'echo' });
    client.send(Buffer.concat(Array.from({ length: ASKED }, (_, i) => client.wrap(ask(i)))));
    client.half();
    await answers(client);
    await client.expectEnd({ reset: 'never' });
    await s.daemon.nobodyLeft();
});

async function queued(s, server) {
    await start(s, { ...slowly, server: { workers: 1, ...server } });
    const client = await json(s, { open: 'chat' });
    client.subscribe('chat', 'news', true);
    await client.next();
    const sender = await xsocketsnet(s, { open: 'chat' });
    for (let i = 0; i < ASKED; i++) sender.invoke('chat', 'news', String(i));
    await s.daemon.statsUntil('nearly all of it queued', (total) => total.queued_entries > ASKED - 30);
    s.daemon.signal('SIGTERM');
    return client;
}

story('a stop lets what is queued for a paced client come to its end', { seconds: 60 }, async (s) => {
    const client = await queued(s, { drain_timeout: '30s' });
    for (let i = 0; i < ASKED; i++) await client.expect('chat', 'news', String(i));
    await client.expectEnd({ reset: 'never' });
    await s.daemon.stop();
});

story('a stop waits for a paced client no longer than drain_timeout', { seconds: 60 }, async (s) => {
    const client = await queued(s, { drain_timeout: '100ms' });
    await s.daemon.stop();
    await client.until('the end', () => client.gone || undefined);
    const came = client.buffer.toString('latin1').split('\xff').length - 1;
    assert.ok(came < ASKED, `${came} came`);
});
