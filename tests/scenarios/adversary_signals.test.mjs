// Signals at the wrong moment, and names that come and go in the file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { configuration, folder, start } from './lib/daemon.mjs';
import { build, gate } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { Stream, raw } from './lib/stream.mjs';
import { jsEnvelope, text, xsocketsnet } from './lib/clients.mjs';

function sections(more = {}) {
    const module = build('menace', folder());
    return {
        server: { workers: 4, drain_timeout: '3s' },
        'controller shy': { module }, 'controller crowd': { module }, 'controller brief': { module },
        ...more,
    };
}

story('of two reloads close behind each other the second file counts', { seconds: 60 }, async (s) => {
    const usual = sections();
    const daemon = await start(s, usual);
    const staller = await xsocketsnet(s, { place: 2 });
    staller.text(jsEnvelope('brief', '1'));
    await staller.opened('brief');
    // A worker that is held up cannot take the first file, so the second request comes while that is under way.
    const held = gate(folder());
    staller.text(jsEnvelope('brief', 'stall', held.path));
    await pauseUntilStalled(daemon, staller);
    const since = daemon.log.length;
    fs.writeFileSync(daemon.file, configuration({ ...usual, server: { ...usual.server, workers: 3 }, 'endpoint main': { max_connections: 100 } }, daemon.port));
    daemon.signal('SIGHUP');
    await daemon.logged(/workers\S* is not changed by a reload/, since);
    fs.writeFileSync(daemon.file, configuration({ ...usual, 'endpoint main': { max_connections: 1 } }, daemon.port));
    daemon.signal('SIGHUP');
    // (The report that follows a signal is written after that signal was seen; it asks no worker.)
    await daemon.stats();
    held.open();
    await daemon.until('both are taken', () => (daemon.log.slice(since).match(/the configuration is reloaded/g) ?? []).length === 2 || undefined);
    const second = new Stream(s, daemon.at(), 'second');
    await second.until('the end', () => second.gone || undefined);
    assert.equal((await daemon.stats()).total.refused_full, 1);
});

// The message that stalls is on its way into the handler: its connection has been read.
async function pauseUntilStalled(daemon, client) {
    await daemon.statsUntil('read', (total) => total.bytes_in >= client.sent);
}

story('a stop does not wait for whoever should read the report', { seconds: 60 }, async (s) => {
    const daemon = await start(s, { server: { workers: 4, drain_timeout: '3s' } });
    const client = await text(s, { open: 'echo' });
    daemon.child.stdout.pause();
    // Far more than a pipe holds. A signal that is pending already is one, so each waits until the one before was seen.
    for (let i = 0; i < 150; i++) {
        daemon.signal('SIGUSR1');
        client.line(`echo|say|${i}`);
        await client.expect(`echo|say|${i}`);
    }
    daemon.signal('SIGTERM');
    await client.expectEnd();
    // What the pipe holds is read only when the process has gone: it ends although nobody reads.
    await daemon.until('the end', () => daemon.child.exitCode ?? undefined).catch(() => {});
    const gone = new Promise((resolve) => { if (daemon.child.exitCode !== null) resolve(); else daemon.child.once('exit', resolve); });
    await gone;
    assert.equal(daemon.child.exitCode, 0);
    daemon.child.stdout.resume();
    await daemon.exit;
});

story('a shared controller hears that all have gone although the boxes are full when the stop comes', { seconds: 60 }, async (s) => {
    const usual = sections({ 'controller crowd': { module: build('menace', folder()), use: 'crowd' } });
    for (let place = 0; place < 4; place++) {
        const daemon = await start(s, { ...usual, server: { workers: 4, mailbox_letters: 16, drain_timeout: '10s' } });
        const at = daemon.at();
        const staller = await xsocketsnet(s, { at, place });
        staller.text(jsEnvelope('crowd', '1'));
        await staller.opened('crowd');
        const others = [];
        for (let i = 0; i < 12; i++) {
            const one = await xsocketsnet(s, { at, place: i % 4 });
            one.text(jsEnvelope('crowd', '1'));
            await one.opened('crowd');
            others.push(one);
        }
        const held = gate(folder());
        staller.text(jsEnvelope('crowd', 'stall', held.path));
        await daemon.statsUntil('read', (total) => total.bytes_in >= staller.sent + others.reduce((sum, one) => sum + one.sent, 0));
        for (const one of others) for (let i = 0; i < 100; i++) one.text(jsEnvelope('crowd', 'say', i));
        await daemon.statsUntil('full boxes', (total) => total.letters_waiting > 5);
        for (const one of [...others, staller]) await one.leave({ reset: true });
        daemon.signal('SIGTERM');
        await daemon.logged(/stopping: no new clients/);
        held.open();
        await daemon.exit;
        assert.equal(daemon.ended.code, 0);
        assert.doesNotMatch(daemon.log, /the crowd ends with|did not take what was sent/);
    }
});

story('a timer beyond every clock does not fire', async (s) => {
    const daemon = await start(s, sections({ 'controller crowd': null, 'controller shy': null, 'controller clock': null, 'controller online': null }));
    const client = await xsocketsnet(s, { query: { end: 'no' } });
    client.text(jsEnvelope('brief', '1'));
    await client.opened('brief');
    client.text('{"C":"brief","T":"never","N":5}');
    for (;;) if (JSON.parse(await client.nextText()).N === 5) break;
    // Another timer of the same client fires twenty times meanwhile.
    for (let ticks = 0; ticks < 20;) {
        const { T } = JSON.parse(await client.nextText());
        assert.notEqual(T, 'fired');
        if (T === 'timer') ticks++;
    }
});

story('a timeout that a reload brings holds for those who are here and had none', { seconds: 60 }, async (s) => {
    const usual = { server: { workers: 2 }, 'endpoint main': { idle_timeout: '0', heartbeat: '0' } };
    const daemon = await start(s, usual);
    const client = await xsocketsnet(s, { open: 'echo' });
    fs.writeFileSync(daemon.file, configuration({ ...usual, 'endpoint main': { idle_timeout: '300ms', heartbeat: '0' } }, daemon.port));
    daemon.signal('SIGHUP');
    await client.until('the end', () => client.gone || undefined);
    assert.equal((await daemon.stats()).total.idle_timeouts, 1);
});
