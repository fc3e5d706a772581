// nodejs - the NodeJS client over JsonProtocol. To it one 'data' event is one frame, names are what was typed, and
// a controller it does not know ends the process.
//
//   const c = new TcpClient(story, '127.0.0.1', 4502, ['chat']);
//   c.controller('chat').on('say', (data) => …); c.open();
import { Original, Wire } from './lib/original.mjs';

const INIT = '1', OPEN = '2', CLOSE = '3', ERROR = '4';

// A buffer of json.length + 2 bytes, also when the bytes of the JSON are more: then its end is cut off.
export function toBytes(topic, data, controller) {
    const json = JSON.stringify({ T: topic, D: JSON.stringify(data), C: controller });
    const bytes = Buffer.alloc(json.length + 2);
    bytes.write(json, 1);
    bytes[json.length + 1] = 0xff;
    return bytes;
}

// The first and the last character are taken for the frame.
function parse(bytes) {
    const text = bytes.toString();
    return JSON.parse(text.substring(1, text.length - 1));
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

export class TcpClient extends Original {
    constructor(story, host, port, controllers) {
        super(story, 'NodeJS');
        this.where = { host, port };
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
        this.wire = new Wire(this, this.where, { data: (bytes) => this.attempt('the process ends', () => this.data(bytes)) });
        this.wire.socket.on('error', (error) => this.onerror(error));
        this.wire.connected.then((connected) => connected && this.wire.send('JsonProtocol'));
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
}
