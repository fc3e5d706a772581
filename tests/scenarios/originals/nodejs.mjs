// nodejs - the NodeJS client over JsonProtocol. To it one 'data' event is one frame, names are what was typed, and
// a controller it does not know ends the process.
//
//   const c = new TcpClient(story, '127.0.0.1', 4502, ['chat']);
//   c.controller('chat').on('say', (data) => …); c.open();
import { Original, Wire } from './lib/original.mjs';

const INIT = '1', OPEN = '2', CLOSE = '3', ERROR = '4', END = 0xff;

// A buffer of json.length + 2 bytes, also when the bytes of the JSON are more: then its end is cut off.
export function toBytes(topic, data, controller) {
    const json = JSON.stringify({ T: topic, D: JSON.stringify(data), C: controller });
    const bytes = Buffer.alloc(json.length + 2);
    bytes.write(json, 1);
    bytes[json.length + 1] = END;
    return bytes;
}

// The first and the last character are taken for the frame.
function parse(bytes) {
    const text = bytes.toString();
    return JSON.parse(text.substring(1, text.length - 1));
}

// How long this process was away from its event loop since it was last asked, in ms.
class Watch {
    constructor() {
        this.last = performance.now();
        this.longest = 0;
        this.timer = setInterval(() => this.look(), 5).unref();
    }

    look() {
        const now = performance.now();
        this.longest = Math.max(this.longest, now - this.last);
        this.last = now;
    }

    absence() {
        this.look();
        const longest = this.longest;
        this.longest = 0;
        return longest;
    }

    stop() {
        clearInterval(this.timer);
    }
}

class Controller {
    constructor(name, send) {
        this.name = name;
        this.send = (topic, data) => send(topic, data, name);
        this.callbacks = {};
        this.onopen = this.onclose = this.onerror = () => {};
    }

    on(topic, callback) {
        this.callbacks[topic] ??= callback;
    }

    off(topic) {
        delete this.callbacks[topic];
    }

    // What these three are given is D as it came.
    fire({ T, D }) {
        if (T === OPEN) this.onopen(D);
        else if (T === CLOSE) this.onclose(D);
        else if (T === ERROR) this.onerror(D);
        else this.callbacks[T]?.(JSON.parse(D));
    }
}

// pace: the pause in ms that the server is known to make. Frames that came together because this process did not run
// meanwhile, as on a busy machine, are then taken one by one; without it nothing is an excuse.
export class TcpClient extends Original {
    constructor(story, host, port, controllers, { pace } = {}) {
        super(story, 'NodeJS');
        this.where = { host, port };
        this.pace = pace;
        this.watch = new Watch();
        this.wanted = controllers;
        this.controllers = {};
        this.onconnected = this.onerror = () => {};
        for (const name of controllers) this.controller(name);
    }

    controller(name) {
        this.controllers[name] ??= new Controller(name, (...what) => this.send(...what));
        return this.controllers[name];
    }

    open() {
        this.wire = new Wire(this, this.where, { data: (bytes) => this.came(bytes) });
        this.wire.socket.on('error', (error) => this.onerror(error));
        this.wire.connected.then((connected) => connected && this.wire.send('JsonProtocol'));
    }

    came(bytes) {
        const absence = this.watch.absence();
        const ends = [...bytes.keys()].filter((i) => bytes[i] === END);
        const late = this.pace && ends.length > 1 && absence >= 0.8 * this.pace * (ends.length - 1);
        let start = 0;
        for (const end of late ? ends : [bytes.length - 1]) {
            const frame = bytes.subarray(start, end + 1);
            this.attempt('the process ends', () => this.data(frame));
            start = end + 1;
        }
    }

    data(bytes) {
        const message = parse(bytes);
        if (message.T === INIT && message.D === 'Welcome') {
            this.onconnected(message);
            for (const name of this.wanted) this.send(INIT, { init: true }, name);
        } else {
            this.controllers[message.C].fire(message);
        }
    }

    send(topic, data, controller) {
        this.wire.send(toBytes(topic, data, controller));
    }

    close() {
        this.wire.socket.destroy();
    }

    async end(failed) {
        this.watch.stop();
        await super.end(failed);
    }
}
