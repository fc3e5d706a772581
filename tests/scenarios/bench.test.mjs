// xsockets-bench: every mode and protocol against the real daemon, small and with exact counts, and against servers that
// lose, double, swap, change and close. No figure is judged here.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { binary, freePort, start } from './lib/daemon.mjs';
import { CLOSE, TEXT, acceptOf, closePayload, decode, encode } from './lib/frames.mjs';
import { story } from './lib/story.mjs';

const folder = process.env.XSOCKETS_BENCH ?? path.join(path.dirname(binary), 'bench');
const CLEAN = { lost: 0, twice: 0, order: 0, wrong: 0, closed: 0 };

function run(program, args) {
    return new Promise((resolve, reject) => {
        const child = spawn(path.join(folder, program), args, { stdio: ['ignore', 'pipe', 'pipe'] });
        let out = '', err = '';
        child.stdout.on('data', (bytes) => { out += bytes; });
        child.stderr.on('data', (bytes) => { err += bytes; });
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, out, err }));
    });
}

const bench = (...args) => run('xsockets-bench', args.map(String));

// A run that must not find anything wrong; gives its JSON.
async function clean(...args) {
    const { code, out, err } = await bench(...args, '--json');
    assert.equal(code, 0, `${args.join(' ')}: ${err}${out}`);
    assert.equal(err, '');
    const result = JSON.parse(out);
    assert.deepEqual(result.errors, CLEAN);
    assert.equal(result.stalled, false);
    return result;
}

const led = (controller) => ({ 'subprotocol native': controller === 'echo' ? { controller, topic: 'e' }
    : { controller, topic: 'news', subscribe: 'news' } });

// ---- the real daemon ----

const ECHOES = [['xsocketsnet'], ['xsocketsnet', '--object'], ['xsocketsnet', '--topics', 5], ['native'], ['native', '--object'],
    ['text'], ['text', '--topics', 5], ['mcu'], ['mcu', '--object']];

story('in every protocol each message of an echo comes back, however many are in flight and however large', { seconds: 120 }, async (s) => {
    const { port } = await start(s, led('echo'));
    for (const [protocol, ...more] of ECHOES) {
        for (const load of [['--connections', 3, '--count', 100], ['--connections', 5, '--in-flight', 16, '--count', 500],
            ['--connections', 2, '--in-flight', 3, '--size', '20KiB', '--count', 40]]) {
            const result = await clean('echo', '--port', port, '--protocol', protocol, ...more, ...load);
            assert.equal(result.messages, load.at(-1));
            assert.ok(result.per_second > 0);
        }
    }
});

const FANOUTS = [['xsocketsnet'], ['xsocketsnet', '--object'], ['native'], ['text'], ['mcu'], ['mixed'],
    ['xsocketsnet', '--publishers', 3], ['mixed', '--publishers', 12]];

story('in every protocol, and in all of them mixed, each subscriber gets each publish', { seconds: 120 }, async (s) => {
    const { port } = await start(s, led('chat'));
    for (const [protocol, ...more] of FANOUTS) {
        for (const load of [['--connections', 9, '--count', 30], ['--connections', 9, '--in-flight', 16, '--count', 200],
            ['--connections', 5, '--in-flight', 2, '--size', '20KiB', '--count', 20]]) {
            const result = await clean('fanout', '--port', port, '--protocol', protocol, ...more, ...load);
            assert.equal(result.messages, load[1] * load.at(-1));
        }
    }
});

story('messages of many topics come to the subscribers of each, and to nobody else', { seconds: 60 }, async (s) => {
    const { port } = await start(s, led('chat'));
    for (const protocol of ['xsocketsnet', 'text', 'mcu']) {
        // More topics than subscribers: each message has one subscriber.
        const one = await clean('fanout', '--port', port, '--protocol', protocol, '--connections', 4, '--topics', 40,
            '--in-flight', 4, '--count', 100);
        assert.equal(one.messages, 100);
        // Fewer: topic 0 has three, the others two.
        const some = await clean('fanout', '--port', port, '--protocol', protocol, '--connections', 7, '--topics', 3,
            '--in-flight', 4, '--count', 90);
        assert.equal(some.messages, 30 * 3 + 30 * 2 + 30 * 2);
    }
});

