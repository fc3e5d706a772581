// running - starts servers and the load generator, and ends every one of them.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { servers } from './servers.mjs';

const PATIENCE = 10_000; // ms for a server to start, or to end when asked to
const alive = new Set(), folders = new Set();
let closing = false;

export class Failure extends Error {}

// Whether endAll() has been called.
export const isClosing = () => closing;

function launch(command, options) {
    const child = spawn(command[0], command.slice(1), options);
    child.ended = new Promise((resolve) => {
        child.on('error', (error) => resolve(error.message));
        child.on('close', (code, signal) => resolve(code ?? signal));
    }).finally(() => alive.delete(child));
    child.over = false;
    child.ended.then(() => { child.over = true; });
    alive.add(child);
    return child;
}

async function end(child) {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    await child.ended;
    clearTimeout(patience);
}

// For the last moments of the program: nothing is started any more.
export async function endAll() {
    closing = true;
    await Promise.all([...alive].map(end));
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
}

export function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

const answers = (port) => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
});

async function portOf(child, port, output) {
    const until = Date.now() + PATIENCE;
    while (Date.now() < until && !child.over) {
        const told = port ?? /^port (\d+)$/m.exec(output.text)?.[1];
        if (told && await answers(+told)) return +told;
        await pause(10);
    }
    return null;
}

// A server of its own for one turn, on a free port, in a folder of its own: { pid, port, over(), stop() }.
export async function startServer(turn, where, prefix) {
    if (closing) throw new Failure('interrupted');
    const server = servers[turn.server];
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-compare-'));
    folders.add(folder);
    const output = { text: '' };
    const port = server.tells ? null : await freePort();
    const environment = { ...process.env };
    const counters = turn.counted ? path.join(folder, 'mallocs') : null;
    if (counters) Object.assign(environment, { LD_PRELOAD: path.join(where.build, 'bench/mallocs.so'), XS_MALLOCS: counters });
    const child = launch([...prefix, ...server.command({ where, port, folder, settings: turn.settings })],
        { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (bytes) => { output.text = (output.text + bytes).slice(-4096); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = async () => {
        await end(child);
        fs.rmSync(folder, { recursive: true, force: true });
        folders.delete(folder);
    };
    const found = await portOf(child, port, output);
    if (found === null) {
        await stop();
        throw new Failure(`${server.title} does not start: ${output.text.trim() || await child.ended}`);
    }
    return { pid: child.pid, port: found, counters, over: () => child.over, output, stop };
}

// A client of the text protocol that has subscribed to so many topics which nobody publishes to.
export function subscribeToOthers(port, count) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1');
        let last = '';
        socket.on('error', reject);
        socket.on('close', () => reject(new Failure('the server closed the connection that holds the other topics')));
        socket.on('data', (bytes) => {
            last = (last + bytes).slice(-64);
            if (last.endsWith('chat|get_room|""\r\n')) resolve(socket);
        });
        socket.write('PuttyProtocol\r\n');
        for (let i = 0; i < count; i++) socket.write(`chat|subscribe|other/${i}\r\n`);
        socket.write('chat|get_room|\r\n');
    });
}

// Runs xsockets-bench; the line of JSON it prints, as an object.
export async function runTool(where, prefix, options) {
    if (closing) throw new Failure('interrupted');
    const child = launch([...prefix, path.join(where.build, 'bench/xsockets-bench'), ...options, '--json', '--quiet'],
        { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stdout.on('data', (bytes) => { out += bytes; });
    child.stderr.on('data', (bytes) => { err += bytes; });
    const code = await child.ended;
    if (code !== 0) throw new Failure(`${err.trim() || 'xsockets-bench'} (it ended with ${code})`);
    return JSON.parse(out);
}
