// Signals at the wrong moment, and names that come and go in the file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { configuration, folder, start } from './lib/daemon.mjs';
import { build } from './lib/module.mjs';
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
    staller.text(jsEnvelope('brief', 'stall'));
    await pauseUntilStalled(daemon, staller);
    const since = daemon.log.length;
    fs.writeFileSync(daemon.file, configuration({ ...usual, server: { ...usual.server, workers: 3 }, 'endpoint main': { max_connections: 100 } }, daemon.port));
    daemon.signal('SIGHUP');
    await daemon.logged(/workers\S* is not changed by a reload/, since);
    fs.writeFileSync(daemon.file, configuration({ ...usual, 'endpoint main': { max_connections: 1 } }, daemon.port));
    daemon.signal('SIGHUP');
    await daemon.until('both are taken', () => (daemon.log.slice(since).match(/the configuration is reloaded/g) ?? []).length === 2 || undefined);
    const second = new Stream(s, daemon.at(), 'second');
    await second.until('the end', () => second.gone || undefined);
    assert.equal((await daemon.stats()).total.refused_full, 1);
});

// The message that stalls is on its way into the handler: its connection has been read.
async function pauseUntilStalled(daemon, client) {
    await daemon.statsUntil('read', (total) => total.bytes_in >= client.sent);
}
