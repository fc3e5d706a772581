// putty - PuTTY in raw mode, or telnet, and somebody who types lines. A line and its CR LF go out together.
import assert from 'node:assert/strict';
import { Original, Wire } from './lib/original.mjs';

// Told as PI:<guid>,CI:<guid>, the same in quotes, or as JSON: which of them the shipped module wrote is not known.
export function openData(data) {
    const plain = /^"?PI:([0-9a-f-]{36}),CI:([0-9a-f-]{36})"?$/.exec(data);
    if (plain) return { PI: plain[1], CI: plain[2] };
    const { PI, CI } = JSON.parse(data);
    return { PI, CI };
}

export class Putty extends Original {
    constructor(story) {
        super(story, 'PuTTY');
        this.text = '';
        this.decoder = new TextDecoder();
        this.lines = this.box('line');
    }

    async connect(host, port, parameters = '') {
        this.wire = new Wire(this, { host, port }, { data: (bytes) => this.came(bytes) });
        assert.ok(await this.wire.connected);
        this.type(`PuttyProtocol${parameters}`);
        await this.lines.expect('Welcome to PuttyProtocol');
    }

    // The screen goes on when a line has ended; what is no CR LF would run on over it.
    came(bytes) {
        this.text += this.decoder.decode(bytes, { stream: true });
        for (let at; (at = this.text.indexOf('\n')) >= 0; this.text = this.text.slice(at + 1)) {
            if (this.text[at - 1] !== '\r') this.fault('a line of the server ends without CR');
            this.lines(this.text.slice(0, at).replace(/\r$/, ''));
        }
    }

    type(line) {
        this.wire.send(`${line}\r\n`);
    }

    send(controller, topic, data = '') {
        this.type(`${controller}|${topic}|${data}`);
    }

    async open(controller) {
        this.send(controller, 1);
        return this.opened(controller);
    }

    async opened(controller) {
        const line = await this.lines.next();
        assert.ok(line.startsWith(`${controller}|2|`), line);
        return openData(line.slice(controller.length + 3));
    }

    subscribe(controller, topic) {
        this.send(controller, 'subscribe', topic);
    }

    unsubscribe(controller, topic) {
        this.send(controller, 'unsubscribe', topic);
    }

    expect(...lines) {
        return this.lines.expect(...lines);
    }

    close() {
        this.wire.socket.end();
    }
}
