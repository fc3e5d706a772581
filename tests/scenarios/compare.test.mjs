// bench/compare: its command line, its plan, medians and shares, the page and the plots it writes, and a small run of all of it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { chosen, figures, growth, inFlightFor, toolOptions } from '../../bench/comparison/figures.mjs';
import { othersBetween, parseMachineTicks, parseProcessTicks } from '../../bench/comparison/machine.mjs';
import { planFigures, planGrowth, timeLeft } from '../../bench/comparison/measuring.mjs';
import { bytes, digits, median, short, spread, time, whole } from '../../bench/comparison/numbers.mjs';
import { readOptions } from '../../bench/comparison/options.mjs';
import { barPlot, legend, linearTicks, linePlot, logTicks } from '../../bench/comparison/plot.mjs';
import { aboutText, aligned, fill, markdown, tables, writePage } from '../../bench/comparison/report.mjs';
import { names, servers } from '../../bench/comparison/servers.mjs';
import { lines, quietness, reached, summarise } from '../../bench/comparison/summary.mjs';
import { binary, root } from './lib/daemon.mjs';

const command = path.join(root, 'bench/compare');
const compare = (...args) => spawnSync(command, args, { encoding: 'utf8' });

test('a median is the middle one, or lies between the middle two', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(median([]), null);
    assert.deepEqual(spread([5, undefined, 1, 3]), { median: 3, min: 1, max: 5 });
    assert.equal(spread([undefined]), null);
});

test('numbers are written with the digits that count', () => {
    assert.deepEqual([0, 7.944, 79.44, 794.4, 0.0794].map((one) => digits(one)), ['0', '7.94', '79.4', '794', '0.08']);
    assert.deepEqual([999, 999.6, 1580000, 118432, 2e9].map((one) => short(one)), ['999', '1.00 k', '1.58 M', '118 k', '2.00 G']);
    assert.deepEqual([7, 1234, 1234567].map(whole), ['7', '1,234', '1,234,567']);
    assert.deepEqual([16, 1024, 65536, 1 << 20].map(bytes), ['16 B', '1 KiB', '64 KiB', '1 MiB']);
    assert.deepEqual([59, 60, 135].map(time), ['59 s', '1 min', '2 min 15 s']);
});

test('the command line is read, and what is wrong in it is told', () => {
    const options = readOptions(['--rounds', '3', '--seconds=0.5', '--only', 'echo', '--servers', 'limit,redis'], names);
    assert.deepEqual([options.rounds, options.seconds, options.only, options.servers], [3, 0.5, 'echo', ['limit', 'redis']]);
    assert.deepEqual([options.write, options.growth, options.repeats, options.others], [false, false, 4, 3]);
    const wrong = (...words) => readOptions(words, names).wrong;
    assert.equal(wrong('--rounds', '0'), '--rounds wants a number from 1 to 99, not "0"');
    assert.equal(wrong('--json'), '--json wants a file');
    assert.equal(wrong('fast'), '"fast" is not understood; see --help');
    assert.equal(wrong('--write=yes'), '"--write=yes" is not understood; see --help');
    assert.equal(wrong('--servers', 'limit,apache'), '"apache" is none of limit, xsocketsd, redis, nats, lws, ws');
    assert.match(wrong('--write', '--only', 'echo'), /neither --only nor --servers$/);
});

