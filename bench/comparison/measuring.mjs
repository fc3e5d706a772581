// measuring - takes turns until every figure has its rounds, and repeats what was disturbed.
import { toolOptions } from './figures.mjs';
import { othersBetween, readTicks } from './machine.mjs';
import { Failure, isClosing, runTool, startServer, subscribeToOthers } from './running.mjs';

// One turn with a server of its own: { result, others } or { failure }.
async function takeTurn(turn, { where, pins, seconds }) {
    const subscriptions = turn.otherTopics ? { 'limits.subscriptions': turn.otherTopics + 1 } : {};
    const settings = { ...turn.settings, ...subscriptions };
    let server = null, holder = null;
    try {
        server = await startServer({ ...turn, settings }, where, turn.free ? [] : pins.server);
        if (turn.otherTopics) holder = await subscribeToOthers(server.port, turn.otherTopics);
        const before = readTicks(server.pid);
        const result = await runTool(where, turn.free ? [] : pins.client, [...toolOptions(turn.server, turn.load),
            '--port', String(server.port), '--server-pid', String(server.pid),
            ...(turn.load.mode === 'idle' ? [] : ['--duration', `${seconds}s`, '--warmup', `${Math.round(Math.min(250, seconds * 500))}ms`]),
            ...(server.counters ? ['--mallocs', server.counters] : [])]);
        return { result, others: othersBetween(before, readTicks(server.pid)) };
    } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const last = server?.over() ? `; the server ended: ${server.output.text.trim()}` : '';
        return { failure: error.message + last };
    } finally {
        holder?.removeAllListeners('close');
        holder?.destroy();
        await server?.stop();
    }
}

// Of several attempts the first that was quiet, else the least disturbed. There are only as many as there is time for.
async function takeQuietTurn(turn, context, hasTime) {
    let best = null, attempts = 0;
    do {
        const one = await takeTurn(turn, context);
        attempts++;
        if (one.failure) return { ...one, attempts };
        if (best === null || one.others < best.others) best = one;
    } while (best.others > context.others && attempts <= context.repeats && hasTime(attempts));
    return { ...best, attempts, quiet: best.others <= context.others };
}

// What is to be done, in the order in which it is done: rounds of all figures, so that what happens to the machine in
// between happens to all.
export function planFigures(figures, rounds, present) {
    const plan = [];
    for (let round = 1; round <= rounds; round++) {
        for (const figure of figures) {
            if (round > (figure.rounds ?? rounds)) continue;
            for (const turn of figure.turns) {
                if (present.includes(turn.server)) plan.push({ kind: 'figure', id: figure.id, title: figure.title, who: turn.who, round, turn });
            }
        }
    }
    return plan;
}

// Point by point, all lines of a plot at one point one after the other.
export function planGrowth(plots, present) {
    return plots.flatMap((plot) => {
        const points = plot.lines.filter((line) => present.includes(line.server))
            .flatMap((line) => line.points.map(({ x, turn }) =>
                ({ kind: 'growth', id: plot.id, title: plot.title, who: line.label, x, round: 1, turn })));
        return points.sort((a, b) => a.x - b.x);
    });
}

// Whether there is time for another attempt, when the rest of the plan takes as long as what has been done.
export function timeLeft(elapsed, attempts, left, atMost) {
    return elapsed + elapsed / attempts * (left + 1) < atMost;
}

// Yields a plain record for each step of the plan, until it is interrupted.
export async function* measure(plan, context) {
    const began = Date.now();
    let attempts = 0;
    for (const [index, step] of plan.entries()) {
        context.progress(step, index, plan.length);
        const { turn, kind, id, who, round, x } = step;
        const seconds = kind === 'growth' ? Math.min(context.seconds, 0.6) : context.seconds;
        const hasTime = (more) => timeLeft(Date.now() - began, attempts + more, plan.length - index - 1, context.minutes * 60_000);
        const { result, ...rest } = await takeQuietTurn(turn, { ...context, seconds }, hasTime);
        if (isClosing()) return;
        attempts += rest.attempts;
        yield { kind, id, who, server: turn.server, round, x, ...rest, ...(result ? { result } : {}) };
    }
}
