// compare - xsocketsd beside the yardstick bench/limit and four other servers. See bench/compare --help.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosen, figures, growth } from './comparison/figures.mjs';
import { describeMachine, pins as findPins } from './comparison/machine.mjs';
import { measure, planFigures, planGrowth } from './comparison/measuring.mjs';
import { short, time } from './comparison/numbers.mjs';
import { help, readOptions } from './comparison/options.mjs';
import { aboutText, aligned, pointName, STARRED, tables, writePage } from './comparison/report.mjs';
import { endAll, isClosing } from './comparison/running.mjs';
import { names, servers } from './comparison/servers.mjs';
import { lines, quietness, summarise } from './comparison/summary.mjs';

const bench = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(bench);

function say(words) {
    process.stderr.write(`${words}\n`);
}

function stopWith(code, words) {
    say(`bench/compare: ${words}`);
    process.exit(code);
}

// One line on a terminal, written over again and again.
function progressLine() {
    const shows = process.stderr.isTTY;
    const began = Date.now();
    const show = (words) => shows && process.stderr.write(`\r\x1b[K${words.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    return {
        step({ title, who, x, round }, index, count) {
            const left = index > 3 ? `, ${time((Date.now() - began) / 1000 / index * (count - index))} left` : '';
            show(`${index + 1} of ${count}${left}: ${title}, ${who}${x === undefined ? `, round ${round}` : `, ${short(x)}`}`);
        },
        clear: () => show(''),
    };
}

function places(options) {
    const build = path.resolve(root, options.build);
    const where = { build, bench, peers: path.join(bench, 'peers'), workshop: path.join(root, 'build/peers') };
    for (const file of ['xsocketsd', 'bench/limit', 'bench/xsockets-bench']) {
        if (!fs.existsSync(path.join(build, file)))
            stopWith(69, `${path.join(build, file)} is not there: build first (cmake --preset release && cmake --build --preset release), or name the folder with --build`);
    }
    return where;
}

// Who is there, and what the others lack.
function roll(where, wanted) {
    const present = [], missing = [];
    for (const name of wanted) {
        const needs = servers[name].needs(where);
        if (needs === null) present.push(name);
        else missing.push({ title: servers[name].title, needs });
    }
    return { present, missing };
}

async function takeAll(options) {
    const where = places(options);
    const { present, missing } = roll(where, options.servers ?? names);
    for (const { title, needs } of missing) say(`${title} is left out: install ${needs}`);
    const pins = findPins();
    const both = options.write && !options.growth;
    const withFigures = !options.growth, withGrowth = both || options.growth;
    const counts = fs.existsSync(path.join(where.build, 'bench/mallocs.so')); // not beside a sanitizer's heap
    const plan = [
        ...(withFigures ? planFigures(chosen(figures, options.only).filter(({ value }) => value !== 'mallocs' || counts), options.rounds, present) : []),
        ...(withGrowth ? planGrowth(chosen(growth, options.only), present) : []),
    ];
    if (plan.length === 0) stopWith(64, `no figure's name holds "${options.only}"`);
    const began = Date.now();
    const line = progressLine();
    const records = [];
    const about = {
        kind: 'about', machine: describeMachine(), versions: Object.fromEntries(present.map((name) => [name, servers[name].version(where)])),
        missing, rounds: options.rounds, seconds: options.seconds, pinned: pins.server.length > 0,
    };
    for await (const record of measure(plan, { ...options, others: options.others / 100, where, pins, progress: line.step })) {
        records.push(record);
        if (record.failure) {
            line.clear();
            say(`${record.id}, ${record.who}: ${record.failure}`);
        }
    }
    line.clear();
    about.took = (Date.now() - began) / 1000;
    return { about, records };
}

function readResults(file) {
    try {
        const [about, ...records] = fs.readFileSync(file, 'utf8').trim().split('\n').map((one) => JSON.parse(one));
        if (about.kind !== 'about') throw new Error('it does not begin with what was measured');
        return { about, records };
    } catch (error) {
        return stopWith(64, `${file} holds no results of --json: ${error.message}`);
    }
}

function print({ about, records, summary, drawn }) {
    console.log(aboutText(about, records));
    for (const table of tables(summary)) console.log(`\n${aligned(table)}`);
    if (summary.some(({ rows }) => Object.values(rows).some((row) => row.clientLimited > row.rounds / 2))) console.log(`\n${STARRED}`);
    for (const { plot, series } of drawn) {
        const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
        const rows = series.map(({ label, points }) => [label, ...xs.map((x) => {
            const point = points.find(([at]) => at === x);
            return point ? short(point[1]) : '';
        })]);
        console.log(`\n${plot.title}, ${plot.y}\n${aligned({ head: [plot.x, ...xs.map(pointName(plot))], rows, left: 1 })}`);
    }
}

function write(measured) {
    const file = path.join(root, 'docs/PERFORMANCE.md'), folder = path.join(root, 'docs/performance');
    const { page, plots } = writePage(fs.readFileSync(file, 'utf8'), measured);
    fs.mkdirSync(folder, { recursive: true });
    for (const [name, svg] of Object.entries(plots)) fs.writeFileSync(path.join(folder, `${name}.svg`), svg);
    fs.writeFileSync(file, page);
    say(`written: docs/PERFORMANCE.md, ${Object.keys(plots).map((name) => `docs/performance/${name}.svg`).join(', ')}`);
}

async function main() {
    const options = readOptions(process.argv.slice(2), names);
    if (options.wrong) stopWith(64, options.wrong);
    if (options.help) {
        console.log(help);
        return 0;
    }
    const { about, records } = options.from ? readResults(options.from) : await takeAll(options);
    if (isClosing()) return 130;
    const kept = options.json ?? (options.write && !options.from ? path.join(root, 'build/compare.json') : null);
    if (kept) fs.writeFileSync(kept, `${[about, ...records].map((one) => JSON.stringify(one)).join('\n')}\n`);
    const summary = summarise(records, chosen(figures, options.only));
    const drawn = lines(records, growth);
    print({ about, records, summary, drawn });
    const { failed } = quietness(records);
    const own = failed.filter(({ server }) => !servers[server].peer);
    if (failed.length > 0) say(`${failed.length} of ${records.length} turns failed${own.length > 0 && options.write ? ', some of our own: nothing is written' : ''}`);
    if (options.write && own.length === 0) write({ about, records, summary, growth: drawn });
    return failed.length > 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, endAll);
try {
    process.exitCode = await main();
} finally {
    await endAll();
}
