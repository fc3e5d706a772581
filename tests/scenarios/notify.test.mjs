// What the service manager hears: READY, RELOADING, STOPPING, and WATCHDOG only while every worker turns.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { binary, configuration, folder, start } from './lib/daemon.mjs';
import { build, gate } from './lib/module.mjs';
import { story } from './lib/story.mjs';
import { jsEnvelope, xsocketsnet } from './lib/clients.mjs';

const tool = path.join(path.dirname(binary), 'tests/tools/notify_sink');

// Listens at a path of its own, or at an abstract name. words: what has come and nobody has asked for yet.
class Manager {
    constructor(at) {
        this.dir = folder();
        this.at = at ?? path.join(this.dir, 'notify');
        this.words = [];
        this.all = [];
        this.waiters = new Set();
        this.child = spawn(tool, [this.at], { stdio: ['pipe', 'pipe', 'inherit'] });
        let rest = '';
        this.child.stdout.on('data', (bytes) => {
            const lines = (rest + bytes).split('\n');
            rest = lines.pop();
            this.words.push(...lines);
            this.all.push(...lines);
            for (const waiter of [...this.waiters]) waiter();
        });
        this.gone = new Promise((resolve) => this.child.once('close', resolve));
    }

    // The next word that is not one of these.
    async next(...passed) {
        for (;;) {
            while (this.words.length === 0)
                await new Promise((resolve) => { const wake = () => { this.waiters.delete(wake); resolve(); }; this.waiters.add(wake); });
            const word = this.words.shift();
            if (!passed.includes(word)) return word;
        }
    }

    transcript() {
        return `[service manager]\n  ${this.all.join('\n  ')}`;
    }

    async end() {
        this.child.stdin.end();
        await this.gone;
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

async function manager(s, at) {
    const one = s.join(new Manager(at));
    assert.equal(await one.next(), 'bound');
    return one;
}

const BEAT = 'WATCHDOG=1';

for (const kind of ['a path', 'an abstract name']) {
    story(`the service manager hears of readiness, each reload and the stop (${kind})`, async (s) => {
        const listener = await manager(s, kind === 'a path' ? undefined : `@xsocketsd-test-${process.pid}`);
        const daemon = await start(s, {}, { env: { NOTIFY_SOCKET: listener.at, WATCHDOG_USEC: '', WATCHDOG_PID: '' } });
        assert.equal(await listener.next(), 'READY=1');
        daemon.signal('SIGHUP');
        assert.equal(await listener.next(), 'RELOADING=1');
        assert.equal(await listener.next(), 'READY=1');
        // A bad file changes nothing, and the reload is over all the same.
        fs.writeFileSync(daemon.file, '[server]\nnonsense = 1\n');
        daemon.signal('SIGHUP');
        assert.equal(await listener.next(), 'RELOADING=1');
        assert.equal(await listener.next(), 'READY=1');
        daemon.signal('SIGTERM');
        assert.equal(await listener.next(), 'STOPPING=1');
        await daemon.stop();
        assert.deepEqual(listener.words, []);
    });
}

story('the watchdog hears twice in its time that all workers turn', async (s) => {
    const listener = await manager(s);
    await start(s, {}, { env: { NOTIFY_SOCKET: listener.at, WATCHDOG_USEC: '200000' } });
    assert.equal(await listener.next(), 'READY=1');
    const began = Date.now();
    for (let i = 0; i < 10; i++) assert.equal(await listener.next(), BEAT);
    const passed = Date.now() - began;
    assert.ok(passed >= 800 && passed < 2000 + 200, `${passed} ms for ten`);
});

story('the watchdog does not hear of a daemon with one worker that stands still, until it goes on', async (s) => {
    const listener = await manager(s);
    const module = build('menace', listener.dir);
    const daemon = await start(s, { server: { workers: 4 }, 'controller brief': { module } },
        { env: { NOTIFY_SOCKET: listener.at, WATCHDOG_USEC: '200000' } });
    assert.equal(await listener.next(), 'READY=1');
    const client = await xsocketsnet(s, { place: 3 });
    client.text(jsEnvelope('brief', '1'));
    await client.opened('brief');
    const held = gate(listener.dir);
    const since = daemon.log.length;
    client.text(jsEnvelope('brief', 'stall', held.path));
    await daemon.logged(/a worker does not answer/, since);
    const before = listener.all.length;
    await daemon.until('it was silent three times', () =>
        (daemon.log.slice(since).match(/a worker does not answer/g) ?? []).length >= 3 || undefined);
    held.open();
    await daemon.logged(/controller brief took \d+ ms in a callback/, since);
    assert.ok(listener.all.length - before <= 1, 'told while a worker stood');
    listener.words.length = 0;
    assert.equal(await listener.next(), BEAT);
});

story('a watchdog that is meant for another process is none of ours', async (s) => {
    const listener = await manager(s);
    const daemon = await start(s, { 'endpoint main': { heartbeat: '50ms' } },
        { env: { NOTIFY_SOCKET: listener.at, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' } });
    const client = await xsocketsnet(s, { open: 'clock' });
    // Pings of the daemon are what time passes by: the watchdog would have spoken five times a ping.
    for (let i = 0; i < 5; i++) await client.expectPing();
    daemon.signal('SIGTERM');
    assert.equal(await listener.next(), 'READY=1');
    assert.equal(await listener.next(), 'STOPPING=1');
});

story('a service manager that has gone, or one whose name cannot be, hinders nothing', async (s) => {
    for (const at of ['/nonexistent/notify', 'relative', `/${'x'.repeat(200)}`, '@', '']) {
        const daemon = await start(s, {}, { env: { NOTIFY_SOCKET: at } });
        fs.writeFileSync(daemon.file, configuration({ 'endpoint main': { max_connections: 7 } }, daemon.port));
        daemon.signal('SIGHUP');
        await daemon.logged(/is reloaded/);
        await daemon.stop();
    }
});
