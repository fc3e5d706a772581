// report - tables for the terminal and for docs/PERFORMANCE.md, and the plots.
import { digits, bytes, short, time, whole } from './numbers.mjs';
import { barPlot, linePlot, logTicks } from './plot.mjs';
import { servers } from './servers.mjs';
import { quietness, reached } from './summary.mjs';

const shown = {
    per_second: (value) => `${short(value)}/s`,
    bytes: (value) => `${whole(value)} B`,
    mallocs: (value) => (value === 0 ? '0' : value.toFixed(4)),
    p50: (value) => `${digits(value)} us`,
    p99: (value) => `${digits(value)} us`,
};
const show = (figure, row) => (row?.median === undefined ? '' : shown[figure.value](row.median) + (row.clientLimited > row.rounds / 2 ? ' *' : ''));
const share = (value) => value.toFixed(2);
const micro = (row) => (row?.user ? row.user.median.toFixed(2) : '');

function goalOf({ goal = {}, value }) {
    const parts = [];
    if (goal.share) parts.push(`>= ${share(goal.share)}`);
    if (goal.same) parts.push('the same');
    if (goal.user) parts.push(`user CPU <= ${goal.user} us`);
    if (goal.most !== undefined) parts.push(goal.most === 0 ? '0' : `<= ${shown[value](goal.most)}`);
    return parts.join(', ');
}

function spreadOf(row) {
    return row?.share && row.rounds > 1 ? `${share(row.share.min)} to ${share(row.share.max)}` : '';
}

const yesNo = { true: 'yes', false: 'no', null: '' };

export function figureTable(summary) {
    const rows = summary.filter(({ rows: all, figure }) => all.xsocketsd && figure.value !== 'mallocs').map(({ figure, rows: { xsocketsd: row }, base }) => [
        figure.title,
        base ? `${show(figure, base)}${figure.base.called ? `, ${figure.base.called}` : ''}` : '',
        show(figure, row),
        row.share ? share(row.share.median) : '', spreadOf(row), goalOf(figure), yesNo[reached(figure, row)],
        figure.value === 'per_second' && figure.id !== 'connect' ? micro(row) : '',
        figure.value === 'per_second' && figure.id !== 'connect' && figure.base.who === 'limit' ? micro(base) : '',
    ]);
    return { name: 'figures', left: 1, rows, head: ['figure', 'limit, or what is named', 'xsocketsd', 'share', 'least to most', 'goal', 'reached', 'user CPU us', "limit's"] };
}

export function heapTable(summary) {
    const rows = summary.filter(({ rows: all, figure }) => all.xsocketsd && figure.value === 'mallocs')
        .map(({ figure, rows: { xsocketsd: row } }) => [figure.title, show(figure, row), goalOf(figure), yesNo[reached(figure, row)]]);
    return { name: 'heap', left: 1, rows, head: ['', 'calls', 'goal', 'reached'] };
}

// Figures that were taken from any peer.
const withPeers = (summary) => summary.filter(({ rows }) => Object.keys(rows).some((who) => servers[who]?.peer));
const present = (summary) => Object.keys(servers).filter((who) => summary.some(({ rows }) => rows[who]));

export function peerTable(summary) {
    const some = withPeers(summary), columns = present(some);
    const cell = (figure, row) => (row === undefined ? '' : row.share && !figure.lower ? `${share(row.share.median)}${row.clientLimited > row.rounds / 2 ? ' *' : ''}` : show(figure, row));
    return {
        name: 'peers', left: 1, head: ['', ...columns.map((who) => servers[who].title)],
        rows: some.map(({ figure, rows }) => [figure.title, ...columns.map((who) => cell(figure, rows[who]))]),
    };
}

export function cpuTable(summary) {
    const some = withPeers(summary).filter(({ figure }) => figure.value === 'per_second'), columns = present(some);
    return {
        name: 'cpu', left: 1, head: ['', ...columns.map((who) => servers[who].title)],
        rows: some.map(({ figure, rows }) => [figure.title, ...columns.map((who) => micro(rows[who]))]),
    };
}

export const tables = (summary) => [figureTable(summary), heapTable(summary), peerTable(summary), cpuTable(summary)].filter(({ rows }) => rows.length > 0);

export function markdown({ head, rows, left }) {
    const row = (cells) => `| ${cells.map((one) => String(one).replaceAll('|', '\\|')).join(' | ')} |`;
    return [row(head), row(head.map((_, i) => (i < left ? '---' : '---:'))), ...rows.map(row)].join('\n');
}

export function aligned({ head, rows, left }) {
    const width = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
    return [head, ...rows].map((row) => row.map((cell, i) => (i < left ? cell.padEnd(width[i]) : cell.padStart(width[i]))).join('  ').trimEnd()).join('\n');
}

export const STARRED = '* xsockets-bench was the limit: the server could do more.';