story('what the server packs is unpacked and compared all the same', { seconds: 60 }, async (s) => {
    const packs = { 'protocol websocket': { deflate: 'yes', deflate_min: '64B' } };
    const { port } = await start(s, { ...led('chat'), ...packs });
    for (const [protocol, ...more] of [['xsocketsnet'], ['native'], ['mixed'], ['xsocketsnet', '--publishers', 3]]) {
        for (const size of [64, 1000, '20KiB']) {
            const result = await clean('fanout', '--port', port, '--protocol', protocol, '--deflate', ...more, '--connections', 8,
                '--in-flight', 4, '--size', size, '--count', 200);
            assert.equal(result.messages, 1600);
            assert.equal(result.deflate, true);
            if (protocol !== 'mixed' && size !== 64) assert.ok(result.received_bytes_per_message < 500, `${result.received_bytes_per_message} bytes`);
        }
    }
    const plain = await clean('fanout', '--port', port, '--connections', 8, '--size', 1000, '--count', 20);
    assert.ok(plain.received_bytes_per_message > 1000);
    const echo = await clean('echo', '--port', port, '--deflate', '--connections', 3, '--in-flight', 8, '--size', '2KiB', '--count', 500);
    assert.ok(echo.received_bytes_per_message < 500, `${echo.received_bytes_per_message} bytes`);
});

test('a server that does not pack is told about to who wants it to', async () => {
    await against({ ws: true }, async ({ options }) => {
        const { code, err } = await bench('echo', ...options, '--deflate');
        assert.equal(code, 1);
        assert.match(err, /the server does not agree to permessage-deflate; server_no_context_takeover/);
    });
});

story('clients of every protocol connect, open, leave and come again', { seconds: 60 }, async (s) => {
    const { port } = await start(s, led('echo'));
    for (const protocol of ['xsocketsnet', 'native', 'text', 'mcu']) {
        const result = await clean('connect', '--port', port, '--protocol', protocol, '--connections', 4, '--count', 50);
        assert.equal(result.messages, 50);
        assert.ok(result.latency_us.min > 0 && result.latency_us.max >= result.latency_us.p99);
    }
    await s.daemon.nobodyLeft();
});

story('idle clients of every protocol are counted against the memory of the server', { seconds: 90 }, async (s) => {
    const { port } = await start(s, led('chat'));
    for (const protocol of ['xsocketsnet', 'native', 'text', 'mcu']) {
        const result = await clean('idle', '--port', port, '--protocol', protocol, '--connections', 100, '--server-pid', s.daemon.pid);
        assert.equal(result.messages, 99);
        assert.ok(result.resident > 0 && result.resident_before > 0 && result.resident_after > 0);
        assert.equal(result.bytes_per_connection, Math.round((result.resident - result.resident_before) / 99));
    }
    await s.daemon.nobodyLeft();
});

story('in an open loop everything that is due is sent, and its latency counts from then', { seconds: 60 }, async (s) => {
    const { port } = await start(s, led('chat'));
    const echo = await clean('echo', '--port', port, '--connections', 3, '--rate', 500, '--count', 100);
    assert.equal(echo.messages, 100);
    assert.equal(echo.rate, 500);
    // The last one is due 99 intervals of 2 ms after the first.
    assert.ok(echo.seconds >= 0.198, `${echo.seconds} s`);
    assert.ok(echo.latency_us.min > 0);
    const fanout = await clean('fanout', '--port', port, '--protocol', 'mixed', '--connections', 4, '--publishers', 2,
        '--rate', 500, '--count', 50);
    assert.equal(fanout.messages, 200);
    const connect = await clean('connect', '--port', port, '--connections', 4, '--rate', 200, '--count', 20);
    assert.equal(connect.messages, 20);
    assert.ok(connect.seconds >= 0.095, `${connect.seconds} s`);
});

