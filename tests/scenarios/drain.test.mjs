// Stopping: everybody is told, what is queued arrives, and it ends in time.
import assert from 'node:assert/strict';
import { start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { Stream, raw } from './lib/stream.mjs';
import { demo, native, text, xsocketsnet } from './lib/clients.mjs';
import { CLOSE } from './lib/frames.mjs';

for (const signal of ['SIGTERM', 'SIGINT']) {
    story(`${signal} tells each client in its own way and exits 0`, async (s) => {
        await start(s, { server: { workers: 4 } });
        const spoken = await xsocketsnet(s, { open: 'generic', place: 0 });
        const silent = await xsocketsnet(s, { place: 1 });
        const plain = await native(s, { place: 2 });
        const own = await demo(s, { controller: 'demo', place: 3 });
        const line = await text(s, { open: 'generic', place: 1 });
        const nobody = await raw(s);
        s.daemon.signal(signal);
        await Promise.all([
            spoken.expectClose(1001),
            plain.expectClose(1001),
            own.expectClose(1001),
            silent.until('the end', () => silent.gone || undefined),
            line.expectEnd(),
            nobody.expectEnd(),
        ]);
        assert.equal(silent.frames.length + silent.buffer.length, 0);
        await s.daemon.stop();
    });
}

story('what is queued when the stop comes arrives before the goodbye', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2, queue_bytes: '64MiB', drain_timeout: '30s' } });
    const sender = await xsocketsnet(s, { open: 'chat', place: 0 });
    const reader = await xsocketsnet(s, { open: 'chat', place: 1 });
    const line = await text(s, { open: 'chat', place: 1 });
    reader.subscribe('chat', 'flood', true);
    assert.match(await reader.nextText(), /__flood/);
    line.line('chat|subscribe|flood');
    line.line('chat|get_room|');
    await line.expect('chat|get_room|""');
    reader.pause();
    line.pause();
    const word = 'z'.repeat(50000), count = 300;
    for (let i = 0; i < count; i++) await sender.invoke('chat', 'flood', `${i} ${word}`);
    await s.daemon.statsUntil('queued', (total) => total.queued_bytes > 1000000 && total.messages_in >= count + 5);
    await sender.barrier();
    s.daemon.signal('SIGTERM');
    await sender.expectClose(1001);
    reader.resume();
    line.resume();
    for (let i = 0; i < count; i++) {
        await reader.expect('chat', 'flood', `\\"${i} ${word}\\"`);
        await line.expect(`chat|flood|"${i} ${word}"`);
    }
    await reader.expectClose(1001);
    await line.expectEnd();
    await s.daemon.stop();
});

story('who waits in the backlog when the stop comes is still answered', async (s) => {
    await start(s, { server: { workers: 4 } });
    const client = await text(s, { open: 'generic' });
    s.daemon.signal('SIGSTOP');
    const waiting = [];
    for (let i = 0; i < 60; i++) {
        const one = await raw(s);
        one.send('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        waiting.push(one);
    }
    s.daemon.signal('SIGTERM');
    s.daemon.signal('SIGCONT');
    for (const one of waiting) {
        assert.match((await one.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 (200|503) /);
        await one.until('the end', () => one.gone || undefined);
        assert.equal(one.error, null);
    }
    await client.expectEnd();
    await s.daemon.stop();
    const late = new Stream(s, s.daemon.at(), 'late');
    assert.equal(await late.connected, false);
    assert.equal(late.error.code, 'ECONNREFUSED');
});

story('a health check says 503 on a connection that was there before', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 1, queue_bytes: '64MiB', drain_timeout: '30s' } });
    const sender = await xsocketsnet(s, { open: 'chat' });
    const reader = await xsocketsnet(s, { open: 'chat' });
    reader.subscribe('chat', 'flood', true);
    await reader.nextText();
    reader.pause();
    for (let i = 0; i < 300; i++) await sender.invoke('chat', 'flood', 'w'.repeat(50000));
    await sender.barrier();
    const check = await raw(s);
    check.send('GET /healthz HTTP/1.1\r\nHo');
    await sender.barrier();
    s.daemon.signal('SIGTERM');
    await sender.expectClose(1001);
    check.send('st: x\r\nConnection: close\r\n\r\n');
    assert.match((await check.takeUntil('\r\n\r\n')).toString(), /^HTTP\/1\.1 503 /);
    reader.resume();
    for (let frame; (frame = await reader.next()).opcode !== CLOSE;);
    await reader.leave();
    await s.daemon.stop();
});

story('a second signal ends at once', { seconds: 60 }, async (s) => {
    await start(s, { server: { workers: 2, queue_bytes: '64MiB', drain_timeout: '1h' }, 'endpoint main': { slow_timeout: '1h' } });
    const sender = await xsocketsnet(s, { open: 'chat' });
    const reader = await xsocketsnet(s, { open: 'chat' });
    reader.subscribe('chat', 'flood', true);
    await reader.nextText();
    reader.pause();
    for (let i = 0; i < 300; i++) await sender.invoke('chat', 'flood', 'w'.repeat(50000));
    await sender.barrier();
    s.daemon.signal('SIGTERM');
    await sender.expectClose(1001);
    assert.equal(s.daemon.ended, null);
    const began = Date.now();
    s.daemon.signal('SIGTERM');
    const { code, signal } = await s.daemon.exit;
    assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`);
    assert.equal(signal, null);
    assert.ok(code === 0 || code === 1, `exit ${code}`);
    s.daemon.expectedEnd = true;
});

story('with 1,000 clients of which 10 do not read, the end comes in time and every reader gets all that was queued', { seconds: 240 }, async (s) => {
    const drain = 3000;
    await start(s, { server: { workers: 2, queue_bytes: '8MiB', queue_messages: 100000, max_queued_bytes: '1GiB', drain_timeout: `${drain}ms` }, 'endpoint main': { slow_timeout: '1h' } });
    const readers = [], deaf = [];
    for (let i = 0; i < 1000; i += 50) {
        const some = await Promise.all(Array.from({ length: 50 }, (_, k) => xsocketsnet(s, { open: 'chat', name: `reader ${i + k}` })));
        readers.push(...some);
    }
    for (const client of readers) client.subscribe('chat', 'flood', true);
    for (const client of readers) assert.match(await client.nextText(), /__flood/);
    deaf.push(...readers.splice(0, 10));
    for (const client of deaf) {
        client.subscribe('chat', 'deaf', true);
        assert.match(await client.nextText(), /__deaf/);
        client.pause();
    }
    const sender = await xsocketsnet(s, { open: 'chat' });
    // More than the kernel takes for the ten, so that something is queued for them.
    const big = 'b'.repeat(100000), word = 'w'.repeat(200), count = 20;
    await s.daemon.statsUntil('queued for the ten', (total) => {
        sender.invoke('chat', 'deaf', big);
        return total.queued_bytes > 4000000;
    });
    for (let i = 0; i < count; i++) sender.invoke('chat', 'flood', `${i} ${word}`);
    await sender.barrier();
    const began = Date.now();
    s.daemon.signal('SIGTERM');
    await Promise.all(readers.map(async (client) => {
        for (let i = 0; i < count; i++) await client.expect('chat', 'flood', `\\"${i} ${word}\\"`);
        await client.expectClose(1001);
    }));
    await sender.expectClose(1001);
    const { code } = await s.daemon.exit;
    assert.equal(code, 0);
    assert.ok(Date.now() - began <= drain + 1000, `${Date.now() - began} ms`);
});
