// js_6_2_0 - the JavaScript client 6.2.0: answers text pings, pings itself, speaks QoS. Three builds bore this number; the
// first acknowledges without an id, the others in single quotes.
//
//   const { xsockets } = js_6_2_0(page, { build: 1 });
import { Client, Controller, Message, namespace } from './js_6_0_1.mjs';

const INIT = '1', PING = '7', PONG = '8', ACK = '9';

class QosController extends Controller {
    dispatchEvent(message) {
        if (message.Q === 1 && this.transport.isConnected() && this.isOpen) this.send(this.acknowledgement(message));
        super.dispatchEvent(message);
    }

    acknowledgement({ I, C }) {
        return `{'T':'${ACK}','I':'${I}','C':'${C}','Q':'1'}`;
    }

    opened(info) {
        this.onOpen(info);
    }

    publish(topic, data) {
        return this.invoke(topic, data);
    }

    setProperty(name, value) {
        return this.invoke(`set_${name}`, value);
    }

    getProperty(name, callback) {
        super.getProperty(name, callback);
        return this.promised(`get_${name}`);
    }

    invokeBinary(topic, arrayBuffer, data) {
        return this.transport.isConnected() ? super.invokeBinary(topic, arrayBuffer, data) : this;
    }

    publishBinary(topic, arrayBuffer, data) {
        return this.invokeBinary(topic, arrayBuffer, data);
    }
}

class FirstBuildController extends QosController {
    acknowledgement({ C }) {
        return new Message(C, ACK);
    }
}

class QosClient extends Client {
    static Controller = QosController;

    enableQoS() {
        this.qos = true;
    }

    autoHeartbeat(enabled = true, timeout = 30000) {
        this.heartbeats = enabled;
        this.heartbeatTimeout = timeout;
    }

    prepare() {
        super.prepare();
        if (this.qos) this.parameters.qos = '1';
    }

    opened(event) {
        super.opened(event);
        if (!this.heartbeats) return;
        this.heartbeat = this.page.time.setInterval(() => this.beat(), this.heartbeatTimeout);
        this.ping();
    }

    beat() {
        if (this.pongReceived) return this.ping();
        this.close();
        return this.page.time.clear(this.heartbeat);
    }

    ping() {
        this.sendText(new Message('', PING));
        this.pongReceived = false;
    }

    closed(event) {
        this.page.time.clear(this.heartbeat);
        super.closed(event);
    }

    text(envelope) {
        const { C, T, D, Q, I } = envelope;
        if (T === PING) return this.sendText(Object.assign(new Message(C, PONG, D), { Q, I }));
        if (T === PONG) this.pongReceived = true;
        return super.text(envelope);
    }

    dispatch(message, otherwise) {
        super.dispatch(Object.assign(message, { Q: otherwise.Q, I: otherwise.I }), otherwise);
    }

    announce(controller) {
        controller.open();
    }

    sendText(message) {
        if (this.isConnected()) super.sendText(message);
    }
}

class FirstBuildClient extends QosClient {
    static Controller = FirstBuildController;
}

export function js_6_2_0(page, { build = 3 } = {}) {
    return namespace(page, '6.2.0', build === 1 ? FirstBuildClient : QosClient);
}
