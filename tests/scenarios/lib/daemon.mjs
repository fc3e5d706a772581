// daemon - the real xsocketsd with a configuration of its own in a folder of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = path.resolve(process.env.XSOCKETSD ?? path.join(root, 'build/dev/xsocketsd'));
export const modulePath = path.resolve(process.env.XSOCKETS_MODULES ?? path.join(path.dirname(binary), 'modules'));

const SANITIZER = /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w+Sanitizer/;

// A port that is free now, of the family of `host`.
export function freePort(host = '127.0.0.1') {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on('error', reject);
        server.listen(0, host, () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

// config/demo.ini for a daemon that reads it from another folder.
export function demoIni() {
    return fs.readFileSync(path.join(root, 'config/demo.ini'), 'utf8').replace('../clients/page', path.join(root, 'clients/page'));
}

export function folder() {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'xsocketsd-test-'));
}

// { server: {...}, 'endpoint main': {...} } as an ini file; a list becomes lines of the same key.
export function iniOf(sections) {
    return Object.entries(sections).filter(([, keys]) => keys).map(([section, keys]) =>
        [`[${section}]`, ...Object.entries(keys).filter(([, value]) => value !== undefined && value !== null)
            .map(([key, value]) => `${key} = ${Array.isArray(value) ? value.join(', ') : value}`), ''].join('\n')).join('\n');
}

const SERVED = ['generic', 'chat', 'echo', 'demo', 'clock', 'online'];

// The usual sections; what the caller gives goes over them, key by key; `null` for a section leaves it out.
export function configuration(sections, port) {
    const usual = {
        server: { workers: 2, module_path: modulePath, test_hooks: 'yes', drain_timeout: '5s' },
        log: { level: 'debug' },
        'endpoint main': { address: '127.0.0.1', port },
        'subprotocol native': { controller: 'generic', topic: 'say' },
        'subprotocol demo': { controller: 'demo' },
        'protocol len16': {},
        ...Object.fromEntries(SERVED.map((name) => [`controller ${name}`, {}])),
        'controller demo': { module: 'foo' },
    };
    for (const [name, keys] of Object.entries(sections))
        usual[name] = keys === null ? null : { ...usual[name], ...keys };
    return iniOf(usual);
}

class Daemon {
    constructor(story, where) {
        Object.assign(this, where); // dir, file, port
        this.story = story;
        this.out = '';
        this.log = '';
        this.waiters = new Set();
        this.stats_ = [];
        this.ended = null; // { code, signal }
    }

    launch(args, { env = {}, before = [] } = {}) {
        const [command, ...rest] = [...before, binary, ...args];
        this.child = spawn(command, rest, {
            stdio: ['ignore', 'pipe', 'pipe'],
            env: {
                ...process.env,
                ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1',
                UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
                TSAN_OPTIONS: 'halt_on_error=0:second_deadlock_stack=1',
                ...env,
            },
        });
        this.pid = this.child.pid;
        let rest_ = '';
        this.child.stdout.on('data', (bytes) => {
            this.out = (this.out + bytes).slice(-65536);
            rest_ += bytes;
            for (let at; (at = rest_.indexOf('\n')) >= 0; rest_ = rest_.slice(at + 1)) {
                const line = rest_.slice(0, at);
                if (line.startsWith('{')) this.stats_.push(JSON.parse(line));
            }
            this.wake();
        });
        this.child.stderr.on('data', (bytes) => { this.log += bytes; this.wake(); });
        this.exit = new Promise((resolve) => {
            this.child.on('error', (error) => { this.ended = { code: null, signal: error.message }; });
            this.child.on('close', (code, signal) => {
                this.ended ??= { code, signal };
                this.wake();
                resolve(this.ended);
            });
        });
    }

    wake() {
        for (const waiter of [...this.waiters]) waiter();
    }

    until(what, look) {
        return new Promise((resolve, reject) => {
            const attempt = () => {
                let found;
                try {
                    found = look();
                    if (found === undefined && this.ended)
                        throw new Error(`the daemon ended (${this.ended.code ?? this.ended.signal}) before ${what}`);
                } catch (error) {
                    this.waiters.delete(attempt);
                    reject(error);
                    return true;
                }
                if (found === undefined) return false;
                this.waiters.delete(attempt);
                resolve(found);
                return true;
            };
            if (!attempt()) this.waiters.add(attempt);
        });
    }

    // Where clients go: this daemon's endpoint `main`.
    at() {
        return { port: this.port, host: '127.0.0.1' };
    }

    // A line of the log that matches, from `since` on (a length of the log seen earlier).
    logged(pattern, since = 0) {
        return this.until(`${pattern} in the log`, () => pattern.exec(this.log.slice(since)) ?? undefined);
    }

