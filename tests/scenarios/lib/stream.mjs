// stream - a TCP or UNIX connection as bytes that can be waited for.
import net from 'node:net';
import assert from 'node:assert/strict';
import { show } from './story.mjs';

let names = 0;

export class Stream {
    // where: { port, host } or { path }
    constructor(story, where, name = 'client') {
        this.name = `${name} ${++names}`;
        this.buffer = Buffer.alloc(0);
        this.sent = 0;
        this.received = 0;
        this.ended = false; // the other side will send no more
        this.closed = false;
        this.error = null;
        this.waiters = new Set();
        this.record = [];
        this.socket = net.connect({ allowHalfOpen: true, noDelay: true, host: '127.0.0.1', ...where });
        this.socket.on('data', (bytes) => {
            this.received += bytes.length;
            this.note('<', bytes);
            this.took(bytes);
        });
        this.socket.on('end', () => { this.ended = true; this.note('<', 'END'); this.wake(); });
        this.socket.on('error', (error) => { this.error = error; this.note('!', error.code); this.wake(); });
        this.socket.on('close', () => { this.closed = true; this.wake(); });
        this.connected = new Promise((resolve) => {
            this.socket.once('connect', () => resolve(true));
            this.socket.once('close', () => resolve(false));
        });
        story?.join(this);
    }

    // Bytes came; a format on top overrides it.
    took(bytes) {
        this.buffer = this.buffer.length ? Buffer.concat([this.buffer, bytes]) : bytes;
        this.wake();
    }

    note(sign, what) {
        if (this.record.length < 400)
            this.record.push(`  ${sign} ${typeof what === 'string' ? what : show(what)}`);
    }

    transcript() {
        return [`[${this.name}${this.gone ? ', gone' : ''}]`, ...this.record.slice(-40)].join('\n');
    }

    get gone() {
        return this.ended || this.closed;
    }

    wake() {
        for (const waiter of [...this.waiters]) waiter();
    }

    // Waits until look() gives something other than undefined. What ended without it is an error, unless look() takes that too.
    until(what, look) {
        return new Promise((resolve, reject) => {
            const attempt = () => {
                let found;
                try {
                    found = look();
                    if (found === undefined && this.gone)
                        throw new Error(`${this.name}: the connection ended (${this.error?.code ?? 'in order'}) before ${what}`);
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

    // Resolves when the kernel has taken it, at the earliest in the next turn, so that who sends in a loop also hears.
    send(bytes, shown) {
        const data = Buffer.from(bytes);
        this.sent += data.length;
        this.note('>', shown ?? data);
        return new Promise((resolve) => this.socket.write(data, () => setImmediate(resolve)));
    }

    // The next n bytes.
    async take(n) {
        return this.until(`${n} bytes came`, () => {
            if (this.buffer.length < n) return undefined;
            const bytes = this.buffer.subarray(0, n);
            this.buffer = this.buffer.subarray(n);
            return bytes;
        });
    }

    // All up to and with the mark.
    async takeUntil(mark) {
        const end = await this.until(`${show(Buffer.from(mark))} came`, () => {
            const at = this.buffer.indexOf(mark);
            return at < 0 ? undefined : at + Buffer.byteLength(mark);
        });
        return this.take(end);
    }

    // Exactly these bytes come next. Fails at the first that differs, without waiting for the rest.
    async expectExactly(bytes) {
        const wanted = Buffer.from(bytes);
        await this.until(`${show(wanted)} came`, () => {
            const have = this.buffer.subarray(0, wanted.length);
            if (!have.equals(wanted.subarray(0, have.length)))
                assert.equal(show(have, 100000), show(wanted, 100000), `${this.name}: other bytes came`);
            return have.length === wanted.length || undefined;
        });
        await this.take(wanted.length);
    }

    // The other side ends the connection and nothing more came before that. reset: 'may' (default), 'must', 'never'.
    async expectEnd({ reset = 'may' } = {}) {
        await this.until('the end', () => this.gone || undefined);
        assert.equal(show(this.buffer), '', `${this.name}: bytes before the end`);
        const wasReset = this.error !== null;
        if (reset === 'must') assert.ok(wasReset, `${this.name}: ended in order and not by a reset`);
        if (reset === 'never') assert.ok(!wasReset, `${this.name}: ended by ${this.error?.code}`);
        this.socket.destroy();
    }

    // Ends our direction only.
    half() {
        this.note('>', 'END');
        this.socket.end();
    }

    // Gone without a word: an orderly end, or a reset.
    async leave({ reset = false } = {}) {
        this.note('>', reset ? 'RESET' : 'GONE');
        if (this.closed) return;
        const closed = new Promise((resolve) => this.socket.once('close', resolve));
        if (reset) this.socket.resetAndDestroy();
        else this.socket.destroy();
        await closed;
    }

    pause() { this.socket.pause(); }
    resume() { this.socket.resume(); }

    async end() {
        if (!this.closed) await this.leave();
    }
}

// A plain connection, connected.
export async function raw(story, where, name = 'raw') {
    const stream = new Stream(story, where ?? story.daemon.at(), name);
    assert.ok(await stream.connected, `${stream.name}: not connected (${stream.error?.code})`);
    return stream;
}