story('with its process known the server is told about, and a run by time has a warm-up', { seconds: 60 }, async (s) => {
    const { port } = await start(s, led('echo'));
    const load = ['echo', '--port', port, '--connections', 4, '--in-flight', 4, '--duration', '300ms', '--warmup', '100ms',
        '--server-pid', s.daemon.pid];
    const result = await clean(...load);
    assert.ok(result.messages > 0 && result.seconds >= 0.3);
    assert.ok(result.server_user_us + result.server_system_us > 0);
    assert.ok(result.server_cpu > 0 && result.client_cpu > 0);
    assert.equal(typeof result.client_limited, 'boolean');
    assert.ok(result.latency_us.min <= result.latency_us.p50 && result.latency_us.p50 <= result.latency_us.p90
        && result.latency_us.p999 <= result.latency_us.max);
    const { code, out } = await bench(...load);
    assert.equal(code, 0);
    assert.match(out, /^xsocketsnet echo: 4 clients, 64 B, 4 in flight\n {2}rate {8}\S+( [kM])? messages\/s {3}\(\d+ in \d+\.\d\d s, each one checked\)\n/);
    assert.match(out, /\n {2}latency {5}p50 \S+ .s {3}p90 \S+ .s {3}p99 \S+ .s {3}p99\.9 \S+ .s {3}max \S+ .s\n {14}closed loop/);
    assert.match(out, /\n {2}client {6}\d+ % of a core\n {2}server {6}\d+ % of a core: \S+ us user and \S+ us system for each\n/);
    assert.match(out, /\n {2}memory {6}\S+ [KM]iB resident(, \S+ \S+ more for each connection)?\n {2}errors {6}none\n$/);
});