    signal(name) {
        if (name === 'SIGTERM' || name === 'SIGINT') this.told = true;
        this.child.kill(name);
    }

    // The USR1 line: { workers: [...], total: {...} }. One question at a time: two signals may become one.
    stats() {
        const ask = () => {
            this.signal('SIGUSR1');
            return this.until('the USR1 line', () => this.stats_.shift());
        };
        this.asking = (this.asking ?? Promise.resolve()).then(ask, ask);
        return this.asking;
    }

    // Asks again and again, a hundred times a second, until the total satisfies.
    async statsUntil(what, satisfied) {
        for (;; await pause(10)) {
            const { total } = await this.stats();
            this.last = total;
            this.wanted = what;
            if (satisfied(total)) {
                this.wanted = undefined;
                return total;
            }
        }
    }

    // All that clients cost is given back.
    async nobodyLeft() {
        const gauges = ['connections', 'sockets', 'sniffing', 'instances', 'subscriptions', 'messages', 'encoded',
            'queued_bytes', 'queued_entries', 'held_bytes', 'inbox_messages', 'letters_waiting', 'stalled', 'file_requests', 'files_open'];
        const total = await this.statsUntil('all gauges at zero', (now) => gauges.every((name) => now[name] === 0));
        for (const name of gauges) assert.equal(total[name], 0, name);
        return total;
    }

    descriptors() {
        return fs.readdirSync(`/proc/${this.pid}/fd`).length;
    }

    // TERM, unless it was sent already, and the end: exit code 0 and nothing from a sanitizer.
    async stop() {
        if (!this.ended && !this.told) this.signal('SIGTERM');
        const { code, signal } = await this.exit;
        this.clean();
        assert.equal(code, 0, `exit ${code ?? signal} instead of 0`);
    }

    clean() {
        assert.ok(!SANITIZER.test(this.log), `a sanitizer spoke:\n${this.log.slice(this.log.search(SANITIZER)).slice(0, 6000)}`);
    }

    transcript() {
        const wanted = this.wanted ? `\n  still waiting for: ${this.wanted}; last: ${JSON.stringify(this.last)}` : '';
        return `[daemon ${this.pid}${this.ended ? `, ended ${this.ended.code ?? this.ended.signal}` : ''}]${wanted}\n`
            + this.log.split('\n').filter((line) => !line.includes('connection state')).join('\n').slice(-4000).replace(/^/gm, '  ');
    }

    async end(failed) {
        try {
            if (failed && !this.ended) this.child.kill('SIGKILL');
            if (!failed && !this.expectedEnd) await this.stop();
            await this.exit;
            this.clean();
        } finally {
            if (!this.ended) this.child.kill('SIGKILL');
            fs.rmSync(this.dir, { recursive: true, force: true });
        }
    }
}

// Starts a daemon and waits until it serves. sections: see configuration(); ini: a whole text instead, as a function of
// { dir, port }; args, portArgs(port): behind -c FILE; before: a command in front (prlimit ...). The story's clients go to it.
export async function start(story, sections = {}, { ini, args = [], before = [], env, portArgs = () => [] } = {}) {
    for (let attempt = 0; ; attempt++) {
        const dir = folder();
        const port = await freePort();
        const file = path.join(dir, 'server.ini');
        const given = typeof sections === 'function' ? sections({ dir, port }) : sections;
        fs.writeFileSync(file, ini ? ini({ dir, port }) : configuration(given, port));
        const daemon = new Daemon(story, { dir, file, port });
        daemon.launch(['-c', file, ...args, ...portArgs(port)], { env, before });
        try {
            await daemon.until('it was ready', () => /(^|[\s"=])ready([\s".]|$)/m.test(daemon.log + daemon.out) || undefined);
        } catch (error) {
            // Somebody else took the port in the meantime.
            fs.rmSync(dir, { recursive: true, force: true });
            if (daemon.ended?.code === 73 && attempt < 5) continue;
            error.message += `\n${daemon.transcript()}`;
            throw error;
        }
        story.daemon ??= daemon;
        return story.join(daemon);
    }
}

// Runs the program to its end: { code, signal, out, err }. It should end by itself and is ended after `ms` otherwise.
export function run(args, { env = {}, input, ms = 15000 } = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(binary, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
        let out = '', err = '';
        child.stdout.on('data', (bytes) => { out += bytes; });
        child.stderr.on('data', (bytes) => { err += bytes; });
        child.on('error', reject);
        const late = setTimeout(() => child.kill('SIGKILL'), ms);
        child.on('close', (code, signal) => {
            clearTimeout(late);
            resolve({ code, signal, out, err });
        });
        if (input !== undefined) child.stdin.end(input);
    });
}
