// original - what every driver of an original client is made of: a fault where the original would have failed, boxes
// in which a story finds what a callback was given, and a time that passes when the story says so.
import assert from 'node:assert/strict';
import { Stream } from '../../lib/stream.mjs';

// Timers by hand: nothing is due until pass(ms) says that so much time has gone by.
export class Time {
    constructor() {
        this.now = 0;
        this.timers = new Set();
    }

    setTimeout(run, ms) {
        return this.add({ run, at: this.now + ms });
    }

    setInterval(run, ms) {
        return this.add({ run, at: this.now + ms, every: ms });
    }

    add(timer) {
        this.timers.add(timer);
        return timer;
    }

    clear(timer) {
        this.timers.delete(timer);
    }

    pass(ms) {
        const end = this.now + ms;
        for (;;) {
            const [next] = [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
            if (!next) break;
            this.now = next.at;
            if (next.every) next.at += next.every;
            else this.timers.delete(next);
            next.run();
        }
        this.now = end;
    }
}

// A connection of an original: its bytes and its end go to the driver at once.
export class Wire extends Stream {
    constructor(original, where, { data, closed }) {
        super(original.story, where, `${original.name}'s connection`);
        this.original = original;
        this.sink = data;
        original.wires.push(this);
        this.socket.on('end', () => this.socket.end());
        this.socket.on('close', () => { closed?.(); original.wake(); });
    }

    took(bytes) {
        this.sink(bytes);
        this.wake();
    }

    wake() {
        super.wake();
        this.original?.wake();
    }
}

export class Original {
    constructor(story, name) {
        this.story = story;
        this.name = name;
        this.time = new Time();
        this.wires = [];
        this.waiters = new Set();
        this.faults = [];
        this.known = 0; // faults that the story has asked for
        story.join(this);
    }

    // Here the original would have failed. Whoever waits for something else of this client fails too.
    fault(why) {
        this.faults.push(why);
        this.wake();
    }

    // Runs what the original runs without a net below it.
    attempt(what, run) {
        try {
            return run();
        } catch (error) {
            this.fault(`${what}: ${error.message}`);
            return undefined;
        }
    }

    wake() {
        for (const waiter of [...this.waiters]) waiter();
    }

    get gone() {
        return this.wires.length > 0 && this.wires.every((wire) => wire.closed) && this.time.timers.size === 0;
    }

    // Waits until look() gives something other than undefined.
    until(what, look, { dies = false } = {}) {
        return new Promise((resolve, reject) => {
            const done = (settle, value) => {
                this.waiters.delete(attempt);
                settle(value);
            };
            const attempt = (last) => {
                let found;
                try {
                    found = look();
                } catch (error) {
                    return done(reject, error);
                }
                if (found !== undefined) return done(resolve, found);
                if (!dies && this.faults.length > this.known)
                    return done(reject, new Error(`${this.name} failed before ${what}: ${this.faults.slice(this.known).join('; ')}`));
                if (!this.gone) return undefined;
                // What the end itself brings about comes in the same turn.
                if (last !== true) return setImmediate(() => this.waiters.has(attempt) && attempt(true));
                return done(reject, new Error(`${this.name}: no connection and no timer, and still no ${what}`));
            };
            this.waiters.add(attempt);
            attempt();
        });
    }

    // Waits for the fault that the story provokes; gives it.
    async dies(pattern) {
        const fault = await this.until(`fault ${pattern}`, () => this.faults[this.known], { dies: true });
        this.known++;
        assert.match(fault, pattern);
        return fault;
    }

    // A callback that keeps what it is called with.
    box(what = 'call') {
        const calls = [];
        const box = (...values) => {
            calls.push(values);
            this.wake();
        };
        box.take = () => this.until(what, () => calls.shift());
        box.next = async () => (await box.take())[0];
        box.expect = async (...wanted) => {
            for (const one of wanted) assert.deepEqual(await box.next(), one, `${this.name}, ${what}`);
        };
        box.empty = () => assert.deepEqual(calls, [], `${this.name}, ${what}`);
        box.count = () => calls.length;
        return box;
    }

    // The network goes away.
    async cut() {
        await Promise.all(this.wires.map((wire) => wire.leave({ reset: true })));
    }

    transcript() {
        return `[${this.name}]${this.faults.map((fault) => `\n  ! ${fault}`).join('')}`;
    }

    async end(failed) {
        if (!failed) assert.deepEqual(this.faults.slice(this.known), [], `${this.name} failed`);
    }
}
