// plot - bars and lines as SVG, readable on light and dark pages, from a phone's width up.
import { short } from './numbers.mjs';

const WIDTH = 600;
const FONT = 15; // at a phone's width of 360 it is still 9

// One look for each name in all plots: colour on light, on dark, marker and dash.
const looks = {
    limit: ['#57606a', '#9aa4af', 'square', ''],
    xsocketsd: ['#0550ae', '#6cb6ff', 'circle', ''],
    second: ['#0a7d8c', '#39c5cf', 'diamond', ''],
    redis: ['#b42318', '#ff8b82', 'up', '6 3'],
    nats: ['#116329', '#57d364', 'down', '6 3'],
    lws: ['#8a5a00', '#e3b341', 'cross', '6 3'],
    ws: ['#7a2fb5', '#d2a8ff', 'plus', '6 3'],
};

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]);
const at = (number) => Number(number.toFixed(1)).toString();

function style() {
    const rules = (column) => Object.entries(looks).map(([name, look]) => `.${name}{--c:${look[column]}}`).join('');
    return `<style>
svg{--paper:#fff;--ink:#1f2328;--soft:#57606a;--grid:#d8dee4;font:${FONT}px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
${rules(0)}
@media (prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--soft:#9aa4af;--grid:#30363d}${rules(1)}}
text{fill:var(--ink)}.soft{fill:var(--soft);font-size:13px}.value{stroke:var(--paper);stroke-width:5px;paint-order:stroke}.title{font-size:18px;font-weight:600}
.grid{stroke:var(--grid);fill:none}.one{stroke:var(--soft);fill:none;stroke-width:1.5}
.bar{fill:var(--c)}.line{stroke:var(--c);fill:none;stroke-width:2.5;stroke-linejoin:round}.mark{fill:var(--c);stroke:var(--c)}
</style>`;
}

const text = (x, y, words, attributes = '') => `<text x="${at(x)}" y="${at(y)}"${attributes && ` ${attributes}`}>${escaped(words)}</text>`;

function page(height, title, note, body) {
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${at(height)}" width="${at(WIDTH * 1.3)}" height="${at(height * 1.3)}" role="img" aria-label="${escaped(`${title}: ${note}`)}">
<title>${escaped(title)}</title>
${style()}
<rect width="${WIDTH}" height="${at(height)}" rx="8" style="fill:var(--paper)"/>
${text(16, 30, title, 'class="title"')}
${text(16, 50, note, 'class="soft"')}
${body.join('\n')}
</svg>
`;
}

function marker(name, x, y) {
    const r = 4.5;
    const shapes = {
        square: `M${at(x - r)} ${at(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`,
        circle: `M${at(x - r)} ${at(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
        diamond: `M${at(x)} ${at(y - r - 1)}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`,
        up: `M${at(x)} ${at(y - r)}l${r} ${2 * r}h${-2 * r}z`,
        down: `M${at(x)} ${at(y + r)}l${r} ${-2 * r}h${-2 * r}z`,
        cross: `M${at(x - r)} ${at(y - r)}l${2 * r} ${2 * r}M${at(x + r)} ${at(y - r)}l${-2 * r} ${2 * r}`,
        plus: `M${at(x)} ${at(y - r)}v${2 * r}M${at(x - r)} ${at(y)}h${2 * r}`,
    };
    return `<path class="mark ${name}" stroke-width="${['cross', 'plus'].includes(looks[name][2]) ? 2.5 : 1}" d="${shapes[looks[name][2]]}"/>`;
}

// Names in rows, as many in one as fit. How wide text is, is guessed on the wide side: no font is at hand to measure.
export function legend(entries, y, draw) {
    const body = [];
    let x = 16, rows = 1;
    for (const { label, look, thin } of entries) {
        const width = 38 + label.length * FONT * 0.56 + 14;
        if (x + width > WIDTH && x > 16) {
            x = 16;
            rows++;
        }
        const line = y + (rows - 1) * 23;
        body.push(draw(look, x, line, thin), text(x + 36, line + 5, label));
        x += width;
    }
    return { body, height: rows * 23 };
}

// groups: [{ label, bars: [{ look, value, words }] }]; the line at `one` is what all are measured by.
export function barPlot({ title, note, names, groups, one, oneLabel }) {
    const left = 16, right = WIDTH - 74, thick = 17, gap = 14;
    const key = legend(names, 76, (look, x, y) => `<rect class="bar ${look}" x="${x + 10}" y="${y - 8}" width="18" height="15" rx="2"/>`);
    const top = 76 + key.height + 12;
    const most = Math.max(one, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value))) * 1.02;
    const scale = (value) => left + (right - left) * value / most;
    const body = [], values = [];
    let y = top;
    for (const { label, bars } of groups) {
        y += 18;
        body.push(text(left, y, label, 'font-weight="600"'));
        y += 7;
        for (const { look, value, words } of bars) {
            body.push(`<rect class="bar ${look}" x="${left}" y="${at(y)}" width="${at(Math.max(1.5, scale(value) - left))}" height="${thick - 3}" rx="2"/>`);
            values.push(text(scale(value) + 6, y + 12, words, 'class="value"'));
            y += thick;
        }
        y += gap;
    }
    const line = `<path class="one" stroke-dasharray="3 3" d="M${at(scale(one))} ${at(top)}V${at(y)}"/>`;
    const name = text(scale(one), top - 6, oneLabel, 'class="soft" text-anchor="middle"');
    return page(y + 6, title, note, [...key.body, line, name, ...values, ...body]);
}

// From below the least to above the most: powers of ten, and with little between them also twice and five times those.
export function logTicks(least, most) {
    const steps = most / least < 500 ? [1, 2, 5] : [1];
    const ticks = [];
    for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)) + 1; power++)
        ticks.push(...steps.map((step) => Number((step * 10 ** power).toPrecision(1))));
    const from = ticks.findLastIndex((tick) => tick <= least * 1.0001), to = ticks.findIndex((tick) => tick >= most / 1.0001);
    return ticks.slice(from, Math.max(to, from + 1) + 1);
}

