#!/usr/bin/env node
// uneven - two workers, and all clients of one of them read nothing: does the other one's latency change?
//
//   bench/uneven.mjs [--build build/release] [--rounds 5] [--rate 5000]
//
// Clients of the first worker have their messages echoed at a fixed rate. In every other run the second
// worker's clients are flooded by a publisher of their own and take nothing, until they are cut off
// and come again. Prints the first worker's latencies of both kinds of run, medians of the rounds.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SLOW = 200;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const { values: asked } = parseArgs({
    options: { build: { type: 'string', default: path.join(root, 'build/release') }, rounds: { type: 'string', default: '5' },
        rate: { type: 'string', default: '5000' }, help: { type: 'boolean' } },
});
if (asked.help) {
    console.log('usage: bench/uneven.mjs [--build FOLDER] [--rounds N] [--rate MESSAGES_A_SECOND]');
    process.exit(0);
}
const build = path.resolve(asked.build);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'xsockets-uneven-'));

const freePort = () => new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
    });
});
const port = await freePort();
fs.writeFileSync(path.join(folder, 'server.ini'), `[server]
workers = 2
test_hooks = yes
module_path = ${path.join(build, 'modules')}
[log]
level = error
[endpoint main]
address = 127.0.0.1
port = ${port}
[controller echo]
[controller chat]
`);
const daemon = spawn(path.join(build, 'xsocketsd'), ['-c', path.join(folder, 'server.ini')], { stdio: ['ignore', 'pipe', 'inherit'] });
let line = '';
daemon.stdout.on('data', (bytes) => { line += bytes; });

async function counters() {
    line = '';
    daemon.kill('SIGUSR1');
    while (!line.includes('\n')) await pause(5);
    return JSON.parse(line).total;
}

// A client of the second worker that reads nothing after its greeting, and comes again when it is cut off.
function slow(state) {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PuttyProtocol?place=1\r\nchat|5|flood\r\n'));
    socket.on('data', () => socket.pause());
    socket.on('error', () => {});
    socket.on('close', () => { if (!state.over) setTimeout(() => { if (!state.over) slow(state); }, 50); });
    state.sockets.add(socket);
}

function flood(state) {
    const text = `chat|flood|${'x'.repeat(500)}\r\n`.repeat(20);
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PuttyProtocol?place=1\r\n'));
    socket.on('error', () => {});
    socket.resume();
    const more = () => { if (!state.over) { socket.write(text); setTimeout(more, 5); } };
    socket.once('data', more);
    state.sockets.add(socket);
}

function measure() {
    return new Promise((resolve, reject) => {
        const bench = spawn(path.join(build, 'bench/xsockets-bench'), ['echo', '--protocol', 'ws', '--subprotocol', 'XSocketsNET',
            '--path', '/?place=0', '--port', String(port), '--connections', '16', '--rate', asked.rate, '--duration', '3s', '--json',
            '--hello', '{"C":"echo","T":"1","D":"null"}', '--await', '"T":"2"',
            '--send', '{"C":"echo","T":"e","D":"\\\\"{payload}\\\\""}', '--expect', '{"C":"echo","T":"e","D":"\\\\"{payload}\\\\""}'],
        { stdio: ['ignore', 'pipe', 'inherit'] });
        let out = '';
        bench.stdout.on('data', (bytes) => { out += bytes; });
        bench.on('close', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`xsockets-bench ended with ${code}`))));
    });
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const runs = { even: [], uneven: [] };
try {
    await pause(300);
    for (let round = 0; round < Number(asked.rounds); round++) {
        runs.even.push(await measure());
        const state = { over: false, sockets: new Set() };
        const before = await counters();
        for (let i = 0; i < SLOW; i++) slow(state);
        flood(state);
        while ((await counters()).queued_bytes < 1e6) await pause(20);
        runs.uneven.push({ ...await measure(), cut: (await counters()).slow_closed + (await counters()).slow_reset - before.slow_closed - before.slow_reset });
        state.over = true;
        for (const socket of state.sockets) socket.destroy();
        while ((await counters()).connections > 0) await pause(20);
    }
    console.log(`| the second worker's clients | p50 us | p99 us | p99.9 us |\n|---|---|---|---|`);
    for (const [kind, said] of [['even', 'are not there'], ['uneven', `are ${SLOW} that read nothing, flooded`]])
        console.log(`| ${said} | ${['p50', 'p99', 'p999'].map((p) => median(runs[kind].map((run) => run.latency_us[p])).toFixed(0)).join(' | ')} |`);
    console.log(`cut off as too slow meanwhile: ${median(runs.uneven.map((run) => run.cut))} in a run`);
} finally {
    daemon.kill('SIGTERM');
    daemon.on('close', () => { fs.rmSync(folder, { recursive: true, force: true }); process.exit(); });
}