test('a bad command line ends with 64, a build that is not there with 69, and help with 0', () => {
    const bad = compare('--fast');
    assert.deepEqual([bad.status, bad.stderr], [64, 'bench/compare: "--fast" is not understood; see --help\n']);
    const unbuilt = compare('--build', '/nowhere');
    assert.equal(unbuilt.status, 69);
    assert.match(unbuilt.stderr, /^bench\/compare: \/nowhere\/xsocketsd is not there: build first/);
    const help = compare('--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^bench\/compare - /);
});

test('the time of others is what the machine worked without us', () => {
    const stat = 'cpu  100 10 50 800 5 1 20 4 7 7\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    assert.deepEqual(parseMachineTicks(stat, false), { worked: 185, all: 990 });
    assert.deepEqual(parseMachineTicks(stat, true), { worked: 164, all: 990 });
    assert.deepEqual(parseProcessTicks('12 (a name) with) S 1 1 1 0 -1 4194560 1 2 3 4 30 12 7 5 20 0 1\n'), { own: 42, children: 12 });
    const before = { worked: 100, all: 1000, ours: 10 };
    assert.equal(othersBetween(before, { worked: 290, all: 1200, ours: 190 }), 8 / 200);
    assert.equal(othersBetween(before, { worked: 290, all: 1200, ours: 199 }), 0);
    assert.equal(othersBetween(before, { worked: 291, all: 1200, ours: 205 }), 0);
});

test('a word chooses figures, and with them what they are compared with', () => {
    const ids = (word) => chosen(figures, word).map(({ id }) => id);
    assert.deepEqual(ids('IDLE'), ['idle']);
    assert.deepEqual(ids('four protocols'), ['fanout-x16', 'fanout-mixed']);
    assert.deepEqual(ids('p99'), ['lone', 'lone-p99']);
    assert.deepEqual(ids('nothing of this name'), []);
});

test('every figure has names and bases that exist, and every server has words for what it is asked', () => {
    const known = new Map(figures.map((one) => [one.id, one]));
    assert.equal(known.size, figures.length);
    for (const one of figures) {
        const base = one.base && known.get(one.base.figure);
        if (one.base) assert.ok(base.turns.some(({ who }) => who === one.base.who), one.id);
        if (one.from) assert.ok(known.has(one.from), one.id);
    }
    const turns = [...figures.flatMap((one) => one.turns), ...growth.flatMap((plot) => plot.lines.flatMap((line) => line.points.map(({ turn }) => turn)))];
    for (const turn of turns) {
        const options = toolOptions(turn.server, turn.load);
        assert.ok(options.every((word) => typeof word === 'string'), JSON.stringify(turn));
        assert.ok(options.includes('--protocol'), JSON.stringify(turn));
    }
});

test('a load becomes the options of xsockets-bench', () => {
    assert.deepEqual(toolOptions('limit', { mode: 'echo', protocol: 'native', inFlight: 16, size: 1024 }),
        ['echo', '--server', 'limit', '--protocol', 'native', '--size', '1024', '--in-flight', '16']);
    assert.deepEqual(toolOptions('xsocketsd', { mode: 'echo', object: true }), ['echo', '--protocol', 'xsocketsnet', '--object']);
    assert.deepEqual(toolOptions('redis', { mode: 'echo' }), ['echo', '--protocol', 'tcp',
        '--send', '*2\\r\\n$4\\r\\nECHO\\r\\n${size}\\r\\n{payload}\\r\\n', '--expect', '${size}\\r\\n{payload}\\r\\n']);
});

test('rounds go through all figures and all servers in turn, without those that are not there', () => {
    const plan = planFigures(chosen(figures, 'echo 64 B, 1 in'), 2, ['limit', 'xsocketsd', 'ws']);
    assert.deepEqual(plan.map(({ round, who }) => `${round} ${who}`), ['1 limit', '1 xsocketsd', '1 ws', '2 limit', '2 xsocketsd', '2 ws']);
    const idle = planFigures(chosen(figures, 'idle'), 5, ['limit']);
    assert.deepEqual(idle.map(({ round }) => round), [1, 2]);
    const points = planGrowth(chosen(growth, 'connections-fanout'), ['limit', 'redis']);
    assert.deepEqual(points.map(({ x, who }) => `${x} ${who}`), ['10 limit', '10 redis', '30 limit', '100 limit', '100 redis', '300 limit',
        '1000 limit', '1000 redis', '3000 limit', '10000 limit', '10000 redis']);
});

test('a turn is repeated as long as there is time for that and for the rest', () => {
    assert.equal(timeLeft(10_000, 10, 49, 60_001), true); // 10 s so far, 50 turns of 1 s to come
    assert.equal(timeLeft(10_000, 10, 49, 60_000), false);
});

test('what is in flight is bounded by number and by bytes', () => {
    assert.deepEqual([16, 16384, 65536, 262144, 1 << 20].map(inFlightFor), [16, 16, 4, 1, 1]);
});

// A turn's record as measure() yields it.
const record = (id, who, round, result, more = {}) =>
    ({ kind: 'figure', id, who, server: who, round, attempts: 1, quiet: true, others: 0, result, ...more });

test('shares are taken round by round', () => {
    const rates = [[100, 90], [200, 160], [50, 50]];
    const records = rates.flatMap(([limit, mine], i) => [record('echo-x1', 'limit', i + 1, { per_second: limit }),
        record('echo-x1', 'xsocketsd', i + 1, { per_second: mine, server_user_us: 0.2, client_limited: i > 0 })]);
    const [{ rows, base, figure }] = summarise(records, figures);
    assert.deepEqual([rows.xsocketsd.median, rows.xsocketsd.min, rows.xsocketsd.max], [90, 50, 160]);
    assert.deepEqual(rows.xsocketsd.share, { median: 0.9, min: 0.8, max: 1 });
    assert.deepEqual([rows.limit.share, base.median, rows.xsocketsd.clientLimited], [null, 100, 2]);
    assert.equal(reached(figure, rows.xsocketsd), false);
});

test('a figure may be compared with another figure, or be read from the turns of another', () => {
    const records = [record('fanout-x16', 'xsocketsd', 1, { per_second: 1000 }), record('fanout-mixed', 'xsocketsd', 1, { per_second: 900 }),
        record('lone', 'limit', 1, { latency_us: { p50: 10, p99: 20 } }), record('lone', 'xsocketsd', 1, { latency_us: { p50: 12, p99: 50 } })];
    const found = Object.fromEntries(summarise(records, figures).map((one) => [one.figure.id, one]));
    assert.equal(found['fanout-mixed'].rows.xsocketsd.share.median, 0.9);
    assert.equal(found['fanout-mixed'].base.median, 1000);
    assert.equal(found.lone.rows.xsocketsd.share.median, 1.2);
    assert.equal(found['lone-p99'].rows.xsocketsd.share.median, 2.5);
    assert.equal(found['lone-p99'].base.median, 20);
});

test('a goal is a share, a bound, the same within the spread, or several of them', () => {
    const row = (share, more) => ({ share: { median: share, min: share, max: share + 0.02 }, ...more });
    assert.equal(reached({ goal: { share: 0.95 } }, row(0.95)), true);
    assert.equal(reached({ goal: { share: 0.95 } }, row(0.94)), false);
    assert.equal(reached({ goal: { same: true } }, row(0.985)), true);
    assert.equal(reached({ goal: { same: true } }, row(0.97)), false);
    assert.equal(reached({ goal: { share: 0.75, user: 0.25 } }, row(0.8, { user: { median: 0.3 } })), false);
    assert.equal(reached({ goal: { most: 0 } }, { median: 0 }), true);
    assert.equal(reached({}, row(1)), null);
    assert.equal(reached({ goal: { share: 0.95 } }, { share: null }), false);
});

test('what failed or was disturbed is counted', () => {
    const found = quietness([record('idle', 'limit', 1, {}), record('idle', 'limit', 2, {}, { attempts: 3 }),
        record('idle', 'limit', 3, {}, { attempts: 5, quiet: false }), { kind: 'figure', id: 'idle', who: 'ws', attempts: 1, failure: 'lost' }]);
    assert.deepEqual({ ...found, failed: found.failed.length }, { turns: 4, repeated: 2, disturbed: 1, failed: 1 });
});

test('a table is told as Markdown and as columns', () => {
    const table = { left: 1, head: ['what', 'how|many'], rows: [['a', '10'], ['longer', '7']] };
    assert.equal(markdown(table), '| what | how\\|many |\n| --- | ---: |\n| a | 10 |\n| longer | 7 |');
    assert.equal(aligned(table), 'what    how|many\na             10\nlonger         7');
});

test('a page is filled between its marks, and one without them is refused', () => {
    const page = 'before\n<!-- measured: x -->\nold\n<!-- end of x -->\nafter\n';
    const filled = 'before\n<!-- measured: x -->\nnew\n<!-- end of x -->\nafter\n';
    assert.equal(fill(page, 'x', 'new'), filled);
    assert.equal(fill(filled, 'x', 'new'), filled);
    assert.throws(() => fill(page, 'y', 'new'), /has no place for y/);
});

// Results of everything that is measured, each server with a speed of its own.
function everything() {
    const speed = Object.fromEntries(names.map((name, i) => [name, 1e6 / (1 + i)]));
    const result = (server) => ({ per_second: speed[server], server_user_us: 0.125, server_system_us: 0.5, bytes_per_connection: 300,
        mallocs_per_message: 0, latency_us: { p50: 10, p99: 20 }, client_limited: server === 'limit' });
    const plan = [...planFigures(figures, 2, names), ...planGrowth(growth, names)];
    const records = plan.map(({ kind, id, who, round, x, turn }) =>
        ({ kind, id, who, server: turn.server, round, x, attempts: 1, quiet: true, others: 0, result: result(turn.server) }));
    const about = { kind: 'about', machine: { cpu: 'A & B', cores: 2, memory: '8 GiB', kernel: 'Linux 6.1', system: 'Debian' }, rounds: 2, seconds: 1,
        versions: { limit: 'bench/limit', xsocketsd: 'xsocketsd 0.4' }, missing: [{ title: 'redis', needs: 'redis-server' }], pinned: true, took: 135 };
    return { about, records, summary: summarise(records, figures), growth: lines(records, growth) };
}

test('the machine, the versions, what is left out and how quiet it was are told', () => {
    const { about, records } = everything();
    assert.equal(aboutText(about, records.slice(0, 3)), [
        '- Machine: A & B, 2 cores, 8 GiB; Linux 6.1, Debian',
        '- Measured: xsocketsd 0.4',
        '- Left out, not installed: redis (redis-server)',
        '- 2 rounds of 1 s each, server on core 0 and client on core 1; together 2 min 15 s',
        '- 3 turns, 0 repeated because other processes were busy, 0 of them in vain',
    ].join('\n'));
    const lost = { kind: 'figure', id: 'idle', who: 'ws', server: 'ws', attempts: 1, failure: 'lost' };
    assert.match(aboutText(about, [lost, lost]), /, 0 of them in vain; 2 failed: idle of node ws$/);
});

test('every row of the tables is whole, and says when the client was the limit', () => {
    for (const { head, rows, name } of tables(everything().summary)) {
        assert.ok(rows.length > 0, name);
        for (const row of rows) {
            assert.equal(row.length, head.length, row[0]);
            assert.ok(row.every((cell) => typeof cell === 'string' && !/undefined|NaN|null/.test(cell)), row.join(' | '));
        }
    }
    const [{ rows }] = tables(everything().summary);
    assert.deepEqual(rows[0], ['echo 64 B, 1 in flight', '1.00 M/s *', '500 k/s', '0.50', '0.50 to 0.50', '>= 0.95', 'no', '0.13', '0.13']);
});

test('the page of the repository has a place for all that is measured, and comes out the same when written twice', () => {
    const page = fs.readFileSync(path.join(root, 'docs/PERFORMANCE.md'), 'utf8');
    const all = everything();
    const once = writePage(page, all);
    assert.deepEqual(Object.keys(once.plots), ['compare', ...growth.map(({ id }) => id)]);
    assert.doesNotMatch(once.page, /Not measured/);
    assert.equal(writePage(once.page, all).page, once.page);
    for (const [, file] of once.page.matchAll(/\]\(performance\/([^)]+)\.svg\)/g)) assert.ok(once.plots[file], file);
    const grown = writePage(page, { ...all, summary: [] });
    assert.deepEqual(Object.keys(grown.plots), growth.map(({ id }) => id));
});