test('the yardstick is loaded with the same bytes', async () => {
    const limit = spawn(path.join(folder, 'limit'), ['--seconds', '60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
        const port = await new Promise((resolve) => limit.stdout.once('data', (line) => resolve(/^port (\d+)$/m.exec(line)[1])));
        const server = ['--port', port, '--server', 'limit'];
        for (const protocol of ['xsocketsnet', 'native']) {
            const options = [...server, '--protocol', protocol];
            assert.equal((await clean('echo', ...options, '--connections', 3, '--in-flight', 16, '--count', 300)).messages, 300);
            assert.equal((await clean('fanout', ...options, '--connections', 8, '--in-flight', 4, '--count', 50)).messages, 400);
            assert.equal((await clean('connect', ...options, '--connections', 3, '--count', 20)).messages, 20);
            await clean('idle', ...options, '--connections', 20, '--server-pid', limit.pid);
        }
    } finally {
        limit.kill();
    }
});

// ---- servers with templates, right and wrong ----

// A server of lines or of WebSocket text messages. What it does with message number n (counted for each connection that sends):
// fault(n, text) gives the texts that are sent now, or null to close. `room`: what is sent goes to those that said "subscribe".
async function server({ ws, room = false, fault = (n, text) => [text] }) {
    const sockets = new Set(), subscribers = [];
    const port = await freePort();
    const wrap = (text) => (ws ? encode({ opcode: TEXT, payload: text, mask: false }) : Buffer.from(`${text}\n`));
    const said = (socket, text) => {
        if (room && text === 'subscribe') {
            subscribers.push(socket);
            socket.write(wrap('subscribed'));
            return;
        }
        const texts = fault(socket.count++, text);
        for (const to of room ? subscribers : [socket]) {
            // The first subscriber alone suffers.
            const its = room && to !== subscribers[0] ? [text] : texts;
            if (its === null) to.end(ws ? encode({ opcode: CLOSE, payload: closePayload(1001, 'enough'), mask: false }) : undefined);
            else if (its.length) to.write(Buffer.concat(its.map(wrap)));
        }
    };
    const greet = (socket, head) => {
        const key = /^sec-websocket-key: (\S+)/im.exec(head)[1];
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`);
        socket.greeted = true;
    };
    const listener = net.createServer((socket) => {
        let rest = Buffer.alloc(0);
        sockets.add(socket);
        socket.setNoDelay(true);
        socket.count = 0;
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
            rest = Buffer.concat([rest, bytes]);
            for (;;) {
                if (ws && !socket.greeted) {
                    const end = rest.indexOf('\r\n\r\n');
                    if (end < 0) return;
                    greet(socket, rest.subarray(0, end).toString());
                    rest = rest.subarray(end + 4);
                } else if (ws) {
                    const found = decode(rest);
                    if (!found) return;
                    rest = found.rest;
                    if (found.frame.opcode === TEXT) said(socket, found.frame.payload.toString());
                } else {
                    const end = rest.indexOf('\n');
                    if (end < 0) return;
                    const line = rest.subarray(0, end).toString();
                    rest = rest.subarray(end + 1);
                    said(socket, line);
                }
            }
        });
    });
    await new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));
    return {
        options: ['--port', port, ...(ws ? ['--protocol', 'ws'] : ['--protocol', 'tcp', '--send', '{payload}\\n'])],
        room: ws ? ['--subscribe', 'subscribe', '--subscribed', 'subscribed'] : ['--subscribe', 'subscribe\\n', '--subscribed', 'subscribed\\n'],
        close() {
            for (const socket of sockets) socket.destroy();
            listener.close();
        },
    };
}

async function against(kind, ask) {
    const its = await server(kind);
    try {
        return await ask(its);
    } finally {
        its.close();
    }
}

let held;
const FAULTS = {
    loses: { fault: (n, text) => (n === 5 ? [] : [text]), errors: { lost: 1 }, came: -1, told: /did not get|/ },
    doubles: { fault: (n, text) => (n === 5 ? [text, text] : [text]), errors: { twice: 1 }, came: 0, told: /message 5 of client \d came twice/ },
    swaps: {
        fault: (n, text) => {
            if (n === 5) held = text;
            return n === 5 ? [] : n === 6 ? [text, held] : [text];
        },
        errors: { order: 1 }, came: 0, told: /message 5 of client \d came after a later one/,
    },
    changes: {
        fault: (n, text) => [n === 5 ? `${text.slice(0, -1)}!` : text], errors: { wrong: 1 }, came: -1,
        told: /client \d got wrong bytes[^]*\n {2}000005[a-z]+!\.?\nand expected\n {2}000005[a-z]+\.?\n/,
    },
    'cuts short': {
        fault: (n, text) => [n === 5 ? text.slice(0, 9) : text], errors: { wrong: 1 }, came: -1,
        told: /client \d got wrong bytes[^]*\n {2}000005\w{3}\.?\nand expected\n/,
    },
};

for (const ws of [true, false]) {
    const what = ws ? 'WebSocket messages' : 'lines';
    for (const [verb, { fault, errors, came, told }] of Object.entries(FAULTS)) {
        test(`a server that ${verb} one of its ${what} is found out, and the run goes on to its end`, async () => {
            await against({ ws, fault }, async ({ options }) => {
                const { code, out, err } = await bench('echo', ...options, '--connections', 1, '--in-flight', 8, '--count', 40, '--json');
                assert.equal(code, 1, err);
                assert.deepEqual(JSON.parse(out).errors, { ...CLEAN, ...errors }, err);
                assert.equal(JSON.parse(out).messages, 40 + came);
                assert.match(err, told);
            });
            await against({ ws, fault, room: true }, async ({ options, room }) => {
                const { code, out, err } = await bench('fanout', ...options, ...room, '--connections', 3, '--in-flight', 8, '--count', 40, '--json');
                assert.equal(code, 1, err);
                assert.deepEqual(JSON.parse(out).errors, { ...CLEAN, ...errors }, err);
                assert.equal(JSON.parse(out).messages, 120 + came);
            });
        });
    }

    test(`a server that closes is found out, and the others get all of their ${what}`, async () => {
        await against({ ws, fault: (n, text) => (n === 5 ? null : n > 5 ? [] : [text]) }, async ({ options }) => {
            const { code, out, err } = await bench('echo', ...options, '--connections', 1, '--in-flight', 8, '--count', 40, '--json');
            assert.equal(code, 1);
            assert.deepEqual(JSON.parse(out).errors, { ...CLEAN, closed: 1, lost: 8 }, err);
            assert.match(err, ws ? /the server closed the connection of client 0: 1001 enough/ : /the server closed the connection of client 0: end of stream/);
        });
        await against({ ws, room: true, fault: (n, text) => (n === 5 ? null : n > 5 ? [] : [text]) }, async ({ options, room }) => {
            const { code, out, err } = await bench('fanout', ...options, ...room, '--connections', 3, '--count', 40, '--json');
            assert.equal(code, 1);
            assert.deepEqual(JSON.parse(out).errors, { ...CLEAN, closed: 1, lost: 1 }, err);
            assert.equal(JSON.parse(out).messages, 80 + 5);
        });
    });

    test(`a server that falls silent is given up in the end, and what is missing of its ${what} is lost`, async () => {
        await against({ ws, fault: (n, text) => (n < 10 ? [text] : []) }, async ({ options }) => {
            const { code, out, err } = await bench('echo', ...options, '--connections', 2, '--in-flight', 4, '--stall', '200ms', '--json');
            assert.equal(code, 1);
            const result = JSON.parse(out);
            assert.equal(result.stalled, true);
            assert.deepEqual(result.errors, { ...CLEAN, lost: 8 }, err);
            assert.match(err, /8 messages are missing and nothing came for 0\.2 s/);
        });
    });

    test(`a server that mixes up its clients is found out (${what})`, async () => {
        // It answers each message to the connection that sent the one before.
        const last = [];
        await against({ ws, fault: (n, text) => { last.push(text); return last.length > 1 ? [last.shift()] : []; } }, async ({ options }) => {
            const { code, out } = await bench('echo', ...options, '--connections', 2, '--count', 20, '--stall', '200ms', '--json');
            assert.equal(code, 1);
            const { errors } = JSON.parse(out);
            assert.ok(errors.lost + errors.twice + errors.order + errors.wrong > 0, out);
        });
    });
}

test('a server of the user is driven with templates: what comes is known to the byte', async () => {
    await against({ ws: true, fault: (n, text) => [JSON.stringify({ said: JSON.parse(text).say, by: 'us' })] }, async ({ options }) => {
        const result = await clean('echo', ...options, '--connections', 3, '--in-flight', 4, '--count', 100,
            '--send', '{"say":"{payload}"}', '--expect', '{"said":"{payload}","by":"us"}');
        assert.equal(result.messages, 100);
    });
    await against({ ws: false, fault: (n, text) => (text.startsWith('i am ') ? [`hello ${text.slice(5)}`] : [text.replace(/^\d+ from/, 'you')]) }, async ({ options }) => {
        const result = await clean('echo', ...options, '--connections', 3, '--count', 30, '--hello', 'i am {number}\\n', '--await', 'hello {number}\\n',
            '--send', '{size} from {number}: {payload}\\n', '--expect', 'you {number}: {payload}\\n');
        assert.equal(result.messages, 30);
    });
    await against({ ws: false, fault: (n, text) => (text === 'pong' ? [] : n % 5 === 4 ? ['ping', text] : [text]) }, async ({ options }) => {
        await clean('echo', ...options, '--connections', 1, '--count', 30, '--ping', 'ping\\n', '--pong', 'pong\\n');
    });
});

// ---- the command line ----

test('who asks for help or the version is answered', async () => {
    const help = await bench('--help');
    assert.equal(help.code, 0);
    assert.match(help.out, /^xsockets-bench - /);
    for (const line of help.out.split('\n')) assert.ok(line.length <= 80, line);
    const version = await bench('--version');
    assert.equal(version.code, 0);
    assert.match(version.out, /^xsockets-bench \d+\.\d+\.\d+\n$/);
});

test('what is not understood is told, with 64; a server that is not there with 69', async () => {
    const nonsense = await bench('echo', '--nonsense');
    assert.deepEqual([nonsense.code, nonsense.out, nonsense.err],
        [64, '', 'xsockets-bench: "--nonsense" is not understood; see --help\n']);
    const template = await bench('echo', '--protocol', 'ws', '--send', '{paylod}');
    assert.equal(template.code, 64);
    assert.match(template.err, /--send: \{paylod\} is no place that is known/);
    const nobody = await bench('echo', '--port', await freePort());
    assert.equal(nobody.code, 69);
    assert.match(nobody.err, /cannot connect to 127\.0\.0\.1:\d+: Connection refused/);
});

test('a server that refuses the handshake is no server for this', async () => {
    await against({ ws: false, fault: () => ['HTTP/1.1 400 Bad Request\r\n\r'] }, async ({ options }) => {
        const { code, err } = await bench('echo', options[0], options[1], '--protocol', 'ws');
        assert.equal(code, 1);
        assert.match(err, /the handshake of client \d+ was refused: HTTP\/1\.1 400 Bad Request/);
    });
});