const failedOf = (failed) => (failed.length === 0 ? ''
    : `; ${failed.length} failed: ${[...new Set(failed.map((one) => `${one.id} of ${servers[one.server].title}`))].join(', ')}`);

// What was measured on, with what, and how quiet it was.
export function aboutText(about, records) {
    const { machine, versions, missing, rounds, seconds, took, pinned } = about;
    const quiet = quietness(records);
    return [
        `- Machine: ${machine.cpu}, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, ${machine.memory}; ${machine.kernel}, ${machine.system}`,
        `- Measured: ${Object.values(versions).filter((one) => one !== 'bench/limit').join('; ')}`,
        ...(missing.length ? [`- Left out, not installed: ${missing.map(({ title, needs }) => `${title} (${needs})`).join(', ')}`] : []),
        `- ${records.some((one) => one.kind === 'figure') ? `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s each, ` : ''}${pinned ? 'server on core 0 and client on core 1' : 'nothing pinned to a core'}; together ${time(took)}`,
        `- ${whole(quiet.turns)} turns, ${quiet.repeated} repeated because other processes were busy, ${quiet.disturbed} of them in vain${failedOf(quiet.failed)}`,
    ].join('\n');
}

// ---- plots ----

export function comparePlot(summary) {
    const some = withPeers(summary).filter(({ figure }) => figure.value === 'per_second');
    const columns = present(some).filter((who) => who !== 'limit');
    return barPlot({
        title: 'Throughput as a share of the limit', note: 'messages or deliveries a second; median; longer is better',
        names: columns.map((who) => ({ label: servers[who].title, look: who })), one: 1, oneLabel: 'limit = 1',
        groups: some.map(({ figure, rows }) => ({
            label: figure.title,
            bars: columns.filter((who) => rows[who]?.share).map((who) => ({ look: who, value: rows[who].share.median, words: share(rows[who].share.median) })),
        })),
    });
}

// What is not the server's main line has another look: a second kind of ours, or dashes for a lower depth.
function looksOf(series) {
    const seen = new Map();
    return series.map(({ label, server, points }) => {
        const count = seen.get(server) ?? 0;
        seen.set(server, count + 1);
        const lower = / x1$/.test(label);
        return { label, points, look: count > 0 && !lower ? 'second' : server, dashed: lower };
    });
}

const powersOf4 = (from, to) => Array.from({ length: Math.round(Math.log(to / from) / Math.log(16)) + 1 }, (_, i) => from * 16 ** i);

// How a point on the x axis is written.
export const pointName = (plot) => (plot.bytes ? bytes : (value) => short(value, 1));

export function growthPlot({ plot, series }) {
    const xs = series.flatMap(({ points }) => points.map(([x]) => x));
    const ticks = plot.bytes ? powersOf4(16, 1 << 20) : logTicks(Math.min(...xs), Math.max(...xs));
    return linePlot({
        title: plot.title, note: plot.note, series: looksOf(series), linear: plot.linear,
        x: { label: plot.x, ticks, format: pointName(plot) }, y: { label: plot.y },
    });
}

// ---- docs/PERFORMANCE.md ----

// Puts text between <!-- measured: NAME --> and <!-- end of NAME -->; a page without the place is an error.
export function fill(page, name, words) {
    const begin = `<!-- measured: ${name} -->`, end = `<!-- end of ${name} -->`;
    const from = page.indexOf(begin), to = page.indexOf(end);
    if (from < 0 || to < from) throw new Error(`docs/PERFORMANCE.md has no place for ${name}: ${begin} … ${end}`);
    return `${page.slice(0, from + begin.length)}\n${words}\n${page.slice(to)}`;
}

const image = (name, words) => `![${words}](performance/${name}.svg)`;

// { page, plots: { name: svg } } of what was measured; what was not stays as it is.
export function writePage(page, { about, records, summary, growth }) {
    const plots = {};
    if (summary.length > 0) {
        const all = Object.fromEntries(tables(summary).map((table) => [table.name, markdown(table)]));
        const starred = Object.values(all).some((one) => one.includes(' *')) ? `\n\n${STARRED.replace('*', '\\*')}` : '';
        page = fill(page, 'machine', aboutText(about, records.filter((one) => one.kind === 'figure')));
        page = fill(page, 'figures', all.figures + starred);
        for (const name of ['heap', 'peers', 'cpu']) page = fill(page, name, all[name] ?? 'Not measured.');
        plots.compare = comparePlot(summary);
        page = fill(page, 'compare', image('compare', 'Throughput of all servers as a share of the limit'));
    }
    for (const one of growth) plots[one.plot.id] = growthPlot(one);
    if (growth.length > 0)
        page = fill(page, 'growth', growth.map(({ plot }) => image(plot.id, plot.title)).join('\n\n'));
    return { page, plots };
}