// What is no XML is no picture. Attributes hold no < in ours, and nothing stands outside the one element.
function wellFormed(svg) {
    const open = [];
    for (const [tag, close, name, , self] of svg.replace(/<style>[^<]*<\/style>/, '').matchAll(/<(\/?)([a-z]+)((?: [\w-]+="[^"<]*")*)(\/?)>/g)) {
        if (close) assert.equal(open.pop(), name, tag);
        else if (!self) open.push(name);
    }
    assert.deepEqual(open, []);
    assert.doesNotMatch(svg.replace(/<[^>]*>/g, ''), /[<>]|&(?!amp;|lt;|gt;|quot;)/);
}

test('plots are well-formed, have both colour schemes, and nothing in them is no number', () => {
    const { plots } = writePage(fs.readFileSync(path.join(root, 'docs/PERFORMANCE.md'), 'utf8'), everything());
    for (const [name, svg] of Object.entries(plots)) {
        wellFormed(svg);
        assert.match(svg, /prefers-color-scheme:dark/, name);
        assert.doesNotMatch(svg, /NaN|undefined|Infinity/, name);
    }
});

test('words in a plot are escaped', () => {
    const svg = barPlot({ title: 'a < b & "c"', note: '', names: [{ label: '<x>', look: 'redis' }], one: 1, oneLabel: '1',
        groups: [{ label: '&', bars: [{ look: 'redis', value: 0.5, words: '<' }] }] });
    wellFormed(svg);
    assert.match(svg, /a &lt; b &amp; &quot;c&quot;/);
});

test('ticks hold all that is drawn', () => {
    assert.deepEqual(logTicks(10, 10000), [10, 100, 1000, 10000]);
    assert.deepEqual(logTicks(68600, 1.46e6), [50000, 100000, 200000, 500000, 1e6, 2e6]);
    assert.deepEqual(logTicks(68, 1.5e6), [10, 100, 1000, 10000, 100000, 1e6, 1e7]);
    assert.deepEqual(logTicks(100, 100), [100, 200]);
    assert.deepEqual(linearTicks(431000), [0, 200000, 400000, 600000]);
});

test('points of a line stand inside the box, and the legend breaks where it would leave the page', () => {
    const label = 'a name that is rather long';
    assert.equal(legend(Array.from({ length: 4 }, () => ({ label, look: 'limit' })), 76, () => '').height, 2 * 23);
    const svg = linePlot({ title: 't', note: 'n', x: { label: 'x', ticks: [10, 100, 1000], format: String }, y: { label: 'y' },
        series: [{ label: 'limit', look: 'limit', points: [[10, 5000], [1000, 90]] }] });
    const [, fromX, fromY, toX, toY] = /class="line limit" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/.exec(svg).map(Number);
    const grid = [...svg.matchAll(/class="grid" d="M66 ([\d.]+)H578"/g)].map(([, y]) => Number(y));
    assert.deepEqual([fromX, toX], [66, 578]);
    assert.ok(Math.min(...grid) <= fromY && fromY < toY && toY <= Math.max(...grid), svg);
});

// ---- the command itself, with what is built beside the daemon ----

const built = ['bench/limit', 'bench/xsockets-bench'].every((file) => fs.existsSync(path.join(path.dirname(binary), file)));
const small = ['--build', path.dirname(binary), '--rounds', '1', '--seconds', '0.1', '--others', '100'];

test('a small run measures both, prints a table and keeps every result', { skip: !built && 'the tools are not built here' }, () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'xsocketsd-test-'));
    try {
        const file = path.join(folder, 'results');
        const ran = compare(...small, '--servers', 'limit,xsocketsd', '--only', 'echo 64 B, 1 in', '--json', file);
        assert.equal(ran.status, 0, ran.stdout + ran.stderr);
        assert.match(ran.stdout, /^echo 64 B, 1 in flight +[\d.]+ k\/s/m);
        const [about, ...records] = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
        assert.deepEqual([about.kind, about.rounds, Object.keys(about.versions)], ['about', 1, ['limit', 'xsocketsd']]);
        assert.deepEqual(records.map(({ id, who, round }) => [id, who, round]), [['echo-x1', 'limit', 1], ['echo-x1', 'xsocketsd', 1]]);
        for (const { result } of records) assert.ok(result.messages > 0 && Object.values(result.errors).every((count) => count === 0));
        const again = compare('--from', file);
        assert.deepEqual([again.status, again.stdout], [0, ran.stdout]);
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
});

