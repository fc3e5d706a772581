// HUP: a good file is taken while everybody stays, a bad one changes nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { configuration, start } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';
import { Stream } from './lib/stream.mjs';
import { Text, text, xsocketsnet } from './lib/clients.mjs';

// Writes another file and sends HUP; gives what the log says then.
async function reload(daemon, contents, pattern) {
    const since = daemon.log.length;
    fs.writeFileSync(daemon.file, contents);
    daemon.signal('SIGHUP');
    await daemon.logged(pattern, since);
    return daemon.log.slice(since);
}

story('a reload takes what is reloadable, for those who are here too, and nobody is dropped', async (s) => {
    const sections = { server: { workers: 4 }, limits: { message: '64KiB' } };
    const daemon = await start(s, sections);
    const client = await xsocketsnet(s, { open: 'echo', place: 2 });
    const line = await text(s, { open: 'generic', place: 3 });
    await reload(daemon, configuration({ ...sections, limits: { message: '1KiB', subscriptions: 16 }, 'endpoint main': { max_connections: 2 } }, daemon.port), /is reloaded/);
    line.line('generic|say|1');
    await line.expect('generic|say|1');
    client.invoke('echo', 'say', 'x'.repeat(500));
    await client.expect('echo', 'say', `\\"${'x'.repeat(500)}\\"`);
    const third = new Stream(s, daemon.at(), 'third');
    await third.until('the end', () => third.gone || undefined);
    client.invoke('echo', 'say', 'x'.repeat(5000));
    await client.expectClose(1009);
    assert.equal(daemon.ended, null);
});

story('what is not reloadable is named and stays', async (s) => {
    const sections = { server: { workers: 2 } };
    const daemon = await start(s, sections);
    const said = await reload(daemon, configuration({ server: { workers: 5, drain_timeout: '6s' }, 'endpoint main': { scope: 'elsewhere' } }, daemon.port), /is reloaded/);
    assert.match(daemon.log.slice(daemon.log.length - said.length), /workers/);
    assert.match(said, /scope/);
    assert.equal((await daemon.stats()).workers.length, 2);
    const one = await xsocketsnet(s, { open: 'generic' });
    const two = await text(s, { open: 'generic' });
    one.invoke('generic', 'say', 1);
    await two.expect('generic|say|1');
});

story('a bad file changes nothing and says where it is wrong', async (s) => {
    const daemon = await start(s, { 'endpoint main': { max_connections: 3 } });
    const client = await xsocketsnet(s, { open: 'echo' });
    const bad = configuration({ 'endpoint main': { max_connections: 1, prt: 5 } }, daemon.port);
    const said = await reload(daemon, bad, /prt/);
    assert.match(said, /server\.ini:\d+/);
    client.invoke('echo', 'say', 1);
    await client.expect('echo', 'say', '1');
    await xsocketsnet(s, { open: 'echo' });
    fs.rmSync(daemon.file);
    const since = daemon.log.length;
    daemon.signal('SIGHUP');
    await daemon.logged(/server\.ini/, since);
    await xsocketsnet(s, { open: 'echo' });
    // A good file again is taken.
    await reload(daemon, configuration({ 'endpoint main': { max_connections: 3 }, log: { level: 'info' } }, daemon.port), /is reloaded/);
    client.invoke('echo', 'say', 2);
    await client.expect('echo', 'say', '2');
});

story('many reloads under traffic lose nothing', { seconds: 60 }, async (s) => {
    const daemon = await start(s, { server: { workers: 4 } });
    const sender = await xsocketsnet(s, { open: 'generic', place: 0 });
    const receiver = await xsocketsnet(s, { open: 'generic', place: 3 });
    for (let i = 0; i < 200; i++) {
        sender.invoke('generic', 'say', i);
        if (i % 10 === 0) daemon.signal('SIGHUP');
        await receiver.expect('generic', 'say', String(i));
    }
    const { total } = await daemon.stats();
    assert.equal(total.connections, 2);
});

story('of many reloads right behind each other the last file counts', async (s) => {
    const daemon = await start(s, { server: { workers: 4 } });
    for (let i = 0; i < 40; i++) {
        fs.writeFileSync(daemon.file, configuration({ server: { workers: 4 }, 'endpoint main': { max_connections: i === 39 ? 1 : 1000 + i } }, daemon.port));
        daemon.signal('SIGHUP');
        // Another signal number in between, so that the next one is no part of this one.
        if (i % 3 === 0) await daemon.stats();
    }
    const first = await text(s);
    for (;;) {
        const next = new Text(s, daemon.at(), 'next');
        next.line('PuttyProtocol');
        await next.until('a welcome or the end', () => (next.gone || next.buffer.length > 0) || undefined);
        if (next.buffer.length === 0) break;
        await next.leave();
    }
    first.line('echo|say|1');
    await first.opened('echo');
});
