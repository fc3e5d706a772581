// summary - from the records of a measurement to medians, shares and lines.
import { values } from './figures.mjs';
import { spread } from './numbers.mjs';

const of = (records, id, who) => records.filter((one) => one.kind === 'figure' && one.id === id && one.who === who && one.result);

// The share of each round, not of the medians: the two of one round saw the same machine.
function shares(mine, base, value) {
    const theirs = new Map(base.map((one) => [one.round, values[value](one.result)]));
    return mine.map((one) => values[value](one.result) / theirs.get(one.round));
}

function rowOf(records, { base, value }, id, who) {
    const mine = of(records, id, who);
    if (mine.length === 0) return null;
    const isBase = base?.figure === id && base.who === who;
    return {
        ...spread(mine.map((one) => values[value](one.result))),
        share: base && !isBase ? spread(shares(mine, of(records, base.figure, base.who), value)) : null,
        user: spread(mine.map((one) => one.result.server_user_us)),
        system: spread(mine.map((one) => one.result.server_system_us)),
        clientLimited: mine.filter((one) => one.result.client_limited).length,
        rounds: mine.length,
    };
}

// [{ figure, rows: { who: {...} }, base: {...} or null }] of the figures that have any result.
export function summarise(records, figures) {
    return figures.map((figure) => {
        const id = figure.from ?? figure.id;
        const whos = [...new Set(records.filter((one) => one.kind === 'figure' && one.id === id && one.result).map((one) => one.who))];
        return {
            figure,
            rows: Object.fromEntries(whos.map((who) => [who, rowOf(records, figure, id, who)])),
            base: figure.base ? rowOf(records, figure, figure.base.figure, figure.base.who) : null,
        };
    }).filter(({ rows }) => Object.keys(rows).length > 0);
}

// Whether a row is what was to be reached: true, false, or null where nothing was.
export function reached(figure, row) {
    const { goal } = figure;
    if (!goal || !row) return null;
    if (goal.share !== undefined && !(row.share?.median >= goal.share)) return false;
    if (goal.same && !(row.share?.max >= 1)) return false; // the same, within the spread of the rounds
    if (goal.user !== undefined && !(row.user?.median <= goal.user)) return false;
    if (goal.most !== undefined && !(row.median <= goal.most)) return false;
    return true;
}

// [{ plot, series: [{ label, server, points: [[x, y]] }] }] of the plots that have points.
export function lines(records, plots) {
    return plots.map((plot) => ({
        plot,
        series: plot.lines.map(({ label, server }) => ({
            label, server,
            points: records.filter((one) => one.kind === 'growth' && one.id === plot.id && one.who === label && one.result?.per_second > 0)
                .map((one) => [one.x, one.result.per_second]).sort((a, b) => a[0] - b[0]),
        })).filter(({ points }) => points.length > 0),
    })).filter(({ series }) => series.length > 0);
}

// How quiet it was: { turns, repeated, disturbed, failed }.
export function quietness(records) {
    return {
        turns: records.length,
        repeated: records.filter((one) => one.attempts > 1).length,
        disturbed: records.filter((one) => one.quiet === false).length,
        failed: records.filter((one) => one.failure),
    };
}
