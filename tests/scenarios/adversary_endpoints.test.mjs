// Doors that others hold, and doors that many knock at.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { folder, iniOf, modulePath, run } from './lib/daemon.mjs';
import { story } from './lib/story.mjs';

story('a UNIX path whose owner accepts nobody any more is still its owner\'s', { seconds: 60 }, async () => {
    const dir = folder();
    const file = path.join(dir, 'taken.ini'), at = path.join(dir, 'sock');
    const owner = spawn(process.execPath, ['-e', `require('net').createServer().listen({ path: ${JSON.stringify(at)}, backlog: 1 }, () => console.log('up'))`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const sockets = [];
    try {
        await new Promise((resolve) => owner.stdout.once('data', resolve));
        owner.kill('SIGSTOP');
        // Until its backlog is full.
        let full = false;
        for (let i = 0; i < 50 && !full; i++) {
            const socket = net.connect(at);
            sockets.push(socket);
            full = await new Promise((resolve) => { socket.once('connect', () => resolve(false)); socket.once('error', () => resolve(true)); });
        }
        assert.ok(full, 'its backlog is full');
        fs.writeFileSync(file, iniOf({ server: { workers: 1, module_path: modulePath }, 'endpoint local': { address: `unix:${at}` } }));
        const { code, err } = await run(['-c', file]);
        assert.equal(code, 73, err);
        assert.ok(fs.existsSync(at));
    } finally {
        for (const socket of sockets) socket.destroy();
        owner.kill('SIGKILL');
        fs.rmSync(dir, { recursive: true, force: true });
    }
});

story('more workers than can know of each other are refused by the file, not by an abort', async () => {
    const dir = folder();
    const file = path.join(dir, 'many.ini');
    fs.writeFileSync(file, iniOf({ server: { workers: 65, module_path: modulePath } }));
    const { code, err } = await run(['-t', '-c', file]);
    assert.equal(code, 78);
    assert.match(err, /workers/);
    fs.rmSync(dir, { recursive: true, force: true });
});
