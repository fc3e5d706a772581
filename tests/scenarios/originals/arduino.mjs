// arduino - the Arduino client over McuProtocol, and what the Photon shares with it. The sketch's loop() runs
// whenever bytes have come.
//
//   const client = new Arduino(story);
//   if (await client.connect(host, port)) client.send('sensor', 'data', '12');
import { Original, Wire } from './lib/original.mjs';

const SUBSCRIBE = '5', UNSUBSCRIBE = '6', ATTEMPTS = 300, DELAY = 100, END = 0xff;

export class Board extends Original {
    constructor(story, name, greeting) {
        super(story, name);
        this.greeting = greeting; // the line that the server must answer with
        this.bytes = Buffer.alloc(0);
        this.onMessage = () => {};
        this.onDisconnected = () => {};
    }

    // ---- the network library ----

    available() {
        return this.bytes.length;
    }

    read() {
        const [byte] = this.bytes;
        this.bytes = this.bytes.subarray(1);
        return byte;
    }

    // Every print is a write of its own.
    print(bytes) {
        this.wire.send(bytes);
    }

    println(text) {
        this.print(text);
        this.print('\r\n');
    }

    // ---- the client ----

    // Waits for the first byte only: what has not come with it is not read.
    async connect(host, port) {
        this.wire = new Wire(this, { host, port }, { data: (bytes) => this.came(bytes), closed: () => this.left() });
        if (!await this.wire.connected) return false;
        const late = this.time.setTimeout(() => { this.tooLate = true; this.wake(); }, ATTEMPTS * DELAY);
        this.sendHandshake();
        await this.until('a byte', () => this.available() > 0 || this.tooLate || this.wire.gone || undefined);
        this.time.clear(late);
        const line = this.readLine();
        this.isConnected = line === this.greeting;
        if (this.isConnected) this.loop();
        else this.disconnect();
        return this.isConnected;
    }

    // Until 0xFF or nothing more is there; zero bytes are dropped.
    readLine() {
        const line = [];
        for (let byte; this.available() > 0 && (byte = this.read()) !== END;) if (byte !== 0) line.push(byte);
        return Buffer.from(line).toString();
    }

    connected() {
        return Boolean(this.isConnected) && !this.wire.gone;
    }

    disconnect() {
        this.isConnected = false;
        this.wire.socket.destroy();
    }

    came(bytes) {
        this.bytes = Buffer.concat([this.bytes, bytes]);
        if (this.isConnected) this.loop();
        this.wake();
    }

    left() {
        if (!this.isConnected) return;
        this.isConnected = false;
        this.onDisconnected();
    }

    loop() {
        while (this.available() > 0) this.receiveData();
    }

    // A byte that is no 0x00 is lost. Once a frame has begun, every read waits for the next byte until 0xFF: the board
    // does nothing else meanwhile.
    receiveData() {
        if (this.read() !== 0) return;
        const end = this.bytes.indexOf(END);
        if (end < 0) this.fault(`the board stands still in a frame of which ${this.available()} bytes have come`);
        const data = this.bytes.subarray(0, end < 0 ? this.available() : end).toString();
        this.bytes = this.bytes.subarray(end < 0 ? this.available() : end + 1);
        this.onMessage(data);
    }

    setOnMessageDelegate(callback) {
        this.onMessage = callback;
    }

    frame(...parts) {
        this.print(Buffer.from([0]));
        for (const part of parts) this.print(part);
        this.print(Buffer.from([END]));
    }

    send(controller, topic, data) {
        this.frame(controller, '|', topic, '|', data);
    }

    addListener(controller, topic) {
        this.send(controller, SUBSCRIBE, topic);
    }

    removeListener(controller, topic) {
        this.send(controller, UNSUBSCRIBE, topic);
    }

    // The part between the bars; the last goes to the end of the data or to the next bar.
    getValueAtIx(data, index) {
        return data.split('|')[index] ?? '';
    }
}

export class Arduino extends Board {
    constructor(story) {
        super(story, 'Arduino', 'McuProtocol');
    }

    sendHandshake() {
        this.println('McuProtocol');
    }
}