test('an interrupt ends the servers too, and leaves no folder behind', { skip: !built && 'the tools are not built here' }, async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'xsocketsd-test-'));
    try {
        const child = spawn(command, [...small.slice(0, -4), '--seconds', '60', '--servers', 'xsocketsd', '--only', 'echo 64 B, 1 in'],
            { env: { ...process.env, TMPDIR: folder }, stdio: 'ignore' });
        const ended = new Promise((resolve) => { child.on('close', (code, signal) => resolve(code ?? signal)); });
        const childrenOf = (pid) => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
        let children = [];
        while (children.length < 2) { // the server and the load generator
            await new Promise((resolve) => { setImmediate(resolve); });
            children = childrenOf(child.pid);
        }
        child.kill('SIGINT');
        assert.equal(await ended, 130);
        for (const pid of children) assert.equal(fs.existsSync(`/proc/${pid}`), false, `${pid} is still there`);
        assert.deepEqual(fs.readdirSync(folder), []);
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
});

test('a peer that is not installed is named with what to install', () => {
    const nothing = { env: { ...process.env, PATH: path.dirname(process.execPath) } };
    const asked = spawnSync(process.execPath, ['--input-type=module', '-e', `
        const { servers } = await import(${JSON.stringify(path.join(root, 'bench/comparison/servers.mjs'))});
        console.log(JSON.stringify(['redis', 'nats', 'lws'].map((name) => servers[name].needs({ peers: '', workshop: '/nowhere' }))));`], { ...nothing, encoding: 'utf8' });
    const found = JSON.parse(asked.stdout);
    const here = (name) => fs.existsSync(path.join(path.dirname(process.execPath), name));
    assert.deepEqual(found, [here('redis-server') ? null : 'redis-server', here('nats-server') ? null : 'nats-server',
        here('pkg-config') ? found[2] : 'libwebsockets-dev']);
    assert.deepEqual(Object.keys(servers), ['limit', 'xsocketsd', 'redis', 'nats', 'lws', 'ws']);
});