// Five or so round steps from 0 to above the most.
export function linearTicks(most) {
    const rough = most / 4, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
    return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

// series: [{ label, look, dashed, points: [[x, y]] }], x on a logarithmic scale with these ticks, y on one unless `linear`.
export function linePlot({ title, note, series, x, y, linear }) {
    const key = legend(series.map(({ label, look, dashed }) => ({ label, look, thin: dashed })), 76, (look, left, line, dashed) =>
        `<path class="line ${look}"${dashes(look, dashed)} d="M${left + 4} ${line}h26"/>${marker(look, left + 17, line)}`);
    const box = { left: 66, right: WIDTH - 22, top: 76 + key.height + 24 };
    box.bottom = box.top + 280;
    const all = series.flatMap(({ points }) => points);
    const ticksY = linear ? linearTicks(Math.max(...all.map((point) => point[1]))) : logTicks(Math.min(...all.map((point) => point[1])), Math.max(...all.map((point) => point[1])));
    const share = (value, ticks, flat) => (flat ? (value - ticks[0]) / (ticks.at(-1) - ticks[0])
        : Math.log(value / ticks[0]) / Math.log(ticks.at(-1) / ticks[0]));
    const toX = (value) => box.left + (box.right - box.left) * share(value, x.ticks, false);
    const toY = (value) => box.bottom - (box.bottom - box.top) * share(value, ticksY, linear);
    const body = [...key.body];
    for (const tick of ticksY)
        body.push(`<path class="grid" d="M${box.left} ${at(toY(tick))}H${box.right}"/>`, text(box.left - 8, toY(tick) + 5, tick === 0 ? '0' : short(tick, 2).replace(/\.0(?= |$)/, ''), 'class="soft" text-anchor="end"'));
    for (const tick of x.ticks)
        body.push(`<path class="grid" d="M${at(toX(tick))} ${box.top}V${box.bottom}"/>`, text(toX(tick), box.bottom + 18, x.format(tick), 'class="soft" text-anchor="middle"'));
    body.push(text((box.left + box.right) / 2, box.bottom + 40, x.label, 'text-anchor="middle"'), text(16, box.top - 10, y.label));
    for (const { look, dashed, points } of series) {
        body.push(`<path class="line ${look}"${dashes(look, dashed)} d="${points.map((point, i) => `${i ? 'L' : 'M'}${at(toX(point[0]))} ${at(toY(point[1]))}`).join('')}"/>`);
        for (const point of points) body.push(marker(look, toX(point[0]), toY(point[1])));
    }
    return page(box.bottom + 56, title, note, body);
}

function dashes(look, dashed) {
    const dash = dashed ? '2 4' : looks[look][3];
    return dash ? ` stroke-dasharray="${dash}"` : '';
}
